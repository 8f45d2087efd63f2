package export

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// Restore brings volumes of an export back.
type Restore struct {
	Setting
	Book    *record.Book
	Export  *archive.Export
	Volumes []archive.Volume
	Options RestoreOptions
	Dir     string // working directory, for the record
	Reason  string
	// Confirm asks whether these volumes may be removed, or says why not.
	Confirm func(context.Context, *record.Operation, []inventory.Change) error
	Signals <-chan os.Signal

	engine  inventory.Engine
	stable  bool // a volume's creation time does not change when it is written to
	access  access
	targets []target
	checked bool  // the archives
	untold  error // why it is unknown what was removed, or nil
	agreed  bool
	done    Done
}

// RestoreOptions are the flags of a restore.
type RestoreOptions struct {
	As          string // another name for the one volume, or ""
	Overwrite   bool   // remove volumes that are in the way
	WithOptions bool   // make volumes with the driver and options of the export, which were shown
	Protect     inventory.Patterns
}

// target is a volume that is to be written.
type target struct {
	from    archive.Volume
	volume  inventory.Volume // as it is to be created, or as it exists
	was     inventory.Volume // what is there
	there   bool             // one of this name is there
	replace bool             // and is removed first
	made    bool             // by us
}

// Done is the result of a restore.
type Done struct {
	ID          string   // of the operation; "" where it is not recorded how it ended
	Volumes     []string // that again hold what the export holds
	Differences []string // what the engine or the file system did not accept
}

// Do checks everything, asks, records, writes, compares and records. An error
// says what was not done.
func (r *Restore) Do(ctx context.Context) (Done, error) {
	sig, err := fault.Guard(ctx, r.Signals, func(ctx context.Context) (err error) {
		r.access.engine = r.Engine
		if r.engine, err = r.Engine.Describe(ctx); err == nil {
			r.access.platform, err = r.Engine.Platform(ctx)
		}
		return err
	})
	if sig != nil {
		err = fault.StoppedBy(sig, "nothing was restored")
	}
	if err != nil {
		return r.done, err
	}
	r.stable, r.engine.StableCreated = r.engine.StableCreated, true // on old engines too, while nobody writes to a volume
	o, end, unrecorded, err := record.Life{
		Book: r.Book, Operation: audit.Restore, EngineID: r.engine.ID, Project: r.Export.Manifest.Project, Signals: r.Signals, Details: r.describe,
		Opened: func(o *record.Operation) { r.access.lock = o.LockPath() },
	}.Run(ctx, r)
	if err != nil {
		return r.done, err
	}
	if unrecorded == nil {
		r.done.ID = o.ID
	}
	err = end.Why(unrecorded)
	if err != nil && end.Outcome == audit.Partial {
		err = &fault.Fault{Err: err, Code: max(fault.AsFault(err).Code, fault.ExitPartial)}
	}
	return r.done, err
}

func (r *Restore) describe(d *record.Details) {
	d.Inventory = inventory.Inventory{Project: r.Export.Manifest.Project, Engine: r.engine, Dir: r.Dir}
	d.Why = r.Reason
}

// Look verifies the archives, once, and finds out what is in the way. It changes
// nothing.
func (r *Restore) Look(ctx context.Context) (inventory.Inventory, error) {
	inv := inventory.Inventory{Project: r.Export.Manifest.Project, Engine: r.engine, Dir: r.Dir}
	if err := r.check(ctx); err != nil {
		return inv, err
	}
	snap, err := r.Engine.Snapshot(ctx, inventory.Scope{})
	if err != nil {
		return inv, err
	}
	r.targets = nil
	var obstacles []obstacle
	var going []inventory.Volume
	for _, v := range r.Volumes {
		t := target{from: v, volume: r.volume(v)}
		if is, there := snap.Volume(t.volume.Name); there {
			found, err := r.inTheWay(ctx, &t, is, snap)
			if err != nil {
				return inv, err
			}
			obstacles = append(obstacles, found...)
			res := r.Options.Protect.Resource(is)
			res.Fate = inventory.Kept
			if t.replace {
				res.Asked, res.Fate = true, inventory.Removed
				res.UsedBy = names(snap.Users(is.Name))
				going = append(going, is)
			}
			inv.Resources = append(inv.Resources, res)
		}
		r.targets = append(r.targets, t)
	}
	if len(obstacles) > 0 {
		return inv, r.refusal(obstacles)
	}
	r.measure(ctx, &inv, going)
	return inv, nil
}

