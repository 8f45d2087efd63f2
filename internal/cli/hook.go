package cli

import (
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/hook"
)

type hookCmd struct{}

// Help says how agents call it.
func (hookCmd) Help() string {
	return "An agent calls it with JSON on standard input before it runs a shell command, and reads the decision from standard output: deny or ask if the command would destroy volumes. docs/agents.md has the settings for the common agents."
}

// Run answers one question of an agent. Exit code 2, for input
// that is not understood, means no to agents.
func (hookCmd) Run(p Process) error {
	q, err := hook.Read(p.Stdin)
	if err != nil {
		return &fault.Fault{Err: err, Try: "ccdestroy hook --help", Code: fault.ExitUsage}
	}
	return q.Answer(p.Stdout, hook.Judge(q.Command, q.Dir))
}
