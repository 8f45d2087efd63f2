package undo_test

import (
	"context"
	"maps"
	"testing"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/fake"
	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// What an operation has set aside that is still at work is not purged: its volume may
// stay, and would get nothing back.
func TestPurgeWhileAtWork(t *testing.T) {
	need.That(t, "Linux", linux)
	w := world(t)
	all, beside := len(holds(w)), false
	pruned(w, func(_ *fake.Process, s fake.Step) error {
		if s == (fake.Step{Name: "remove", N: 1}) {
			beside = true
			purged(w, nil)
		}
		return nil
	})
	if _, _, left := newest(t, w); !beside || len(left) != 2 || len(holds(w)) != all {
		t.Errorf("purged beside: %t; %v can be undone; the data of %d of %d volumes is there", beside, left, len(holds(w)), all)
	}
	purged(w, nil)
	if left := len(holds(w)); left != all-2 {
		t.Errorf("the data of %d volumes is there, want %d", left, all-2)
	}
}

// A purge that was cut off is settled while another operation has just set aside a volume
// of the same name: what was to be destroyed is not put in its place.
func TestPurgeSettledBeside(t *testing.T) {
	need.That(t, "Linux", linux)
	w := world(t)
	pruned(w, nil)
	w.Make("a")
	var was *fake.Process
	var before, after map[int]string
	pruned(w, func(_ *fake.Process, s fake.Step) error {
		if s == (fake.Step{Name: "remove", N: 1}) {
			was, before = purged(w, killedAt(fake.Step{Name: "trash: end", N: 1})), holds(w)
			if did, err := book(w.Process()).Reconcile(context.Background(), false); err != nil || did.Settled != 1 {
				t.Errorf("%+v, %v", did, err)
			}
			after = holds(w)
		}
		return nil
	})
	if was == nil {
		t.Fatal("nothing was removed")
	}
	if e, _ := was.Event(); !maps.Equal(before, after) || e.Outcome != audit.Failed || len(e.DataAffected) > 0 {
		t.Errorf("%s, purged %q: at the end %v, and were %v", e.Outcome, e.DataAffected, after, before)
	}
}