// sizesLimit is how long finding out the sizes of what is replaced may take.
const sizesLimit = 10 * time.Second

// measure tells how much is lost with the volumes that are replaced.
func (r *Restore) measure(ctx context.Context, inv *inventory.Inventory, going []inventory.Volume) {
	if len(going) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, sizesLimit)
	defer cancel()
	sizes := r.Engine.Measure(ctx, going)
	for i, res := range inv.Resources {
		if size, known := sizes[res.Name]; known && res.Fate == inventory.Removed {
			inv.Resources[i].Size = &size
		}
	}
}

func names(containers []inventory.Container) (out []string) {
	for _, c := range containers {
		out = append(out, c.Name)
	}
	return out
}

func (r *Restore) check(ctx context.Context) error {
	for _, v := range r.Volumes {
		if r.checked {
			return nil
		}
		if err := r.Export.Check(ctx, v); err != nil {
			return fault.Refused(fault.Command("ccdestroy", "exports", "check", r.Export.Dir), "nothing was restored: %w", err)
		}
	}
	r.checked = true
	return ctx.Err()
}

// Agree asks before volumes are removed.
func (r *Restore) Agree(ctx context.Context, o *record.Operation, changes []inventory.Change) (ready bool, err error) {
	o.ExportPath = r.Export.Dir
	o.Details.Restored = nil
	for _, t := range r.targets {
		o.Details.Restored = append(o.Details.Restored, record.Restored{Name: t.volume.Name, From: t.from.Name, Replaced: t.replace})
	}
	replaces := slices.ContainsFunc(r.targets, func(t target) bool { return t.replace })
	if !replaces || r.agreed && len(changes) == 0 {
		return true, nil
	}
	r.agreed = true
	if err := r.Confirm(ctx, o, changes); err != nil {
		return false, err
	}
	return o.Details.Confirmation != record.Typed, nil // nobody was waited for
}

// Act writes and compares. A crash in it leaves a volume half written, or none
// where one was removed; reconcile compares.
func (r *Restore) Act(ctx context.Context, o *record.Operation, signals <-chan os.Signal) record.Ended {
	lost, all := []string{}, false
	progress := r.Progress()
	var sum int64
	for _, t := range r.targets {
		sum += t.from.Archive.TarSize
	}
	progress.Begin(len(r.targets), sum)
	sig, err := fault.Guard(ctx, signals, func(ctx context.Context) error {
		for i := range r.targets {
			gone, err := r.one(ctx, &r.targets[i], progress)
			if gone {
				lost = append(lost, r.targets[i].volume.Name)
			}
			if err != nil {
				return fmt.Errorf("restore %q: %w", r.targets[i].volume.Name, err)
			}
		}
		all = true
		return nil
	})
	progress.Wait()
	if sig != nil {
		o.Details.Signal = fault.SignalName(sig)
	}
	if r.untold != nil {
		return record.Ended{Outcome: audit.Pending, Affected: lost, Err: r.untold}
	}
	for i, res := range o.Details.Resources {
		if slices.Contains(lost, res.Name) {
			o.Details.Resources[i].Result = inventory.Gone
			if res.Size != nil {
				o.Details.LostBytes += res.Size.Bytes
			}
		}
	}
	end := record.Ended{Affected: lost}
	switch {
	case all && len(r.done.Differences) > 0:
		end.Outcome, o.Details.Remaining = audit.Partial, r.done.Differences
	case all: // before the signal had any effect, if there was one
		end.Outcome = audit.Success
	case sig != nil:
		end.Outcome = audit.Cancelled
		end.Err = fault.StoppedBy(sig, fmt.Sprintf("%d of %d volumes were restored", len(r.done.Volumes), len(r.targets)))
	default:
		end.Outcome, end.Err = audit.Failed, err
	}
	if end.Err != nil && len(r.done.Volumes)+len(lost) > 0 {
		end.Outcome = audit.Partial
	}
	return end
}
