package teardown

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// ErrOtherEngine says that an unfinished operation concerns another engine than
// the one that answers.
var ErrOtherEngine = errors.New("it concerns another engine")

// Reconcile settles one unfinished teardown: it looks at what the pending event
// said would go, and records what the engine shows now. It cannot know what
// happened in between by another hand; details.settled says so.
func Reconcile(ctx context.Context, pending audit.Event, d Daemon, log Recorder, now func() time.Time) (Verdict, error) {
	details, err := ParseDetails(pending)
	if err != nil {
		return Verdict{}, fmt.Errorf("details of %s: %w", pending.ID, err)
	}
	engine, err := d.Describe(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if engine.ID != details.Engine.ID {
		return Verdict{}, fmt.Errorf("%w: %s at %s", ErrOtherEngine, details.Engine.Name, details.Engine.Host)
	}
	images := false
	var known []Volume
	for _, r := range details.Resources {
		images = images || r.Kind == KindImage
		if r.Kind == KindVolume {
			known = append(known, Volume{Name: r.Name})
		}
	}
	snap, err := d.Snapshot(ctx, images)
	if err != nil {
		return Verdict{}, err
	}
	v := Classify(details.Inventory, known, After{Snapshot: snap, StableCreated: d.StableCreated(), Interrupted: details.Signal != ""})
	details.Settle(v)
	if nothingWent(v) {
		if err := d.Start(ctx, details.Stopped); err != nil {
			details.Error = err.Error()
		}
	}
	details.Settled = "reconcile"
	if details.StartedAt == "" {
		details.StartedAt = stamp(pending.Timestamp, time.RFC3339Nano)
	}
	_, err = log.Append(ctx, audit.Event{
		ID: pending.ID, Timestamp: now(), Operation: pending.Operation, Outcome: v.Outcome,
		User: pending.User, Details: details.Encode(), DataAffected: v.Lost, ExportPath: pending.ExportPath,
	}, 0)
	return v, headless(err)
}
