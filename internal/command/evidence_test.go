package command

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// answering is an engine that says what it has as long as it is given time.
type answering struct{ Engine }

func (answering) Snapshot(ctx context.Context, _ inventory.Scope) (inventory.Snapshot, error) {
	return inventory.Snapshot{Volumes: []inventory.Volume{{Name: "db"}}}, ctx.Err()
}

func (answering) Measure(context.Context, []inventory.Volume) map[string]inventory.Size { return nil }

// A directory that takes all the time there is for sizes leaves enough to ask the engine.
func TestLookPastTheLimit(t *testing.T) {
	limit := walkLimit
	walkLimit = 0
	t.Cleanup(func() { walkLimit = limit })
	s, err := look(t.Context(), Targets{Paths: []string{t.TempDir()}, Volumes: []string{"db"}}, answering{})
	if err != nil || len(s.resources) != 2 {
		t.Errorf("%+v: %v", s.resources, err)
	}
}

// A directory counts as emptied only where that was seen: not when the time for
// sizes was over before it was walked, as after a large one.
func TestEmptied(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "important")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	state := func(ctx context.Context) pathState {
		t.Helper()
		s, err := statPath(ctx, dir)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	result := func(was, is pathState) inventory.Result {
		var r inventory.Resource
		was.became(is, &r)
		return r.Result
	}
	was := state(context.Background())
	if got := result(was, state(over)); got != inventory.Remained {
		t.Errorf("full, in no time: %q", got)
	}
	cut := state(over)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]pathState{"walked": was, "cut off": cut} {
		if got := result(s, state(over)); got != inventory.Gone {
			t.Errorf("emptied, %s: %q", name, got)
		}
	}
	if got := result(state(over), state(over)); got != inventory.Remained {
		t.Errorf("empty before: %q", got)
	}
}
