package undo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/trash"
)

// Engine is what is asked of the Docker Engine; see package teardown.
type Engine interface {
	Describe(context.Context) (inventory.Engine, error)
	Snapshot(context.Context, inventory.Scope) (inventory.Snapshot, error)
	// CreateVolume makes the volume, or finds one of that name.
	CreateVolume(context.Context, inventory.Volume) (inventory.Volume, error)
	// Sweep removes the helper of a dead operation, whose lock is at this path.
	Sweep(ctx context.Context, lock string) error
}

// Run is one undo.
type Run struct {
	Engine Engine
	Is     inventory.Engine // the engine as it describes itself
	Open   trash.Open
	Book   *record.Book
	Of     audit.Event    // the operation that is undone
	Was    record.Details // of it
	Kept   []record.Kept  // which of its volumes
	As     string         // another name for the one volume, or ""
	Reason string
	Dir    string // working directory, for the record

	Signals <-chan os.Signal

	snap  inventory.Snapshot
	shelf trash.Shelf
	found []trash.Found
	back  []record.Kept

	signal int // that ended it, or 0
}

// Done is how an undo ended.
type Done struct {
	ID      string
	Outcome audit.Outcome
	Back    []record.Kept // volumes that are there again
	Err     error         // why not all of them are
	Code    int           // to exit with
}

// Do looks, records, brings back and records. An error is a *fault.Fault and says
// why nothing was moved.
func (r *Run) Do(ctx context.Context) (Done, error) {
	if r.Was.Engine.ID != r.Is.ID {
		return Done{}, fault.Refused("-H or --context, for the engine "+r.Was.Engine.Host, "the volumes are kept on another engine: %s at %s", r.Was.Engine.Name, r.Was.Engine.Host)
	}
	o, end, unrecorded, err := record.Life{
		Book: r.Book, Operation: audit.Undo, EngineID: r.Is.ID, Project: r.Was.Project, Signals: r.Signals,
		Details: func(d *record.Details) { d.Inventory, d.Why = r.inventory(), r.Reason },
	}.Run(ctx, r)
	if err != nil {
		return Done{}, err
	}
	return Done{ID: o.ID, Outcome: end.Outcome, Back: r.back, Err: end.Why(unrecorded), Code: end.Code(r.signal, unrecorded)}, nil
}

func (r *Run) inventory() inventory.Inventory {
	return inventory.Inventory{Project: r.Was.Project, Engine: r.Is, Dir: cmp.Or(r.Was.Dir, r.Dir)}
}

func (r *Run) name(volume string) string { return cmp.Or(r.As, volume) }

// Look finds what is there under the names of the volumes.
func (r *Run) Look(ctx context.Context) (inv inventory.Inventory, err error) {
	inv = r.inventory()
	r.snap, err = r.Engine.Snapshot(ctx, inventory.Scope{})
	for _, k := range r.Kept {
		inv.Resources = append(inv.Resources, inventory.Resource{Kind: inventory.KindVolume, Name: r.name(k.Name), Fate: inventory.Kept, Reason: "brought back"})
	}
	return inv, err
}

// Agree refuses what would overwrite anything. Nobody is asked: nothing is lost.
func (r *Run) Agree(ctx context.Context, o *record.Operation, _ []inventory.Change) (ready bool, err error) {
	shelf, err := r.Open(ctx, o.LockPath(), nil)
	if err != nil {
		return false, fault.AsFault(err)
	}
	r.shelf = shelf
	var undone []record.Kept
	for _, k := range r.Kept {
		k.Operation, k.As = r.Of.ID, r.As
		undone = append(undone, k)
	}
	out, err := shelf.Do(ctx, trash.Request{Action: trash.DoLocate, Items: itemsOf(undone)})
	if err != nil {
		return false, err
	}
	r.found = out.Found
	if err := r.refuse(); err != nil {
		return false, err
	}
	o.About = []string{} // nothing goes
	o.Details.Undone = undone
	return true, nil
}

// refuse names everything that is in the way at once, and what to do about it.
func (r *Run) refuse() error {
	var gone, taken []string
	for _, f := range r.found {
		name := r.name(f.Volume)
		switch why := r.inTheWay(f); {
		case f.Where == "": // it was not even looked for
			return &fault.Fault{Err: fmt.Errorf("volume %q: %s", f.Volume, f.Error), Try: "ccdestroy trash", Code: fault.ExitFailed}
		case f.Where != trash.InTrash && f.Where != trash.InBoth:
			gone = append(gone, f.Volume)
		case f.Entry == nil:
			return fault.Refused("ccdestroy trash", "volume %q: what is kept of it cannot be read: %s", f.Volume, f.Error)
		case why != "":
			taken = append(taken, fmt.Sprintf("volume %q %s", name, why))
		}
	}
	switch {
	case len(gone) == len(r.found):
		return &fault.Fault{Err: fmt.Errorf("volume %s is not in the trash any more: it was purged, or removed by hand", strings.Join(gone, ", ")), Try: "ccdestroy exports", Code: fault.ExitFailed}
	case len(gone) > 0:
		return &fault.Fault{
			Err: fmt.Errorf("volume %s is not in the trash any more: nothing was brought back", strings.Join(gone, ", ")),
			Try: r.rest(gone), Code: fault.ExitFailed,
		}
	case len(taken) > 0:
		return fault.Refused(r.path(), "nothing was brought back:\n%s", strings.Join(taken, "\n"))
	}
	return nil
}

