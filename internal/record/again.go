package record

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Starter is an engine whose containers can be stopped and started. One that is
// gone, or that rests or runs already, is no error.
type Starter interface {
	Stop(ctx context.Context, ids []string) error  // all at once
	Start(ctx context.Context, ids []string) error // in the given order
	// Snapshot lists what the engine has.
	Snapshot(context.Context, inventory.Scope) (inventory.Snapshot, error)
}

// againLimit is how long containers may take to stop, and to start: after that the
// engine counts as hung.
const againLimit = 2 * time.Minute

// StartAgain starts the containers that the operation has stopped, whatever
// happened to ctx, and says which, or why not all of them run. If their stop was
// interrupted, it is completed first: the engine continues it, and what it is about to
// stop would still count as running.
func (o *Operation) StartAgain(ctx context.Context, e Starter, cutOff bool) {
	if len(o.Details.Stopped) == 0 {
		return
	}
	ctx = context.WithoutCancel(ctx)
	if cutOff {
		_ = within(ctx, func(ctx context.Context) error { return e.Stop(ctx, o.Details.Stopped) }) // what runs anyway is fine
	}
	var halted []string
	err := within(ctx, func(ctx context.Context) error {
		snap, _ := e.Snapshot(ctx, inventory.Scope{}) // without it only the names are missing
		halted = snap.Halted(o.Details.Stopped)
		return e.Start(ctx, o.Details.Stopped)
	})
	if err != nil {
		o.book.Note(fmt.Sprintf("not all containers that were stopped run again: %v", err))
		return
	}
	if len(halted) > 0 {
		slices.Sort(halted)
		o.book.Note("started again: " + strings.Join(halted, ", "))
	}
}

func within(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, againLimit)
	defer cancel()
	return do(ctx)
}
