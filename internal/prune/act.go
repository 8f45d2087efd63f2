package prune

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/trash"
	"github.com/contextcore/ccdestroy/internal/undo"
)

// tally is what has become of the volumes that were to go.
type tally struct {
	removed []string          // by us, as the engine said
	left    map[string]string // nothing is done about these, and why: other hands were faster
}

// Act removes, looks again and classifies. A crash in it leaves an unfinished
// operation, which is settled by looking.
func (r *Run) Act(ctx context.Context, o *record.Operation, signals <-chan os.Signal) record.Ended {
	t := &tally{left: map[string]string{}}
	sig, failed := fault.Guard(ctx, signals, func(ctx context.Context) error { return r.remove(ctx, o, t) })
	if sig != nil {
		o.Details.Signal, r.signal = fault.SignalName(sig), fault.SignalNumber(sig)
		failed = nil
	}
	after := inventory.After{Seen: inventory.Seen{Destroyed: t.removed}, Unseen: true, Interrupted: sig != nil}
	var err error
	if after.Snapshot, err = r.Engine.Snapshot(context.WithoutCancel(ctx), inventory.Scope{}); err == nil {
		o.Details.Kept = r.aside
		err = undo.PutBack(r.Keeper, o, &after)
	}
	if err != nil {
		return record.Ended{Outcome: audit.Pending, Affected: o.Details.Going(), Err: fmt.Errorf("cannot tell what was destroyed: %w", errors.Join(err, failed))}
	}
	r.verdict = r.judge(o.Details.Inventory, t, after)
	end := o.Details.Settle(r.verdict)
	end.Err = errors.Join(end.Err, failed)
	return end
}

// judge says what we have done: what others were faster with is not asked any more,
// whatever has become of it.
func (r *Run) judge(inv inventory.Inventory, t *tally, after inventory.After) inventory.Verdict {
	var mine, theirs []inventory.Resource
	for _, res := range inv.Resources {
		if why, left := t.left[res.Name]; left {
			res.Asked, res.Fate, res.Reason = false, inventory.Kept, why
			theirs = append(theirs, res)
			continue
		}
		mine = append(mine, res)
	}
	inv.Engine, inv.Resources = r.Is, mine
	v := inventory.Classify(inv, r.before, after, nil)
	v.Resources = append(v.Resources, theirs...)
	slices.SortFunc(v.Resources, func(a, b inventory.Resource) int { return strings.Compare(a.Name, b.Name) })
	return v
}

// freshFor is how old a look may be when a volume is removed by what it showed.
// Large volumes take their time.
const freshFor = time.Second

// remove removes what was shown, as long as it is what it was: the same volume,
// unused, and of no project that another operation is changing. The engine
// refuses one that comes into use in between.
func (r *Run) remove(ctx context.Context, o *record.Operation, t *tally) error {
	var errs []error
	var still map[string]inventory.Volume
	var looked time.Time
	for i, name := range o.Details.Going() {
		if ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...)
		}
		if still == nil || time.Since(looked) > freshFor {
			var err error
			looked = time.Now()
			if still, err = r.still(ctx, o.Details.Inventory, o.Details.Going()[i:], t); err != nil {
				return errors.Join(append(errs, err)...)
			}
		}
		if v, goes := still[name]; goes {
			errs = append(errs, r.removeOne(ctx, o, v, t))
		}
	}
	return errors.Join(errs...)
}

// still looks which of the volumes are what they were, and still to go. It notes
// the others.
func (r *Run) still(ctx context.Context, inv inventory.Inventory, names []string, t *tally) (map[string]inventory.Volume, error) {
	now, err := r.Engine.Snapshot(ctx, inventory.Scope{})
	if err != nil {
		return nil, err
	}
	going := map[string]inventory.Volume{}
	for _, name := range Plan(now, r.Options).Going() {
		going[name], _ = now.Volume(name)
	}
	inv.Engine = r.Is
	for _, res := range inventory.Classify(inv, r.before, inventory.After{Snapshot: now, Unseen: true}, nil).Resources {
		if !slices.Contains(names, res.Name) || res.Result == inventory.Remained {
			continue
		}
		delete(going, res.Name)
		t.left[res.Name] = "another hand removed it first"
		if res.Result == inventory.Unknown {
			t.left[res.Name] = "it may be another one than was shown"
		}
	}
	return going, nil
}

// removeOne removes a volume while no other operation changes its project, so
// that only one of them claims it.
func (r *Run) removeOne(ctx context.Context, o *record.Operation, v inventory.Volume, t *tally) error {
	release, free, err := o.TryProject(r.Is.ID, v.Labels[inventory.LabelProject])
	switch {
	case err != nil:
		return fmt.Errorf("volume %q: %w", v.Name, err)
	case !free:
		return fmt.Errorf("volume %q: its project is being changed by another operation", v.Name)
	}
	defer release()
	for _, k := range o.Details.Kept {
		if k.Name != v.Name {
			continue
		}
		err := undo.SetAsideOne(ctx, r.Keeper, o, r.Book, v, k)
		if err == nil || errors.Is(err, trash.ErrUnsettled) {
			r.aside = append(r.aside, k)
		}
		if err != nil {
			return fmt.Errorf("volume %q could not be set aside: %w", v.Name, err)
		}
	}
	err = r.Engine.RemoveVolume(ctx, v.Name)
	switch {
	case errors.Is(err, inventory.ErrGone):
		t.left[v.Name] = "another hand removed it first"
		return nil
	case err == nil:
		t.removed = append(t.removed, v.Name)
	}
	return err
}