// inTheWay is why a volume cannot take its name, or "".
func (r *Run) inTheWay(f trash.Found) string {
	is, there := r.snap.Volume(r.name(f.Volume))
	var running []string
	for _, c := range r.snap.Users(r.name(f.Volume)) {
		if c.Runs() {
			running = append(running, c.Name)
		}
	}
	switch {
	case !there:
		return ""
	case is.Driver != "local" || len(is.Options) > 0:
		return "exists, with a driver or options of its own"
	case len(running) > 0:
		return "exists and is in use by " + strings.Join(running, ", ")
	case f.Where == trash.InBoth && !f.Empty:
		return "exists and has content"
	}
	return ""
}

// Act makes the volumes and moves their data in.
//
// A crash before the move leaves empty volumes, and the data in the trash; after
// it, the volumes as they were.
func (r *Run) Act(ctx context.Context, o *record.Operation, signals <-chan os.Signal) record.Ended {
	ctx, cancel := toTheEnd(ctx) // it takes less time than deciding what half of it would mean
	defer cancel()
	if sig, err := r.ready(ctx, signals); err != nil {
		o.Details.Undone = nil
		end := record.Ended{Outcome: audit.Failed, Affected: []string{}, Err: err}
		if sig != nil {
			o.Details.Signal, r.signal = fault.SignalName(sig), fault.SignalNumber(sig)
			end.Outcome, end.Err = audit.Cancelled, fault.StoppedBy(sig, "nothing was brought back: "+err.Error())
		}
		return end
	}
	out, err := r.shelf.Do(ctx, trash.Request{Action: trash.DoPutBack, Items: itemsOf(o.Details.Undone)})
	if err != nil {
		return record.Ended{Outcome: audit.Pending, Affected: []string{}, Err: fmt.Errorf("cannot tell what was brought back: %w", err)}
	}
	end := judge(o, out.Found)
	r.back = o.Details.Undone
	return end
}

// make makes the volumes that are not there, as they were.
func (r *Run) make(ctx context.Context) error {
	for _, f := range r.found {
		v := inventory.Volume{Name: r.name(f.Volume), Driver: "local", Labels: f.Entry.Labels}
		if r.As != "" { // it is not Compose's under another name
			v.Labels = map[string]string{}
			for key, value := range f.Entry.Labels {
				if !strings.HasPrefix(key, "com.docker.") {
					v.Labels[key] = value
				}
			}
		}
		if _, err := r.Engine.CreateVolume(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

// unused makes sure once more that no container works in what is about to be
// replaced.
func (r *Run) unused(ctx context.Context) (err error) {
	if r.snap, err = r.Engine.Snapshot(ctx, inventory.Scope{}); err != nil {
		return err
	}
	for _, f := range r.found {
		f.Where, f.Empty = trash.InTrash, true // the system itself refuses what has content
		if why := r.inTheWay(f); why != "" {
			return fmt.Errorf("volume %q %s", r.name(f.Volume), why)
		}
	}
	return nil
}

// where says where data is that was not brought back.
var where = map[trash.Where]string{
	trash.InTrash: "it is in the trash still", trash.InBoth: "it is in the trash still", trash.Ending: "it is being purged",
	trash.Nowhere: "it is gone", trash.InVolume: "it is gone",
}

// judge says what the places of the data mean, and puts those that are back into
// the details. Where it was cut off, data that has left the trash for a volume is
// back, unless that is empty and it was not: then somebody purged it.
func judge(o *record.Operation, found []trash.Found) record.Ended {
	var errs []error
	back := func(k record.Kept) bool {
		return slices.ContainsFunc(found, func(f trash.Found) bool { return f.Volume == k.Name && isBack(f, k) })
	}
	for i, f := range found {
		if !isBack(f, o.Details.Undone[i]) {
			errs = append(errs, fmt.Errorf("volume %q: %s", f.Volume, cmp.Or(f.Error, where[f.Where])))
		}
	}
	o.Details.Undone = slices.DeleteFunc(slices.Clone(o.Details.Undone), func(k record.Kept) bool { return !back(k) })
	end := record.Ended{Outcome: audit.Success, Affected: []string{}, Err: errors.Join(errs...)}
	switch {
	case len(errs) == 0:
	case len(o.Details.Undone) > 0:
		end.Outcome = audit.Partial
	default:
		end.Outcome = audit.Failed
	}
	return end
}

func isBack(f trash.Found, k record.Kept) bool {
	return f.Acted || f.Where == trash.InVolume && f.Made && !(f.Empty && k.Bytes > 0)
}
