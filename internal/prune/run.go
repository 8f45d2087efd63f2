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
	Signals <-chan os.Signal

	before  inventory.Snapshot
	shown   inventory.Inventory // the last look
	agreed  bool                // what the first look showed
	ours    map[string]bool     // volumes that we had the engine remove
	another map[string]string   // volumes that are not the ones that were shown, with the reason
	verdict inventory.Verdict
	signal  int
}

// Done is how a prune ended.
type Done struct {
	ID      string
	Outcome audit.Outcome
	Verdict inventory.Verdict
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
	if unrecorded != nil {
		unrecorded = fmt.Errorf("the outcome could not be recorded: %w", unrecorded)
	}
	return Done{ID: o.ID, Outcome: end.Outcome, Verdict: r.verdict, Code: record.ExitOf(end.Outcome, r.signal)}, unrecorded
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
		return false, fault.Usage("ccdestroy prune --dry-run", "--unprotect %s: no such volume", unknown[0])
	}
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
	r.ours, r.another = map[string]bool{}, map[string]string{}
	sig, failed := fault.Guard(ctx, signals, func(ctx context.Context) error { return r.remove(ctx, o) })
	if sig != nil {
		o.Details.Signal, r.signal = fault.SignalName(sig), fault.SignalNumber(sig)
		failed = nil
	}
	after, err := r.Engine.Snapshot(context.WithoutCancel(ctx), inventory.Scope{})
	if err != nil {
		return record.Ended{Outcome: audit.Pending, Affected: inv.Going(), Err: fmt.Errorf("cannot tell what was destroyed: %w", err)}
	}
	for i, res := range inv.Resources {
		why := r.another[res.Name]
		if _, there := after.Volume(res.Name); !there && !r.ours[res.Name] {
			why = "another hand removed it first"
		}
		if res.Asked && why != "" {
			inv.Resources[i].Asked, inv.Resources[i].Fate, inv.Resources[i].Reason = false, inventory.Kept, why
		}
	}
	r.verdict = inventory.Classify(inv, r.before, inventory.After{Snapshot: after, Unseen: true, Interrupted: sig != nil, OnlyAsked: true}, nil)
	end := o.Details.Settle(r.verdict)
	end.Err = errors.Join(end.Err, failed)
	return end
}

// remove removes what was shown, as long as it is what it was: the same volume,
// unused, and of no project that another operation is changing. The engine
// refuses one that comes into use in between.
func (r *Run) remove(ctx context.Context, o *record.Operation) error {
	now, err := r.Engine.Snapshot(ctx, inventory.Scope{})
	if err != nil {
		return err
	}
	still := Plan(now, r.Options)
	still.Engine = r.Is
	for _, c := range inventory.Changes(o.Details.Inventory, still) {
		r.another[c.Resource.Name] = "it " + c.Why
	}
	var errs []error
	shown := o.Details.Going()
	for _, name := range still.Going() {
		if r.another[name] != "" || !slices.Contains(shown, name) {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		v, _ := now.Volume(name)
		errs = append(errs, r.removeOne(ctx, o, v))
	}
	return errors.Join(errs...)
}

// removeOne removes a volume while no other operation changes its project, so
// that only one of them claims it. After any other answer than that there was
// none, the engine may have removed it for us.
func (r *Run) removeOne(ctx context.Context, o *record.Operation, v inventory.Volume) error {
	release, free, err := o.TryProject(r.Is.ID, v.Labels[inventory.LabelProject])
	if err != nil || !free {
		return errors.Join(err, fmt.Errorf("volume %q: its project is being changed by another operation", v.Name))
	}
	defer release()
	err = r.Engine.RemoveVolume(ctx, v.Name)
	if errors.Is(err, inventory.ErrGone) {
		return nil
	}
	r.ours[v.Name] = true
	return err
}
