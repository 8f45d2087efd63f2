package record

import (
	"context"
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
	if strings.Join(h.asked, " ") != "snapshot" || len(notes) != 1 || !strings.Contains(notes[0], "docker start c1 c2") {
		t.Errorf("asked for %q, notes %q", h.asked, notes)
	}
}
