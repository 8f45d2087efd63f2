package export

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// Run is one audited export that no teardown follows.
type Run struct {
	Writer
	Entry     teardown.Entry
	Inventory teardown.Inventory // what the record says of the volumes
	Volumes   []teardown.Volume
	Pause     bool // stop the containers that use them, and start them again
	Signals   <-chan os.Signal
}

// Do records, exports and records. An error is a *teardown.Fault.
func (r *Run) Do(ctx context.Context) (teardown.Export, error) {
	var saved teardown.Export
	snap, err := r.Engine.Snapshot(ctx, false)
	if err != nil {
		return saved, err
	}
	r.Entry.Details.Inventory = r.Inventory
	if r.Pause {
		var names []string
		for _, v := range r.Volumes {
			names = append(names, v.Name)
		}
		r.Entry.Details.Stopped = teardown.RunningOf(snap, func(c teardown.Container) bool { return mounts(c, names) })
	}
	if r.Entry.ExportPath, err = r.Begin(r.Inventory); err != nil {
		return saved, err
	}
	if err := r.Entry.Pend(ctx, nil); err != nil {
		r.draft.Drop()
		return saved, err
	}
	// A crash from here on leaves containers stopped that the pending event
	// names, and half an export that is called so.
	sig, err := teardown.Guard(ctx, r.Signals, func(ctx context.Context) (err error) {
		saved, err = r.Save(ctx, r.Entry.ID, r.Inventory, r.Volumes, func(ctx context.Context) error {
			return r.Engine.Stop(ctx, r.Entry.Details.Stopped)
		})
		return err
	})
	if err := r.Engine.Start(context.WithoutCancel(ctx), r.Entry.Details.Stopped); err != nil {
		r.Note(fmt.Sprintf("not all containers that the export stopped run again: %v", err))
	}
	return saved, r.end(ctx, saved, sig, err)
}

func (r *Run) end(ctx context.Context, saved teardown.Export, sig os.Signal, err error) error {
	outcome := audit.Success
	switch {
	case sig != nil:
		outcome = audit.Cancelled
		err = teardown.StoppedBy(sig, "there is no export")
		r.Entry.Details.Signal = teardown.SignalName(sig)
	case err != nil:
		outcome = audit.Failed
	default:
		r.Entry.Details.Export = &saved
	}
	if err != nil {
		r.Entry.Details.Error = err.Error()
		r.Entry.ExportPath = ""
	}
	if recorded := r.Entry.End(ctx, outcome, nil); recorded != nil {
		err = errors.Join(err, fmt.Errorf("the outcome could not be recorded: %w", recorded))
	}
	return err
}
