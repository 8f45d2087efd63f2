package guard

import (
	"context"
	"sync"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/record"
)

// InTurn records events one after the other, in the order in which they
// come. The lock of a log is for a few that meet by chance: of a thousand calls at
// once, some would wait for it in vain.
func InTurn(r record.Recorder) record.Recorder { return &turns{Recorder: r} }

type turns struct {
	record.Recorder
	mu sync.Mutex
}

// Begin records the first event of an operation.
func (t *turns) Begin(ctx context.Context, e audit.Event, room int64) (audit.Head, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.Recorder.Begin(ctx, e, room)
}

// Append records a later one.
func (t *turns) Append(ctx context.Context, e audit.Event, room int64) (audit.Head, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.Recorder.Append(ctx, e, room)
}
