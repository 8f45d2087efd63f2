package actor

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Agent is the coding agent that runs this program, as its own variable says.
type Agent struct {
	Name   string `json:"name"`
	Source string `json:"source"` // the variable
}

// agents in the order in which they are tested. The variables are those that the
// agents set for the commands they run; nothing else sets them.
var agents = []struct{ variable, name string }{
	{"CLAUDECODE", "claude-code"},
	{"CURSOR_AGENT", "cursor"},
	{"GEMINI_CLI", "gemini-cli"},
	{"CODEX_THREAD_ID", "codex"},
	{"CODEX_SANDBOX", "codex"},
	{"OPENCODE", "opencode"},
	{"AUGMENT_AGENT", "augment"},
	{"CLINE_ACTIVE", "cline"},
}

// named are variables in which any agent gives its name.
var named = []string{"AI_AGENT", "AGENT"}

// agentName is what a name may look like: the value is anybody's, and only what is
// surely no secret is recorded.
var agentName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z][a-z0-9._-]{0,31}(/[a-z0-9._-]{1,16})?$`)
})

// DetectAgent says which coding agent runs us, or nil. Its name is "unknown" if the agent
// gives one that must not be recorded.
func DetectAgent(get func(string) string) *Agent {
	for _, a := range agents {
		if means(get(a.variable)) {
			return &Agent{a.name, a.variable}
		}
	}
	for _, variable := range named {
		value := strings.ToLower(get(variable))
		switch {
		case !means(value):
		case !agentName().MatchString(value):
			return &Agent{"unknown", variable}
		default:
			return &Agent{value, variable}
		}
	}
	return nil
}

// AgentVariables are all variables that DetectAgent looks at.
func AgentVariables() (names []string) {
	for _, a := range agents {
		names = append(names, a.variable)
	}
	return append(names, named...)
}

// means reports whether a variable is set to anything but a no.
func means(value string) bool {
	return !slices.Contains([]string{"", "0", "false", "no", "off"}, strings.ToLower(value))
}
