package undo_test

import (
	"testing"

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
