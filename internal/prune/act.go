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
	"github.com/contextcore/ccdestroy/internal/undo"
)

// tally is what happened to the volumes that were to go.
type tally struct {
	tried   map[string]bool   // the engine was asked to remove these, and did not say that they were gone
	removed []string          // by us, as the engine said
	left    map[string]string // nothing is done about these, and why: something else was faster
	open    error             // why it is not known yet what the engine removed, or nil
}

// Act removes, looks again and classifies. A crash in it leaves an unfinished
// operation, which is settled by looking, and by putting back what was set aside.
func (r *Run) Act(ctx context.Context, o *record.Operation, signals <-chan os.Signal) record.Ended {
	t := &tally{tried: map[string]bool{}, left: map[string]string{}}
	sig, failed := fault.Guard(ctx, signals, func(ctx context.Context) error { return r.remove(ctx, o, t) })
	if sig != nil {
		o.Details.Signal, r.signal = fault.SignalName(sig), fault.SignalNumber(sig)
		failed = t.open
	}
	if r.unsettled || t.open != nil {
		return record.Ended{Outcome: audit.Pending, Affected: o.Details.Going(), Err: failed}
	}
	var after inventory.After
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookLimit)
	defer cancel()
	snapshot, err := r.Engine.Snapshot(ctx, inventory.Scope{})
	if after.Snapshot = snapshot; err == nil {
		err = undo.PutBack(r.Keeper, o, &after)
	}
	if err != nil {
		return record.Ended{Outcome: audit.Pending, Affected: o.Details.Going(), Err: fmt.Errorf("cannot tell what was destroyed: %w", errors.Join(err, failed))}
	}
	after.Seen, after.Unseen, after.Interrupted, after.OnlyAsked = inventory.Seen{Destroyed: t.removed}, true, sig != nil, true
	r.verdict = r.judge(o.Details.Inventory, t, after)
	end := o.Details.Settle(r.verdict)
	end.Err = errors.Join(end.Err, failed)
	return end
}

// lookLimit is how long the last look may take, which a signal does not stop.
const lookLimit = 30 * time.Second

const byAnother = "another hand removed it first"

// judge says what we have done: what something else removed first no longer counts as
// asked for, whatever happened to it.
func (r *Run) judge(inv inventory.Inventory, t *tally, after inventory.After) inventory.Verdict {
	var mine, theirs []inventory.Resource
	for _, res := range inv.Resources {
		why, left := t.left[res.Name]
		if !left && res.Asked && !t.tried[res.Name] && r.lost(res, after) {
			why, left = byAnother, true
		}
		if left {
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

// lost reports whether a volume is certainly gone.
func (r *Run) lost(res inventory.Resource, after inventory.After) bool {
	is, there := after.Snapshot.Volume(res.Name)
	if !there || slices.Contains(after.Same, res.Name) {
		return !there
	}
	replaced, _ := inventory.Replaced(res, is.Resource(), r.Is)
	return replaced || slices.Contains(after.Replaced, res.Name)
}

// freshFor is how old a look may be for a volume to be removed by what it showed.
// Large volumes take a long time.
const freshFor = time.Second

// remove removes what was shown, as long as it is what it was: the same volume,
// unused, and of no project that another operation is changing. The engine
// refuses one that comes into use in between.
func (r *Run) remove(ctx context.Context, o *record.Operation, t *tally) error {
	c := claims{run: r, operation: o, held: map[string]func(){}}
	defer c.release()
	aside, errs, err := r.setAside(ctx, o, &c, t)
	if err != nil {
		return err
	}
	still, looked := aside, time.Now()
	for i, name := range o.Details.Going() {
		if ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...)
		}
		if aside == nil && (still == nil || time.Since(looked) > freshFor) {
			looked = time.Now()
			if still, err = r.still(ctx, o.Details.Inventory, o.Details.Going()[i:], t); err != nil {
				return errors.Join(append(errs, err)...)
			}
		}
		if v, goes := still[name]; goes {
			errs = append(errs, r.removeOne(ctx, v, &c, t))
		}
	}
	return errors.Join(errs...)
}

// setAside sets aside what is about to be removed, as far as it is to be kept and
// nothing else claims it, and says why others stay. It returns what may then go, or
// nil if nothing is kept: a later look would say of what was moved that it is
// another one.
func (r *Run) setAside(ctx context.Context, o *record.Operation, c *claims, t *tally) (still map[string]inventory.Volume, claimed []error, err error) {
	if len(o.Details.Kept) == 0 {
		return nil, nil, nil
	}
	if still, err = r.still(ctx, o.Details.Inventory, o.Details.Going(), t); err != nil {
		return nil, nil, err
	}
	for name, v := range still {
		if err := c.take(v); err != nil {
			claimed = append(claimed, err)
			delete(still, name)
		}
	}
	o.Details.Kept = slices.DeleteFunc(slices.Clone(o.Details.Kept), func(k record.Kept) bool {
		_, goes := still[k.Name]
		return !goes
	})
	end, told := undo.SetAside(ctx, r.Keeper, o, r.Book, r.before)
	if told != nil {
		r.refused, r.unsettled = told, end.Outcome == audit.Pending
		return nil, nil, told
	}
	return still, claimed, nil
}

// still finds out which of the volumes are what they were, and still to go. It notes
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
		t.left[res.Name] = byAnother
		if res.Result == inventory.Unknown {
			t.left[res.Name] = "it may be another one than was shown"
		}
	}
	return going, nil
}

// removeOne removes a volume, if only we claim it.
func (r *Run) removeOne(ctx context.Context, v inventory.Volume, c *claims, t *tally) error {
	if err := c.take(v); err != nil {
		return err
	}
	err := r.Engine.RemoveVolume(ctx, v.Name)
	if errors.Is(err, inventory.ErrGone) {
		t.left[v.Name] = byAnother
		return nil
	}
	if errors.Is(err, inventory.ErrUnanswered) {
		t.open = err
	}
	if t.tried[v.Name] = true; err == nil {
		t.removed = append(t.removed, v.Name)
	}
	return err
}

// claims are the projects that no other operation changes until we are done, so
// that of two operations only one claims a volume.
type claims struct {
	run       *Run
	operation *record.Operation
	held      map[string]func()
}

// take claims the project of a volume.
func (c *claims) take(v inventory.Volume) error {
	project := v.Labels[inventory.LabelProject]
	if c.held[project] != nil {
		return nil
	}
	release, free, err := c.operation.TryProject(c.run.Is.ID, project)
	switch {
	case err != nil:
		return fmt.Errorf("volume %q: %w", v.Name, err)
	case !free:
		return fmt.Errorf("volume %q: its project is being changed by another operation", v.Name)
	}
	c.held[project] = release
	return nil
}

func (c *claims) release() {
	for _, release := range c.held {
		release()
	}
}
