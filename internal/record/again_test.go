package record

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// hung is an engine that answers nothing.
type hung struct{ asked []string }

func (h *hung) wait(ctx context.Context, what string) error {
	h.asked = append(h.asked, what)
	<-ctx.Done()
	return ctx.Err()
}

func (h *hung) Stop(ctx context.Context, _ []string) error  { return h.wait(ctx, "stop") }
func (h *hung) Start(ctx context.Context, _ []string) error { return h.wait(ctx, "start") }
func (h *hung) Snapshot(ctx context.Context, _ inventory.Scope) (inventory.Snapshot, error) {
	return inventory.Snapshot{}, h.wait(ctx, "snapshot")
}

// stubborn is an engine that starts nothing.
type stubborn struct{}

func (stubborn) Stop(context.Context, []string) error  { return nil }
func (stubborn) Start(context.Context, []string) error { return errors.New("no such network") }
func (stubborn) Snapshot(context.Context, inventory.Scope) (inventory.Snapshot, error) {
	return inventory.Snapshot{}, nil
}

// Containers that cannot be started again are told, and recorded.
func TestStartAgainInVain(t *testing.T) {
	var notes []string
	o := &Operation{book: &Book{Note: func(text string) { notes = append(notes, text) }}}
	o.Details.Stopped = []string{"c1", "c2"}
	o.StartAgain(t.Context(), stubborn{}, false)
	if len(o.Details.Halted) != 2 || len(notes) != 1 || !strings.Contains(notes[0], "no such network; docker start c1 c2") {
		t.Errorf("%q, %q", o.Details.Halted, notes)
	}
}

// An engine that hangs is not waited for in each of its calls, and whoever has to
// start the containers is told how.
func TestStartAgainWhileTheEngineHangs(t *testing.T) {
	was := answerLimit
	answerLimit = 0
	t.Cleanup(func() { answerLimit = was })
	var notes []string
	o := &Operation{book: &Book{Note: func(text string) { notes = append(notes, text) }}}
	o.Details.Stopped = []string{"c1", "c2"}
	h := &hung{}
	o.StartAgain(context.Background(), h, true)
	if len(o.Details.Halted) != 2 {
		t.Errorf("to be recorded as halted: %q", o.Details.Halted)
	}
	if strings.Join(h.asked, " ") != "snapshot" || len(notes) != 1 || !strings.Contains(notes[0], "docker start c1 c2") {
		t.Errorf("asked for %q, notes %q", h.asked, notes)
	}
}
