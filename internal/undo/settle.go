package undo

import (
	"context"
	"slices"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/trash"
)

// Settler settles interrupted undos and purges. Of an undo it puts back what
// has a volume without its data, and leaves the rest in the trash, to
// be undone again; it completes a purge that had begun to delete a volume.
func Settler(e Engine, open trash.Open) record.Settler {
	return func(ctx context.Context, o *record.Operation) (end record.Ended, err error) {
		is, err := e.Describe(ctx)
		if err != nil {
			return end, err
		}
		if err := o.On(is); err != nil {
			return end, err
		}
		if err := e.Sweep(ctx, o.LockPath()); err != nil {
			return end, err
		}
		items := itemsOf(slices.Concat(o.Details.Undone, o.Details.Purged))
		if len(items) == 0 {
			return record.Ended{Outcome: audit.Failed, Affected: []string{}}, nil
		}
		shelf, err := open(ctx, o.LockPath(), nil)
		if err != nil {
			return end, err
		}
		out, err := shelf.Do(ctx, trash.Request{Action: trash.DoLocate, Items: items})
		if err != nil {
			return end, err
		}
		if err := finish(ctx, shelf, o.Name, out.Found); err != nil {
			return end, err
		}
		if out, err = shelf.Do(ctx, trash.Request{Action: trash.DoLocate, Items: items}); err != nil {
			return end, err
		}
		if o.Name == audit.Undo {
			return judge(o, out.Found), nil
		}
		return judgePurge(o, out.Found, true), nil
	}
}

// finish completes what cannot stay as it is, and makes durable what may not be:
// the operation may have been killed right after a rename.
func finish(ctx context.Context, shelf trash.Shelf, operation string, found []trash.Found) error {
	items := map[string][]trash.Item{}
	for _, f := range found {
		if action := toFinish(operation, f); action != "" {
			items[action] = append(items[action], f.Item)
		}
	}
	for action, items := range items {
		if _, err := shelf.Do(ctx, trash.Request{Action: action, Items: items}); err != nil {
			return err
		}
	}
	return nil
}

// toFinish is the action that an item needs, or "". Data that a purge did not get to
// stays in the trash: if there is a volume of its name without any, another operation has
// set aside what that held.
func toFinish(operation string, f trash.Found) string {
	switch {
	case f.Where == trash.Ending:
		return trash.DoPurge
	case operation == audit.Undo && f.Where == trash.InTrash && f.Made: // the volume has no _data: no container could use it
		return trash.DoPutBack
	case operation == audit.Undo && f.Where == trash.InVolume: // it is back
		return trash.DoPutBack
	case operation == audit.Purge && (f.Where == trash.InVolume || f.Where == trash.Nowhere): // it is gone
		return trash.DoPurge
	}
	return ""
}

func itemsOf(kept []record.Kept) (items []trash.Item) {
	for _, k := range kept {
		items = append(items, trash.Item{Operation: k.Operation, Volume: k.Name, As: k.As, Swap: true})
	}
	return items
}
