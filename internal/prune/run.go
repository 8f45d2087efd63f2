package prune

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/trash"
	"github.com/contextcore/ccdestroy/internal/undo"
)

// Engine is what is asked of the Docker Engine; see package teardown.
type Engine interface {
	Snapshot(context.Context, inventory.Scope) (inventory.Snapshot, error)
	Measure(context.Context, []inventory.Volume) map[string]inventory.Size
	// RemoveVolume removes a volume; inventory.ErrGone says that there was none.
	RemoveVolume(ctx context.Context, name string) error
}

// Run is one audited prune.
type Run struct {
	Engine  Engine
	Is      inventory.Engine // that it is
	Book    *record.Book
	Options Options
	Reason  string
	Budget  time.Duration // for sizes
	// Confirm shows what goes, and asks; an error says that nothing shall go.
	Confirm func(context.Context, *record.Operation, []inventory.Change) error
	Keeper  *trash.Keeper // nil destroys for good
	Signals <-chan os.Signal

	refused *fault.Fault // why nothing was removed after all
	// unsettled: some was set aside and could not be put back.
	unsettled bool
	before    inventory.Snapshot
	shown     inventory.Inventory // the last look
	agreed    bool                // what the first look showed
	verdict   inventory.Verdict
	signal    int
}

// Done is how a prune ended.
type Done struct {
	ID      string
	Outcome audit.Outcome
	Verdict inventory.Verdict
	Kept    []record.Kept // what is set aside now
	Code    int
}

// Do asks, records, removes and records. An error is a *fault.Fault and says why
// nothing was removed, or record.ErrNothing.
func (r *Run) Do(ctx context.Context) (Done, error) {
	o, end, unrecorded, err := record.Life{
		Book: r.Book, Operation: audit.Prune, Signals: r.Signals,
		Details: func(d *record.Details) { d.Engine, d.Why, d.Unprotected = r.Is, r.Reason, r.Options.Unprotect },
	}.Run(ctx, r)
	if err != nil {
		return Done{}, err
	}
	if r.refused != nil {
		return Done{}, r.refused
	}
	if unrecorded != nil {
		unrecorded = fmt.Errorf("the outcome could not be recorded: %w", unrecorded)
	}
	return Done{ID: o.ID, Outcome: end.Outcome, Kept: o.Details.Kept, Verdict: r.verdict, Code: record.ExitOf(end.Outcome, r.signal)}, unrecorded
}

// Look finds what would go.
func (r *Run) Look(ctx context.Context) (inv inventory.Inventory, err error) {
	if r.before, err = r.Engine.Snapshot(ctx, inventory.Scope{}); err != nil {
		return inv, err
	}
	inv = Plan(r.before, r.Options)
	inv.Engine = r.Is
	if r.agreed {
		inv.KeepNew(r.shown)
	}
	r.shown = inv
	going := inv.Going()
	var volumes []inventory.Volume
	for _, v := range r.before.Volumes {
		if slices.Contains(going, v.Name) {
			volumes = append(volumes, v)
		}
	}
	if len(volumes) == 0 {
		return inv, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.Budget)
	defer cancel()
	known := r.Engine.Measure(ctx, volumes)
	for i, res := range inv.Resources {
		if size, ok := known[res.Name]; ok {
			inv.Resources[i].Size = &size
		}
	}
	return inv, nil
}

// Agree shows and asks.
func (r *Run) Agree(ctx context.Context, o *record.Operation, changes []inventory.Change) (ready bool, err error) {
	if unknown := o.Details.Unknown(r.Options.Unprotect); len(unknown) > 0 {
		return false, fault.Usage("ccdestroy prune --dry-run", "--unprotect %s: there is no such volume", unknown[0])
	}
	undo.PlanKeep(ctx, r.Keeper, o, r.before)
	if r.agreed && len(changes) == 0 {
		return true, nil
	}
	r.agreed = true
	if err := r.Confirm(ctx, o, changes); err != nil {
		return false, err
	}
	if o.Details.Empty() {
		return false, record.ErrNothing
	}
	return o.Details.Confirmation != record.Typed, nil
}

