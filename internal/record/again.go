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

// answerLimit is how long an engine may take to answer before anything is stopped or
// started again: after that it counts as hung. Only tests change it.
var answerLimit = 30 * time.Second

// againLimit is how long containers may take to stop, and to start: after that the
// engine counts as hung.
const againLimit = 2 * time.Minute

// StartAgain starts the containers that the operation has stopped, whatever
// happened to ctx, and says which, or why not all of them run, here and in the
// details of the operation, whose outcome is still to be recorded. If their stop was
// interrupted, it is completed first: the engine continues it, and what it is about to
// stop would still count as running.
func (o *Operation) StartAgain(ctx context.Context, e Starter, cutOff bool) {
	if len(o.Details.Stopped) == 0 {
		return
	}
	ctx = context.WithoutCancel(ctx)
	if err := answers(ctx, e); err != nil {
		o.Details.Halted = o.Details.Stopped
		o.book.Note(fmt.Sprintf("what was stopped does not run again: %v; when the engine is back: docker start %s", err, strings.Join(o.Details.Stopped, " ")))
		return
	}
	if cutOff {
		_ = within(ctx, againLimit, func(ctx context.Context) error { return e.Stop(ctx, o.Details.Stopped) }) // what runs anyway is fine
	}
	var halted []string
	err := within(ctx, againLimit, func(ctx context.Context) error {
		snap, _ := e.Snapshot(ctx, inventory.Scope{}) // without it only the names are missing
		halted = snap.Halted(o.Details.Stopped)
		return e.Start(ctx, o.Details.Stopped)
	})
	if err != nil {
		o.Details.Halted = o.Details.Stopped
		o.book.Note(fmt.Sprintf("not all containers that were stopped run again: %v; docker start %s", err, strings.Join(o.Details.Stopped, " ")))
		return
	}
	if len(halted) > 0 {
		slices.Sort(halted)
		o.book.Note("started again: " + strings.Join(halted, ", "))
	}
}

// answers is an error if the engine hangs: what else is wrong is reported by the call
// that matters.
func answers(ctx context.Context, e Starter) error {
	return within(ctx, answerLimit, func(ctx context.Context) error {
		_, err := e.Snapshot(ctx, inventory.Scope{})
		if ctx.Err() == nil {
			return nil
		}
		return err
	})
}

func within(ctx context.Context, limit time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return do(ctx)
}
