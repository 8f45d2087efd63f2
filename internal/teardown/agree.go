package teardown

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/undo"
)

// Agree refuses what is protected, shows, asks if there is somebody to ask, and
// exports. After a question or an export things may have changed; otherwise it is
// ready unless something was created since the look.
func (r *Run) Agree(ctx context.Context, o *record.Operation, changes []inventory.Change) (ready bool, err error) {
	o.Details.Lift(r.Unprotect)
	if err := r.refuse(o.Details.Inventory); err != nil {
		return false, err
	}
	if r.Still != nil && !r.agreed { // later it is compared with this look
		if err := r.Still(r.before); err != nil {
			return false, err
		}
	}
	o.Details.Unprotected = r.Unprotect
	undo.PlanKeep(ctx, r.Keeper, o, r.before)
	if err := r.Agent.Refuses(o.Details.Inventory, r.Save, r.book.Again("--export", "DIR")); err != nil {
		return false, err
	}
	asked := false
	if !r.agreed || len(changes) > 0 {
		if asked, err = r.confirm(ctx, o, changes); err != nil {
			return false, err
		}
		r.agreed = true
	}
	saved, err := r.secure(ctx, o, changes)
	if err != nil {
		return false, err
	}
	return !asked && !saved && !r.moved(o.Details.Inventory), nil
}

// moved reports whether something may have been created since the look, or
// something else has destroyed what this teardown would. An engine that cannot be
// followed is looked at once more, and no further.
func (r *Run) moved(inv inventory.Inventory) bool {
	seen, asked := r.watch.Seen(), inv.AskedVolumes()
	gone := slices.ContainsFunc(seen.Destroyed, func(name string) bool { return slices.Contains(asked, name) })
	return gone || seen.Moved() || seen.Broken && !r.blind
}

// refuse stops before protected volumes that were not named, and before names
// that match nothing.
func (r *Run) refuse(inv inventory.Inventory) error {
	if err := Known(inv, r.Unprotect); err != nil && !r.agreed { // later it may be gone
		return err
	}
	refused := inv.Refusals(r.Unprotect)
	if len(refused) == 0 {
		return nil
	}
	r.Screen.Inventory(inv, true)
	return Protected(refused, r.book.Again)
}

// Known refuses names of volumes to unprotect that match nothing.
func Known(inv inventory.Inventory, unprotect []string) error {
	if unknown := inv.Unknown(unprotect); len(unknown) > 0 {
		return fault.Usage("ccdestroy inventory", "--unprotect %s: no volume of this teardown has this name or Compose key", strings.Join(unknown, ", "))
	}
	return nil
}

// Protected is the refusal of a teardown that would destroy protected volumes.
// again is the command that was typed, with further flags.
func Protected(volumes []inventory.Resource, again func(flags ...string) string) *fault.Fault {
	by, why, lift, enforced := map[string][]string{}, []string{}, []string{}, false
	for _, v := range volumes {
		if by[v.Protection] == nil {
			why = append(why, v.Protection)
		}
		by[v.Protection] = append(by[v.Protection], v.Name)
		lift, enforced = append(lift, "--unprotect", v.Name), enforced || v.Enforced
	}
	if enforced {
		lift = []string{"--no-volumes"}
	}
	for i, protection := range why {
		why[i] = fmt.Sprintf("protected by %s: volume %s", protection, strings.Join(by[protection], ", "))
	}
	return fault.Refused(again(lift...), "%s", strings.Join(why, "\n"))
}

// confirm asks if there is somebody to ask. If not, what was shown must still
// hold; only an export continues, with what is new.
func (r *Run) confirm(ctx context.Context, o *record.Operation, changes []inventory.Change) (asked bool, err error) {
	inv := o.Details.Inventory
	if r.Confirm != record.Typed || inv.Empty() {
		o.Details.Confirmation = r.Confirm
		if r.Confirm == record.Typed { // nothing to destroy, so nobody is asked
			o.Details.Confirmation = record.Unattended
		}
		if len(changes) > 0 && !r.saving(inv) {
			return false, record.Changed(changes)
		}
		r.Screen.Inventory(inv, false)
		return false, nil
	}
	o.Details.Confirmation = record.Typed
	answer, err := r.Screen.Ask(ctx, Question{Inventory: inv, Changes: changes, Saving: r.saving(inv)})
	switch {
	case err != nil:
		return true, err
	case answer == Typed:
		return true, nil
	case answer == SaveFirst:
		r.Save = true
		return true, nil
	case answer == TimedOut:
		return true, &fault.Fault{Err: errors.New("no answer in time: nothing was destroyed"), Try: r.book.Again("--yes"), Code: fault.ExitDeclined}
	}
	return true, fault.Declined("nothing was destroyed")
}
