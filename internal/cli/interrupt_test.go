package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// Every command either ends at once on a signal, or is known to take signals
// itself, for the sake of what it records.
func TestEveryCommandTakesSignals(t *testing.T) {
	takes := []string{
		"destroy", "down", "export", "restore", "prune", "run", "record", "reconcile", "watch", "undo", "trash list", "trash purge", "trash-helper",
		"audit rotate", "audit accept", "compose down", "compose finish", "reap", "guard run", "guard install", "guard uninstall",
	}
	var g grammar
	parser := newParser(&g, Process{}, &settings{})
	var visit func(n *kong.Node)
	visit = func(n *kong.Node) {
		if n.Leaf() {
			name := strings.TrimPrefix(strings.TrimPrefix(n.FullPath(), "ccdestroy"), " ")
			if ends := n.Tag.Has("signals"); ends == slices.Contains(takes, name) {
				t.Errorf("%q: tagged as one that ends at once: %t", name, ends)
			}
		}
		for _, c := range n.Children {
			visit(c)
		}
	}
	visit(parser.Model.Node)
}

// A dry run records nothing, whatever the command.
func TestDryRunRecordsNothing(t *testing.T) {
	for line, want := range map[string]bool{
		"": true, "--dry-run": false, "down --dry-run web": false, "down web": true, "prune": true, "prune --dry-run": false, "reap": true, "reap --dry-run": false,
		"audit": false, "audit list": false, "audit rotate": true, "exports": false, "inventory": false,
	} {
		var g grammar
		parser := newParser(&g, Process{}, &settings{})
		call, err := parser.Parse(strings.Fields(line))
		if err != nil {
			t.Fatal(err)
		}
		if got := records(call); got != want {
			t.Errorf("%q: records: %t", line, got)
		}
	}
}
