package cli

import (
	"fmt"
	"slices"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/record"
)

// agentsFlag is for commands that destroy volumes.
type agentsFlag struct {
	Agents string `enum:"keep,refuse,allow" default:"keep" placeholder:"RULE" group:"ccdestroy" help:"What a coding agent that runs this may destroy: keep (what can be brought back), refuse (nothing), allow. The command line and variables can only make the rule stricter for it."`
}

// stricter orders the rules.
var stricter = []string{record.AgentsAllow, record.AgentsKeep, record.AgentsRefuse}

// agent is the coding agent that runs this program, and the rule for it: that of
// the user's file, or else the machine's; what the agent itself can set, and the
// project's file, make it stricter only.
func (f agentsFlag) agent(p Process) record.Agent {
	a := actor.DetectAgent(p.Getenv)
	if a == nil {
		return record.Agent{}
	}
	rule, said := record.AgentsKeep, false
	rules := []string{f.Agents}
	for _, file := range p.set.files {
		one, set := file.keys[agentsKey]
		switch {
		case !set:
		case file.who == ofProject:
			rules = append(rules, fmt.Sprint(one.value))
		case !said:
			rule, said = fmt.Sprint(one.value), true
		}
	}
	for _, file := range p.set.files {
		if one, set := file.enforced[agentsKey]; set {
			rules = append(rules, fmt.Sprint(one.value))
		}
	}
	for _, one := range rules {
		if slices.Index(stricter, one) > slices.Index(stricter, rule) {
			rule = one
		}
	}
	return record.Agent{Name: a.Name, Rule: rule}
}

// looser reports whether the command line loosens the rule.
func looser(_ Process, enforced, given string) bool {
	return slices.Index(stricter, given) < slices.Index(stricter, enforced)
}

// holdingBack is a rule that holds agents back.
func holdingBack(_ *settingsFile, value any) (any, error) {
	if value != record.AgentsKeep && value != record.AgentsRefuse {
		return nil, fmt.Errorf("must be keep or refuse in a project's file, not %q", fmt.Sprint(value))
	}
	return value, nil
}
