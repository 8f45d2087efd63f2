package teardown

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// errStayed is what is wrong where Compose itself sees nothing wrong.
var errStayed = errors.New("Compose exited 0, but not everything is gone")

// Settler settles teardowns that were cut off: it looks at what the pending
// event said would go, and says what the engine shows now. It cannot know what
// happened in between by another hand; details.settled says that it was so.
func Settler(e Engine, c Containers) record.Settler {
	return func(ctx context.Context, o *record.Operation) (record.Ended, error) {
		engine, err := e.Describe(ctx)
		if err != nil {
			return record.Ended{}, err
		}
		if engine.ID != o.Details.Engine.ID {
			return record.Ended{}, fmt.Errorf("%w: %s at %s", record.ErrOtherEngine, o.Details.Engine.Name, o.Details.Engine.Host)
		}
		snap, err := rested(ctx, e, o)
		if err != nil {
			return record.Ended{}, err
		}
		o.Details.Engine.StableCreated = engine.StableCreated
		v := inventory.Classify(o.Details.Inventory, inventory.Snapshot{}, inventory.After{Snapshot: snap, Unseen: true, Interrupted: o.Details.Signal != ""}, nil)
		end := o.Details.Settle(v)
		if !v.Went && end.Outcome != audit.Pending {
			end.Err = c.Start(ctx, o.Details.Stopped)
		}
		return end, nil
	}
}

// rested waits until the engine no longer removes containers of the project,
// for restLimit at most, and lists what it has.
func rested(ctx context.Context, e Engine, o *record.Operation) (inventory.Snapshot, error) {
	began, scope := time.Now(), inventory.Scope{Dead: o.LockPath()}
	for _, r := range o.Details.Resources {
		scope.Images = scope.Images || r.Kind == inventory.KindImage
	}
	for {
		snap, err := e.Snapshot(ctx, scope)
		if err != nil || !removing(snap, o.Details.Project) || time.Since(began) >= restLimit {
			return snap, err
		}
		select {
		case <-ctx.Done():
			return snap, ctx.Err()
		case <-time.After(restPoll):
		}
	}
}
