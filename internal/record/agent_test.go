package record

import (
	"errors"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// An agent destroys nothing that cannot be brought back, unless it is allowed to.
func TestAgentRefuses(t *testing.T) {
	volume := func(name string) inventory.Resource {
		return inventory.Resource{Kind: inventory.KindVolume, Name: name, Fate: inventory.Removed, Asked: true}
	}
	view := volume("view")
	view.Host = "/srv"
	stays := volume("stays")
	stays.Fate = inventory.Kept
	inv := func(keep *inventory.Keep, resources ...inventory.Resource) inventory.Inventory {
		return inventory.Inventory{Keep: keep, Resources: resources}
	}
	both := &inventory.Keep{Volumes: []string{"a", "b"}}
	for name, c := range map[string]struct {
		agent  Agent
		inv    inventory.Inventory
		saving bool
		says   string // "" is not refused
	}{
		"no agent":         {Agent{Rule: AgentsRefuse}, inv(nil, volume("a")), false, ""},
		"allowed":          {Agent{"x", AgentsAllow}, inv(nil, volume("a")), false, ""},
		"refused":          {Agent{"x", AgentsRefuse}, inv(both, volume("a")), true, "agents: refuse"},
		"all kept":         {Agent{"x", AgentsKeep}, inv(both, volume("a"), volume("b"), view, stays), false, ""},
		"one not kept":     {Agent{"x", AgentsKeep}, inv(&inventory.Keep{Volumes: []string{"a"}, Not: []inventory.Unkept{{Name: "n", Why: "driver nfs"}}}, volume("a"), volume("n")), false, "volume n (driver nfs)"},
		"exported instead": {Agent{"x", AgentsKeep}, inv(nil, volume("a")), true, ""},
		"no room":          {Agent{"x", AgentsKeep}, inv(&inventory.Keep{Why: "the disk is full"}, volume("a")), false, "volume a (the disk is full)"},
		"nobody keeps":     {Agent{"x", AgentsKeep}, inv(nil, volume("a")), false, "volume a (nothing sets it aside)"},
		"nothing goes":     {Agent{"x", AgentsKeep}, inv(nil, stays), false, ""},
	} {
		err := c.agent.Refuses(c.inv, c.saving, "do that")
		var f *fault.Fault
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.says != "" && (!errors.As(err, &f) || f.Code != fault.ExitRefused || f.Try == "" || !strings.Contains(f.Error(), c.says)):
			t.Errorf("%s: %v", name, err)
		}
	}
	if (Agent{"x", AgentsKeep}).Ends() == nil || (Agent{"x", AgentsAllow}).Ends() != nil || (Agent{}).Ends() != nil {
		t.Error("who may end data for good")
	}
}
