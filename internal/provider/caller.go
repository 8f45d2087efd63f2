package provider

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/compose"
)

// Caller is the Compose process that called us.
type Caller struct {
	compose.Call
	PID int
}

// FindCaller looks for it among the ancestors of this process. If its
// command line cannot be read, it is unknown whether volumes go; the evidence
// afterwards shows which did.
func FindCaller(project string) Caller {
	parent := os.Getppid()
	for pid := parent; pid > 1; pid = actor.ParentOf(pid) {
		if call, ok := compose.ParseDown(actor.CommandLine(pid)); ok {
			return Caller{call, pid}
		}
	}
	return Caller{compose.Call{Args: compose.Args{ProjectName: project}, Argv: []string{"docker", "compose", "down"}}, parent}
}

// byProcess says that the actor is another process.
func byProcess(claims json.RawMessage, pid int) json.RawMessage {
	var a actor.Actor
	if json.Unmarshal(claims, &a) != nil {
		return claims
	}
	a.PID, a.Started = pid, actor.StartOf(pid)
	data, err := json.Marshal(a)
	if err != nil {
		return claims
	}
	return data
}

// withinName is the variable by which a provider knows that it runs under a
// teardown of ours.
const withinName = "CCDESTROY_WITHIN"

// Mark tells the processes that we start which process this is.
func Mark() string {
	return withinName + "=" + strconv.Itoa(os.Getpid()) + ":" + actor.StartOf(os.Getpid())
}

// Within reports whether a ccdestroy that is still running is an ancestor of this
// process. A variable that was left behind, or set by hand, does not count.
func Within(getenv func(string) string) bool {
	word, started, _ := strings.Cut(getenv(withinName), ":")
	pid, err := strconv.Atoi(word)
	if err != nil || pid <= 1 || actor.StartOf(pid) != started {
		return false
	}
	if started == "" {
		return true // this system does not say
	}
	for at := os.Getppid(); at > 1; at = actor.ParentOf(at) {
		if at == pid {
			return true
		}
	}
	return false
}
