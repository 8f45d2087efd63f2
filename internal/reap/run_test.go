package reap

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// hangs is an engine with a project that has expired, which answers once, and then
// hangs.
type hangs struct {
	snapshot inventory.Snapshot
	hung     chan<- os.Signal // gets a signal as soon as it does
	asked    int
}

func (h *hangs) Snapshot(ctx context.Context, _ inventory.Scope) (inventory.Snapshot, error) {
	if h.asked++; h.asked == 1 {
		return h.snapshot, nil
	}
	h.hung <- syscall.SIGTERM
	<-ctx.Done()
	return inventory.Snapshot{}, ctx.Err()
}

// A signal ends the look before a teardown, also while the engine hangs.
func TestSignalBeforeATeardown(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	signals := make(chan os.Signal, 1)
	r := Run{
		Engine: &hangs{hung: signals, snapshot: inventory.Snapshot{Volumes: []inventory.Volume{
			{Name: "old_data", Created: now.Add(-48 * time.Hour), Labels: map[string]string{inventory.LabelProject: "old"}},
		}}},
		Rules: Rules{OlderThan: time.Hour}, AtOnce: 1, Signals: signals, Now: func() time.Time { return now },
		Agree: func(context.Context, []Project) error { return nil },
		Done:  func(Result) {},
		TearDown: func(context.Context, string, func(inventory.Snapshot) error, <-chan os.Signal) (record.Ending, error) {
			t.Error("it was torn down")
			return record.Ending{}, nil
		},
	}
	results, code, err := r.Do(t.Context())
	if err != nil || code != 143 || len(results) != 1 || results[0].Err == nil {
		t.Errorf("exit %d, %+v, %v", code, results, err)
	}
}

// A teardown that waited for the lock of its project is told by its own look whether
// the project still is to go.
func TestStill(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	volume := func(created time.Time, labels ...string) inventory.Snapshot {
		return inventory.Snapshot{Volumes: []inventory.Volume{{Name: "old_data", Created: created, Labels: of("old", labels...)}}}
	}
	old := now.Add(-48 * time.Hour)
	for name, c := range map[string]struct {
		later inventory.Snapshot
		stays string
		err   bool
		code  int
	}{
		"as it was": {volume(old), "", false, 0},
		"gone":      {inventory.Snapshot{}, "", false, 0},
		"renewed":   {volume(now), renewed, false, 0},
		"protected": {volume(old, inventory.LabelProtect, "true"), "", true, 3},
	} {
		r := Run{
			Engine: still(volume(old)), Rules: Rules{OlderThan: time.Hour}, AtOnce: 1, Now: func() time.Time { return now },
			Agree: func(context.Context, []Project) error { return nil },
			Done:  func(Result) {},
			TearDown: func(_ context.Context, _ string, still func(inventory.Snapshot) error, _ <-chan os.Signal) (record.Ending, error) {
				return record.Ending{Outcome: audit.Success}, still(c.later)
			},
		}
		results, code, err := r.Do(t.Context())
		if err != nil || code != c.code || len(results) != 1 || results[0].Stays != c.stays || (results[0].Err != nil) != c.err {
			t.Errorf("%s: exit %d, %+v, %v", name, code, results, err)
		}
	}
}
