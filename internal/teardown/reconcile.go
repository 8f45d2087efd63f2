package teardown

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// ErrOtherEngine says that an unfinished operation concerns another engine than
// the one that answers.
var ErrOtherEngine = errors.New("it concerns another engine")

// Who settles an operation that did not record its own outcome.
const (
	SettledLater  = "reconcile" // a later run
	SettledBeside = "provider"  // the process that stood beside Docker Compose
)

// Rest waits until the engine no longer removes containers of the project, for
// settleLimit at most.
func Rest(ctx context.Context, d Daemon, project string) error {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	for {
		snap, err := d.Snapshot(ctx, false)
		busy := slices.ContainsFunc(snap.Containers, func(c Container) bool { return c.State == "removing" && c.Labels[LabelProject] == project })
		if err == nil && !busy {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(settlePoll):
		}
	}
}

// Reconcile settles one unfinished teardown: it looks at what the pending event
// said would go, and records what the engine shows now. It cannot know what
// happened in between by another hand; details.settled, by, says so.
func Reconcile(ctx context.Context, pending audit.Event, d Daemon, log Recorder, by string, now func() time.Time) (Verdict, error) {
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
	details.Settled = by
	if details.StartedAt == "" {
		details.StartedAt = stamp(pending.Timestamp, time.RFC3339Nano)
	}
	_, err = log.Append(ctx, audit.Event{
		ID: pending.ID, Timestamp: now(), Operation: pending.Operation, Outcome: v.Outcome,
		User: pending.User, Details: details.Encode(), DataAffected: v.Lost, ExportPath: pending.ExportPath,
	}, 0)
	return v, headless(err)
}
