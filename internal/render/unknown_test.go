package render

import (
	"bytes"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// Where nothing came back or was purged, the screen says no more than the record.
func TestNothingKept(t *testing.T) {
	for outcome, want := range map[audit.Outcome]string{
		audit.Pending: "UNKNOWN what was ", audit.Cancelled: "Cancelled: nothing was ", audit.Success: "Nothing was left to be ", audit.Failed: "FAILED: nothing was ",
	} {
		var undone, purged bytes.Buffer
		if err := Undone(&undone, outcome, nil, record.Details{}, "01", 0, Style{}); err != nil || !strings.HasPrefix(undone.String(), want+"brought back.\n") {
			t.Errorf("undo, %s: %q, %v", outcome, undone.String(), err)
		}
		if err := PurgeDone(&purged, outcome, nil, "01", 0, Style{}); err != nil || !strings.HasPrefix(purged.String(), want+"purged.\n") {
			t.Errorf("purge, %s: %q, %v", outcome, purged.String(), err)
		}
	}
}

// A prune of which nobody knows what it removed does not say that it failed.
func TestPruneUnknown(t *testing.T) {
	for outcome, want := range map[audit.Outcome]string{audit.Pending: "UNKNOWN what was removed", audit.Cancelled: "Cancelled: nothing was removed", audit.Failed: "FAILED: nothing was removed"} {
		var b bytes.Buffer
		if err := Pruned(&b, outcome, inventory.Verdict{}, nil, "01", 0, Style{}); err != nil || !strings.HasPrefix(b.String(), want) || strings.Contains(b.String(), "ccdestroy reconcile") != (outcome == audit.Pending) {
			t.Errorf("%s: %q, %v", outcome, b.String(), err)
		}
	}
}

// A project of which nobody knows what was destroyed is not said to be there.
func TestReapUnknown(t *testing.T) {
	var b bytes.Buffer
	one := Reaped{Project: "shop", Over: true, Ending: &record.Ending{Outcome: audit.Pending}}
	if err := ReapSummary(&b, []Reaped{one}, 0, Style{}); err != nil || !strings.Contains(b.String(), "UNKNOWN what was destroyed of 1 project") || strings.Contains(b.String(), "Still there") {
		t.Errorf("%q, %v", b.String(), err)
	}
}
