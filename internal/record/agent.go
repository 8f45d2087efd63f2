package record

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// What a coding agent may destroy: the values of the setting "agents".
const (
	AgentsAllow  = "allow"  // whatever a person may
	AgentsKeep   = "keep"   // what can be brought back
	AgentsRefuse = "refuse" // nothing
)

// Agent is the coding agent that runs this program, and the rule that holds for
// it. Without a name none does.
type Agent struct{ Name, Rule string }

// Held reports whether a rule holds the agent back.
func (a Agent) Held() bool { return a.Name != "" && a.Rule != AgentsAllow }

// Refuses is why the agent must not do this to the volumes of an inventory, or
// nil. saving: they are exported first. try is what to do instead where a volume
// could not be brought back.
func (a Agent) Refuses(inv inventory.Inventory, saving bool, try string) error {
	if !a.Held() {
		return nil
	}
	if a.Rule == AgentsRefuse {
		return a.refused()
	}
	lost := inv.Unkept()
	if saving || len(lost) == 0 {
		return nil
	}
	var why []string
	for _, v := range lost {
		why = append(why, fmt.Sprintf("volume %s (%s)", v.Name, cmp.Or(v.Why, "nothing sets it aside")))
	}
	slices.Sort(why)
	return fault.Refused(try, "a coding agent (%s) may destroy only what can be brought back: %s", a.Name, strings.Join(why, ", "))
}

// Ends is why the agent must not delete data for good, or nil.
func (a Agent) Ends() error {
	if !a.Held() {
		return nil
	}
	return a.refused()
}

func (a Agent) refused() error {
	return fault.Refused("ask the person you work for to run this command, or to set agents: "+AgentsAllow+" in a file of settings",
		"a coding agent (%s) may not do this: agents: %s", a.Name, a.Rule)
}
