package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// leaveFinisher starts a process of its own session that outlives Compose.
func (p Process) leaveFinisher(id, log string, call caller) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{"compose", "finish", "--id", id, "--log", log, "--pid", strconv.Itoa(call.pid), "--started", actor.StartOf(call.pid)}
	if call.Args.Host != "" {
		args = append(args, "--host", call.Args.Host)
	}
	if call.Args.Context != "" {
		args = append(args, "--context", call.Args.Context)
	}
	cmd := exec.Command(self, args...)
	cmd.Args[0] = "ccdestroy" // not as a plugin
	cmd.Dir, cmd.Env, cmd.SysProcAttr = p.Dir, p.Environ, ownSession()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the process that records the outcome: %w", err)
	}
	return cmd.Process.Release()
}

type composeFinishCmd struct {
	ID      string `fixed:"" required:"" hidden:""`
	PID     int    `fixed:"" name:"pid" required:"" hidden:""`
	Started string `fixed:"" hidden:""`
	Host    string `fixed:"" hidden:""`
	Context string `fixed:"" hidden:""`
	logFlag
}

// How often the finisher looks for Compose's end, and how long it tries to reach
// an engine that does not answer.
const (
	finishPoll  = 50 * time.Millisecond
	finishTries = 12
)

// Run waits for Compose's end, looks, and records the outcome. Where it cannot,
// the operation stays unfinished, for reconcile.
func (c composeFinishCmd) Run(ctx context.Context, p Process) error {
	gone := func() bool {
		if c.Started != "" {
			return actor.StartOf(c.PID) != c.Started
		}
		return !processRuns(c.PID)
	}
	for !gone() {
		time.Sleep(finishPoll)
	}
	client, err := p.engine(projectFlags{Host: c.Host, Context: c.Context})
	if err != nil {
		return err
	}
	defer client.Close()
	l := p.log(c.Log)
	for try := range finishTries {
		if err = p.finish(ctx, l, daemon{client}, c.ID); err == nil {
			return nil
		}
		time.Sleep(time.Duration(try) * time.Second)
	}
	return err
}

func (p Process) finish(ctx context.Context, l *audit.Log, d daemon, id string) error {
	events, _, err := l.Show(id)
	if err != nil {
		return err
	}
	details, err := teardown.ParseDetails(events[len(events)-1])
	if err != nil {
		return err
	}
	if err := teardown.Rest(ctx, d, details.Project); err != nil {
		return err
	}
	release, err := settling(ctx, l)
	if err != nil {
		return err
	}
	defer release()
	if events, _, err = l.Show(id); err != nil || events[len(events)-1].Outcome != audit.Pending {
		return err // somebody else was faster
	}
	_, err = teardown.Reconcile(ctx, events[len(events)-1], d, l, teardown.SettledBeside, p.Now)
	return err
}

// withinName is the variable by which a provider knows that it runs under a
// teardown of ours.
const withinName = "CCDESTROY_WITHIN"

// mark says to processes that we start which process this is.
func (p Process) mark() string {
	return fmt.Sprintf("%s=%d:%s", withinName, os.Getpid(), actor.StartOf(os.Getpid()))
}

// within reports whether a ccdestroy that is still at work has led to this
// process. A variable that was left behind, or set by hand, does not count.
func (p Process) within() bool {
	word, started, _ := strings.Cut(p.Getenv(withinName), ":")
	pid, err := strconv.Atoi(word)
	if err != nil || pid <= 1 || actor.StartOf(pid) != started {
		return false
	}
	if started == "" {
		return true // this system does not tell
	}
	for at := os.Getppid(); at > 1; at = actor.ParentOf(at) {
		if at == pid {
			return true
		}
	}
	return false
}
