package undo

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
)

// Purge deletes entries of the trash for good.
type Purge struct {
	Is     inventory.Engine
	Open   trash.Open
	Book   *record.Book
	Meant  func(trash.Found) bool // which entries
	Reason string
	// Confirm shows what goes, and asks; an error means that nothing must go.
	Confirm func(context.Context, *record.Operation) error
	Signals <-chan os.Signal

	shelf  trash.Shelf
	shown  []record.Kept // that were agreed to
	agreed bool
	gone   []record.Kept
	signal int
}

// Do asks, records, deletes and records. An error is a *fault.Fault and says why
// nothing was deleted, or record.ErrNothing.
func (p *Purge) Do(ctx context.Context) (Done, error) {
	o, end, unrecorded, err := record.Life{
		Book: p.Book, Operation: audit.Purge, Signals: p.Signals,
		Details: func(d *record.Details) { d.Engine, d.Why = p.Is, p.Reason },
	}.Run(ctx, p)
	if err != nil {
		return Done{}, err
	}
	return Done{ID: o.ID, Outcome: end.Outcome, Back: p.gone, Err: end.Why(unrecorded), Code: end.Code(p.signal, unrecorded)}, nil
}

// Look has nothing to show of the engine: what goes is in the trash.
func (p *Purge) Look(context.Context) (inventory.Inventory, error) {
	return inventory.Inventory{Engine: p.Is}, nil
}

// Agree finds what goes, shows it, and asks. What was added in the meantime stays.
func (p *Purge) Agree(ctx context.Context, o *record.Operation, _ []inventory.Change) (ready bool, err error) {
	shelf, err := p.Open(ctx, o.LockPath(), nil)
	if err != nil {
		return false, err
	}
	p.shelf = shelf
	out, err := shelf.Do(ctx, trash.Request{Action: trash.DoList})
	if err != nil {
		return false, err
	}
	o.Details.Purged = nil
	for _, f := range out.Held {
		k := KeptOf(f)
		switch {
		case !p.Meant(f) || p.agreed && !slices.Contains(p.shown, k):
		case record.AtWork(p.Book.Log, f.Operation): // its volume may stay, and gets this back
			p.Book.Note(fmt.Sprintf("volume %s of %s is not purged: the operation is at work", f.Volume, f.Operation))
		default:
			o.Details.Purged = append(o.Details.Purged, k)
		}
	}
	o.About = []string{}
	for _, k := range o.Details.Purged {
		o.About = append(o.About, k.Name)
		o.Details.Resources = append(o.Details.Resources, inventory.Resource{Kind: inventory.KindVolume, Name: k.Name, Asked: true, Fate: inventory.Removed, Reason: "set aside by " + k.Operation})
	}
	if len(o.Details.Purged) == 0 {
		return false, record.ErrNothing
	}
	if p.agreed {
		return true, nil
	}
	p.agreed, p.shown = true, o.Details.Purged
	if err := p.Confirm(ctx, o); err != nil {
		return false, err
	}
	return o.Details.Confirmation != record.Typed, nil
}

// KeptOf is an entry of the trash as a record has it.
func KeptOf(f trash.Found) record.Kept {
	k := record.Kept{Name: f.Volume, Operation: f.Operation}
	if f.Entry != nil {
		k.Until, k.Bytes = f.Entry.Until.UTC().Format(time.RFC3339), f.Entry.Bytes
	}
	return k
}

// Act deletes. A crash in it leaves some of the data of one volume under another
// name, so that it is not taken for the whole and brought back.
func (p *Purge) Act(ctx context.Context, o *record.Operation, signals <-chan os.Signal) record.Ended {
	out, sig, err := p.delete(ctx, itemsOf(o.Details.Purged), signals)
	if sig != nil {
		o.Details.Signal, p.signal = fault.SignalName(sig), fault.SignalNumber(sig)
	}
	switch {
	case err != nil && sig != nil:
		end := p.cutOff(ctx, o, sig, err)
		if end.Outcome != audit.Pending {
			p.gone = o.Details.Purged
		}
		return end
	case err != nil:
		return record.Ended{Outcome: audit.Pending, Affected: o.About, Err: fmt.Errorf("cannot tell what was purged: %w", err)}
	}
	end := judgePurge(o, out.Found, false)
	p.gone = o.Details.Purged
	return end
}

// judgePurge says what the places of the data mean. Data that is neither in the
// trash nor half deleted is gone; something else removed it if this purge was not
// interrupted and did not do it.
func judgePurge(o *record.Operation, found []trash.Found, settling bool) record.Ended {
	end := record.Ended{Outcome: audit.Success, Affected: []string{}}
	var purged []record.Kept
	var errs []error
	for i, k := range o.Details.Purged {
		f := found[i]
		result := inventory.Remained
		switch f.Where {
		case trash.InVolume, trash.Nowhere:
			if !f.Acted && !settling { // something else was faster
				continue
			}
			result = inventory.Gone
			purged, end.Affected = append(purged, k), append(end.Affected, k.Name)
		case trash.InTrash, trash.InBoth, trash.Ending:
			if f.Error != "" {
				errs = append(errs, fmt.Errorf("volume %q: %s", k.Name, f.Error))
			} else {
				errs = append(errs, fmt.Errorf("volume %q is in the trash still", k.Name))
			}
		}
		for j, r := range o.Details.Resources {
			if r.Name == k.Name && r.Reason == "set aside by "+k.Operation {
				o.Details.Resources[j].Result = result
			}
		}
	}
	o.Details.Purged = purged
	end.Err = errors.Join(errs...)
	switch {
	case len(errs) == 0:
	case len(purged) > 0:
		end.Outcome = audit.Partial
	default:
		end.Outcome = audit.Failed
	}
	return end
}
