package prune

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// Engine is what is asked of the Docker Engine; see teardown.Daemon.
type Engine interface {
	Describe(context.Context) (teardown.Engine, error)
	Snapshot(ctx context.Context, images bool) (teardown.Snapshot, error)
	Measure(context.Context, []teardown.Volume) map[string]teardown.Size
	StableCreated() bool
	RemoveVolume(ctx context.Context, name string) error
}

// Run is one audited prune.
type Run struct {
	Engine  Engine
	Entry   teardown.Entry
	Options Options
	// Confirm shows what goes, and asks; an error says that nothing shall go.
	Confirm func(context.Context, teardown.Inventory) error
	Signals <-chan os.Signal

	Signal int // the signal that stopped Do, or 0
}

// Look finds what would go, with sizes as far as ctx allows.
func Look(ctx, sizes context.Context, e Engine, o Options) (teardown.Inventory, teardown.Snapshot, error) {
	engine, err := e.Describe(ctx)
	if err != nil {
		return teardown.Inventory{}, teardown.Snapshot{}, err
	}
	snap, err := e.Snapshot(ctx, false)
	if err != nil {
		return teardown.Inventory{}, snap, err
	}
	inv := Plan(snap, o)
	inv.Engine = engine
	going := map[string]bool{}
	for _, name := range inv.Going() {
		going[name] = true
	}
	var volumes []teardown.Volume
	for _, v := range snap.Volumes {
		if going[v.Name] {
			volumes = append(volumes, v)
		}
	}
	if len(volumes) > 0 {
		known := e.Measure(sizes, volumes)
		for i, r := range inv.Resources {
			if size, ok := known[r.Name]; ok {
				inv.Resources[i].Size = &size
			}
		}
	}
	return inv, snap, nil
}

// Do asks, records, removes and records. It returns the verdict, and an error, a
// *teardown.Fault where it has an exit code of its own, when nothing was removed.
func (r *Run) Do(ctx, sizes context.Context) (teardown.Verdict, error) {
	var verdict teardown.Verdict
	inv, snap, err := Look(ctx, sizes, r.Engine, r.Options)
	if err != nil {
		return verdict, err
	}
	r.Entry.Details.Inventory, r.Entry.Details.Unprotected = inv, r.Options.Unprotect
	sig, err := teardown.Guard(ctx, r.Signals, func(ctx context.Context) error { return r.Confirm(ctx, inv) })
	if sig != nil {
		return verdict, teardown.StoppedBy(sig, "nothing was removed")
	}
	if err != nil || inv.Empty() {
		return verdict, err
	}
	if err := r.Entry.Pend(ctx, inv.Going()); err != nil {
		return verdict, err
	}
	// A crash from here on leaves an unfinished operation, which reconcile
	// settles by looking.
	sig, failed := teardown.Guard(ctx, r.Signals, func(ctx context.Context) error { return r.remove(ctx, inv, snap) })
	if sig != nil {
		r.Entry.Details.Signal, r.Signal = teardown.SignalName(sig), teardown.SignalNumber(sig)
	} else if failed != nil {
		r.Entry.Details.Error = failed.Error()
	}
	after, err := r.Engine.Snapshot(context.WithoutCancel(ctx), false)
	if err != nil {
		r.Entry.Details.Error = fmt.Sprintf("cannot tell what was destroyed: %v", err)
		return verdict, errors.Join(err, r.Entry.End(ctx, audit.Pending, inv.Going()))
	}
	verdict = teardown.Classify(inv, snap.Volumes, teardown.After{Snapshot: after, StableCreated: r.Engine.StableCreated(), Interrupted: sig != nil})
	r.Entry.Details.Settle(verdict)
	return verdict, r.Entry.End(ctx, verdict.Outcome, verdict.Lost)
}

// remove removes what was shown, as long as it is what it was: the same volume,
// and unused. The engine refuses one that comes into use in between.
func (r *Run) remove(ctx context.Context, inv teardown.Inventory, before teardown.Snapshot) error {
	now, err := r.Engine.Snapshot(ctx, false)
	if err != nil {
		return err
	}
	still := Plan(now, r.Options)
	since := teardown.Classify(inv, before.Volumes, teardown.After{Snapshot: now, StableCreated: r.Engine.StableCreated()})
	same := map[string]bool{}
	for _, res := range since.Resources {
		same[res.Name] = res.Asked && res.Result == teardown.Remained
	}
	var errs []error
	for _, name := range still.Going() {
		if !same[name] {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := r.Engine.RemoveVolume(ctx, name); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