// Act removes, looks again and classifies. A crash in it leaves an unfinished
// operation, which is settled by looking.
func (r *Run) Act(ctx context.Context, o *record.Operation, signals <-chan os.Signal) record.Ended {
	inv := o.Details.Inventory
	foreign := map[string]bool{} // that another hand was faster with
	var aside inventory.After
	sig, failed := fault.Guard(ctx, signals, func(ctx context.Context) error { return r.remove(ctx, o, foreign) })
	if sig != nil {
		o.Details.Signal, r.signal = fault.SignalName(sig), fault.SignalNumber(sig)
		failed = nil
	}
	if r.unsettled {
		return record.Ended{Outcome: audit.Pending, Affected: inv.Going(), Err: failed}
	}
	after, err := r.Engine.Snapshot(context.WithoutCancel(ctx), inventory.Scope{})
	aside.Snapshot = after
	if err == nil {
		err = undo.PutBack(r.Keeper, o, &aside)
	}
	if err != nil {
		return record.Ended{Outcome: audit.Pending, Affected: inv.Going(), Err: fmt.Errorf("cannot tell what was destroyed: %w", err)}
	}
	for i, res := range inv.Resources {
		if foreign[res.Name] {
			inv.Resources[i].Asked, inv.Resources[i].Fate, inv.Resources[i].Reason = false, inventory.Kept, "another hand removed it first"
		}
	}
	r.verdict = inventory.Classify(inv, r.before, inventory.After{
		Snapshot: after, Unseen: true, Interrupted: sig != nil, Same: aside.Same, Replaced: aside.Replaced,
	}, nil)
	end := o.Details.Settle(withoutForeign(&r.verdict, foreign))
	end.Err = errors.Join(end.Err, failed)
	return end
}

// withoutForeign takes what others removed off what we did.
func withoutForeign(v *inventory.Verdict, foreign map[string]bool) inventory.Verdict {
	for i, res := range v.Resources {
		if foreign[res.Name] {
			if res.Size != nil && res.Result != inventory.Remained {
				v.LostBytes -= res.Size.Bytes
			}
			v.Resources[i].Result = ""
		}
	}
	v.Lost = slices.DeleteFunc(v.Lost, func(name string) bool { return foreign[name] })
	v.Went = len(v.Lost) > 0
	return *v
}

// remove removes what was shown, as long as it is what it was: the same volume,
// unused, and of no project that another operation is changing. The engine
// refuses one that comes into use in between.
func (r *Run) remove(ctx context.Context, o *record.Operation, foreign map[string]bool) error {
	now, err := r.Engine.Snapshot(ctx, inventory.Scope{})
	if err != nil {
		return err
	}
	still := Plan(now, r.Options)
	still.Engine = r.Is
	changed := map[string]bool{}
	for _, c := range inventory.Changes(o.Details.Inventory, still) {
		changed[c.Resource.Name] = true
	}
	for _, name := range o.Details.Going() {
		if _, there := now.Volume(name); !there {
			foreign[name] = true
		}
	}
	todo, release, errs := r.claim(o, now, still, changed)
	defer release()
	if err := r.setAside(ctx, o, todo, now); err != nil {
		return err
	}
	for _, v := range todo {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		errs = append(errs, r.removeOne(ctx, v, foreign))
	}
	return errors.Join(errs...)
}

// claim finds the volumes that may go, and takes the locks of their projects, so
// that only one operation claims them.
func (r *Run) claim(o *record.Operation, now inventory.Snapshot, still inventory.Inventory, changed map[string]bool) (todo []inventory.Volume, release func(), errs []error) {
	held := map[string]func(){}
	shown := o.Details.Going()
	for _, name := range still.Going() {
		if changed[name] || !slices.Contains(shown, name) {
			continue
		}
		v, _ := now.Volume(name)
		project := v.Labels[inventory.LabelProject]
		if held[project] == nil {
			free, ok, err := o.TryProject(r.Is.ID, project)
			if err != nil || !ok {
				errs = append(errs, err, fmt.Errorf("volume %q: its project is being changed by another operation", name))
				continue
			}
			held[project] = free
		}
		todo = append(todo, v)
	}
	return todo, func() {
		for _, free := range held {
			free()
		}
	}, errs
}

// setAside sets aside what is about to be removed, as far as it can be kept.
func (r *Run) setAside(ctx context.Context, o *record.Operation, todo []inventory.Volume, now inventory.Snapshot) error {
	going := func(k record.Kept) bool {
		return slices.ContainsFunc(todo, func(v inventory.Volume) bool { return v.Name == k.Name })
	}
	o.Details.Kept = slices.DeleteFunc(slices.Clone(o.Details.Kept), func(k record.Kept) bool { return !going(k) })
	end, told := undo.SetAside(ctx, r.Keeper, o, r.Book, now)
	if told != nil {
		r.refused, r.unsettled = told, end.Outcome == audit.Pending
		return told
	}
	return nil
}

// removeOne removes a volume.
func (r *Run) removeOne(ctx context.Context, v inventory.Volume, foreign map[string]bool) error {
	err := r.Engine.RemoveVolume(ctx, v.Name)
	if errors.Is(err, inventory.ErrGone) {
		foreign[v.Name] = true
		return nil
	}
	return err
}
