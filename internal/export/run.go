package export

import (
	"context"
	"os"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

const noExport = "there is no export"

// Run is one audited export that no teardown follows.
type Run struct {
	Writer
	Place   record.Place
	Select  Select
	Pause   bool // stop the containers that use them, and start them again
	Reason  string
	Signals <-chan os.Signal
	Project string // found by Do
	Log     string // found by Do: the log that it is recorded in

	volumes []inventory.Volume
	saved   record.Export
}

// Select finds what is to be exported now: the project, the volumes as the
// record has them, and as the engine does.
type Select func(context.Context) (inventory.Inventory, []inventory.Volume, error)

// Do records, exports and records. An error is a *fault.Fault, or ErrNothing.
func (r *Run) Do(ctx context.Context) (record.Export, error) {
	// Which project it is decides which log and which lock to take, and is found out
	// by a look of its own.
	var inv inventory.Inventory
	sig, err := fault.Guard(ctx, r.Signals, func(ctx context.Context) (err error) {
		inv, r.volumes, err = r.Select(ctx)
		return err
	})
	r.Project = inv.Project
	switch {
	case sig != nil:
		return r.saved, fault.StoppedBy(sig, noExport)
	case err != nil:
		return r.saved, err
	case len(r.volumes) == 0:
		return r.saved, record.ErrNothing // and it leaves no trace
	}
	l := record.Life{
		Book: r.Place.In(inv.Dir), Operation: audit.Export, EngineID: inv.Engine.ID, Signals: r.Signals,
		Details: func(d *record.Details) { d.Inventory, d.Why = inv, r.Reason },
	}
	r.Log = l.Book.Log.Path
	if r.Pause {
		l.Project = inv.Project
	}
	_, end, unrecorded, err := l.Run(ctx, r)
	if err != nil {
		return r.saved, err
	}
	return r.saved, end.Why(unrecorded)
}

// Look finds the volumes.
func (r *Run) Look(ctx context.Context) (inv inventory.Inventory, err error) {
	inv, r.volumes, err = r.Select(ctx)
	return inv, err
}

// Agree notes what runs, and where the export will lie. Nobody is asked, since
// nothing goes.
func (r *Run) Agree(ctx context.Context, o *record.Operation, _ []inventory.Change) (ready bool, err error) {
	if len(r.volumes) == 0 {
		return false, record.ErrNothing
	}
	if r.Pause {
		snap, err := r.Engine.Snapshot(ctx, inventory.Scope{})
		if err != nil {
			return false, err
		}
		var names []string
		for _, v := range r.volumes {
			names = append(names, v.Name)
		}
		o.Details.Stopped = snap.RunningOf(func(c inventory.Container) bool { return c.Refers(names...) })
	}
	o.Abandoned = func() {
		r.Drop()
		o.ExportPath = ""
	}
	o.ExportPath, err = r.Begin(o.Details.Inventory)
	return true, err
}

// Act stops, exports, and starts again. A crash in it leaves containers stopped
// that the pending event names, and half an export that is named as one.
func (r *Run) Act(ctx context.Context, o *record.Operation, signals <-chan os.Signal) record.Ended {
	var stopping, stopped, finished bool
	sig, err := fault.Guard(ctx, signals, func(ctx context.Context) (err error) {
		err = r.Save(ctx, o.LockPath(), o.Details.Inventory, r.volumes, func(ctx context.Context) error {
			stopping = true
			err := r.Engine.Stop(ctx, o.Details.Stopped)
			stopped = err == nil
			return err
		})
		if err == nil {
			r.saved, err = r.Finish(ctx, o.ID)
		}
		finished = err == nil
		return err
	})
	if !finished {
		o.Abandon() // what it takes is given back before the services start again
	}
	if stopping {
		o.StartAgain(ctx, r.Engine, !stopped)
	}
	if sig != nil {
		o.Details.Signal = fault.SignalName(sig)
	}
	switch {
	case finished: // before the signal had any effect, if there was one
		o.Details.Export = &r.saved
		return record.Ended{Outcome: audit.Success}
	case sig != nil:
		return record.Ended{Outcome: audit.Cancelled, Err: fault.StoppedBy(sig, noExport)}
	}
	return record.Ended{Outcome: audit.Failed, Err: err}
}
