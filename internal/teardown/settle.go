package teardown

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/trash"
	"github.com/contextcore/ccdestroy/internal/undo"
)

// errStayed is the error of a teardown in which Compose itself saw none.
var errStayed = errors.New("not everything is gone, although Compose exited 0")

// Settler settles interrupted teardowns: it looks at what the pending
// event said would go, and says what the engine shows now. It cannot know what
// else happened in between; details.settled says that the outcome was found later.
func Settler(e Engine, c Containers, open trash.Open) record.Settler {
	return func(ctx context.Context, o *record.Operation) (record.Ended, error) {
		engine, err := e.Describe(ctx)
		if err != nil {
			return record.Ended{}, err
		}
		if err := o.On(engine); err != nil {
			return record.Ended{}, err
		}
		if err := c.Sweep(ctx, o.LockPath()); err != nil {
			return record.Ended{}, err
		}
		snap, err := rested(ctx, e, o.Details.Inventory)
		if err != nil {
			return record.Ended{}, err
		}
		kept := len(o.Details.Kept) > 0
		aside, err := undo.SettleKept(ctx, o, open)
		if err == nil && kept {
			snap, err = e.Snapshot(ctx, inventory.Scope{Images: hasImages(o.Details.Inventory)})
		}
		if err != nil {
			return record.Ended{}, err
		}
		told, err := o.ToldElsewhere()
		if err != nil {
			return record.Ended{}, err
		}
		o.Details.Engine.StableCreated = engine.StableCreated
		v := inventory.Classify(o.Details.Inventory, inventory.Snapshot{}, inventory.After{
			Snapshot: snap, Unseen: true, Interrupted: o.Details.Signal != "", OnlyAsked: o.Name == audit.Prune, Same: aside.Same, Replaced: aside.Replaced,
			Told: told,
		}, nil)
		end := o.Details.Settle(v)
		if !v.Went && end.Outcome != audit.Pending {
			if end.Err = c.Start(ctx, o.Details.Stopped); end.Err == nil {
				end.Again = snap.Halted(o.Details.Stopped)
			}
		}
		return end, nil
	}
}

// rested waits until the engine no longer removes containers of the project,
// for restLimit at most, and lists what it has.
func rested(ctx context.Context, e Engine, inv inventory.Inventory) (inventory.Snapshot, error) {
	began := time.Now()
	for {
		snap, err := e.Snapshot(ctx, inventory.Scope{Images: hasImages(inv)})
		if err != nil || !removing(snap, inv.Project) || time.Since(began) >= restLimit {
			return snap, err
		}
		select {
		case <-ctx.Done():
			return snap, ctx.Err()
		case <-time.After(restPoll):
		}
	}
}

func hasImages(inv inventory.Inventory) bool {
	return slices.ContainsFunc(inv.Resources, func(r inventory.Resource) bool { return r.Kind == inventory.KindImage })
}
