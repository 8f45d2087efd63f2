package prune

import (
	"cmp"
	"context"
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
	// Confirm shows what goes, and asks; an error means that nothing must go.
	Confirm func(context.Context, *record.Operation, []inventory.Change) error
	Keeper  *trash.Keeper // nil destroys for good
	Agent   record.Agent  // that runs this
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
	Err     error         // what stopped it, or why the outcome is not in the log; nil
	Code    int
}

// Do asks, records, removes and records. An error is a *fault.Fault and says why
// nothing was removed, or record.ErrNothing: then there is no trace of it.
func (r *Run) Do(ctx context.Context) (Done, error) {
	if idle, err := r.idle(ctx); idle {
		return Done{}, cmp.Or(err, record.ErrNothing)
	}
	o, end, unrecorded, err := record.Life{
		Book: r.Book, Operation: audit.Prune, Signals: r.Signals,
		Details: func(d *record.Details) { d.Engine, d.Why, d.Unprotected = r.Is, r.Reason, r.Options.Unprotect },
	}.Run(ctx, r)
	if err != nil {
		return Done{}, err
	}
	if r.refused != nil {
		if unrecorded != nil {
			r.Book.Note("not recorded: " + unrecorded.Error())
		}
		return Done{}, r.refused
	}
	return Done{ID: o.ID, Outcome: end.Outcome, Kept: o.Details.Kept, Verdict: r.verdict, Err: end.Why(unrecorded), Code: end.Code(r.signal, unrecorded)}, nil
}

// idle reports whether there is nothing to remove, and shows that. Whatever else is
// in the way comes up again later, and is then recorded.
func (r *Run) idle(ctx context.Context) (idle bool, err error) {
	var inv inventory.Inventory
	sig, err := fault.Guard(ctx, r.Signals, func(ctx context.Context) error {
		s, err := r.Engine.Snapshot(ctx, inventory.Scope{})
		inv = Plan(s, r.Options)
		return err
	})
	if sig != nil {
		return true, fault.StoppedBy(sig, "nothing was removed")
	}
	if err != nil || !inv.Empty() || len(absent(inv, r.Options.Unprotect)) > 0 {
		return false, nil
	}
	inv.Engine = r.Is
	return true, r.Confirm(ctx, &record.Operation{Details: record.Details{Inventory: inv}}, nil)
}

// Look finds what would go.
func (r *Run) Look(ctx context.Context) (inv inventory.Inventory, err error) {
	if r.before, err = r.Engine.Snapshot(ctx, inventory.Scope{}); err != nil {
		return inv, err
	}
	inv = Plan(r.before, r.Options)
	inv.Engine = r.Is
	inv.Engine.StableCreated = true // on old engines too, while nobody writes to a volume
	if r.agreed {
		inv.KeepNew(r.shown)
		r.tellLess(inv)
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

// tellLess reports what was shown to go and will not.
func (r *Run) tellLess(inv inventory.Inventory) {
	going := inv.Going()
	for _, name := range r.shown.Going() {
		if slices.Contains(going, name) {
			continue
		}
		why := "another hand removed it"
		for _, res := range inv.Resources {
			if res.Name == name {
				why = "it stays: " + res.Reason
			}
		}
		r.Book.Note(fmt.Sprintf("volume %s: %s", name, why))
	}
}

// Agree shows and asks.
func (r *Run) Agree(ctx context.Context, o *record.Operation, changes []inventory.Change) (ready bool, err error) {
	if unknown := absent(o.Details.Inventory, r.Options.Unprotect); len(unknown) > 0 && !r.agreed { // later it may be gone
		return false, fault.Usage("ccdestroy prune --dry-run", "--unprotect %s: no such volume", unknown[0])
	}
	undo.PlanKeep(ctx, r.Keeper, o, r.before)
	if err := r.Agent.Refuses(o.Details.Inventory, false, "ask the person you work for to run: "+r.Book.Again()); err != nil {
		return false, err
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
