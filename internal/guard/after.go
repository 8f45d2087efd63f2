package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/undo"
)

// After takes the response to a call: it looks, puts back what stayed, and records
// the outcome. It does not rely on what the engine says: for a call that it
// refused it gives no status.
func (g *Guard) After(ctx context.Context, r Request) {
	g.mu.Lock()
	var first *allowed
	if waiting := g.open[r.key()]; len(waiting) > 0 {
		first = waiting[0]
	}
	g.mu.Unlock()
	if first == nil || !g.forget(r.key(), first) {
		return // of a call that began before this process did
	}
	first.request.Status, first.request.Body = r.Status, r.Body
	g.finish(ctx, first)
}

// forget takes a call out of those without a response. It is false if something
// else already has.
func (g *Guard) forget(key string, a *allowed) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.open[key], a)
	if i < 0 {
		return false
	}
	g.open[key] = slices.Delete(g.open[key], i, i+1)
	a.late.Stop()
	if len(g.open[key]) == 0 {
		delete(g.open, key)
	}
	return true
}

// finish records the result of a call.
func (g *Guard) finish(ctx context.Context, a *allowed) {
	defer func() { g.busy.free(a.names) }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), busyLimit)
	defer cancel()
	if a.o == nil {
		g.surprise(ctx, a)
		return
	}
	g.alsoPruned(a)
	end := g.verdict(ctx, a)
	err := a.o.End(ctx, end)
	if err != nil {
		g.Note("not recorded: " + err.Error())
	}
	g.close(a.o)
	g.expire(a)
	if err != nil || end.Outcome == audit.Pending {
		g.unsettled()
		select {
		case g.hurry <- struct{}{}:
		default: // it is reported already
		}
	}
}

// verdict looks what came of a call, when it is its turn.
func (g *Guard) verdict(ctx context.Context, a *allowed) record.Ended {
	leave, err := g.seats.take(ctx)
	if err != nil {
		return g.unsure(a, err)
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	return g.judge(ctx, a)
}

// alsoPruned notes volumes that the engine says its prune took, and
// that did not exist, or were in use, when the guard looked.
func (g *Guard) alsoPruned(a *allowed) {
	if a.call.kind != volumePrune {
		return
	}
	d := &a.o.Details
	for _, name := range a.destroyed() {
		if slices.ContainsFunc(d.Resources, func(r inventory.Resource) bool { return r.Name == name }) {
			continue
		}
		v, known := a.before.Volume(name)
		if !known {
			v = inventory.Volume{Name: name, Driver: "local"}
		}
		res := v.Resource()
		res.Asked, res.Fate, res.Unforeseen = true, inventory.Removed, true
		d.Resources = append(d.Resources, res)
	}
}

// expireEvery is how often, at most, what has expired is purged.
const expireEvery = time.Minute

// expire has what has expired purged, if the call has shown that there is anything.
func (g *Guard) expire(a *allowed) {
	var bytes int64
	for _, k := range a.o.Details.Kept {
		bytes += k.Bytes
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.Expire != nil && a.keeper.Excess(bytes) && g.Now().Sub(g.expired) >= expireEvery {
		g.expired = g.Now()
		go g.Expire()
	}
}

// judge looks, and puts back. If it cannot tell, the operation stays unfinished,
// and is settled later.
func (g *Guard) judge(ctx context.Context, a *allowed) record.Ended {
	var after inventory.After
	known := inventory.Snapshot{}
	for _, r := range a.o.Details.Resources {
		v, found, err := g.Engine.Volume(ctx, r.Name)
		if err != nil {
			return g.unsure(a, err)
		}
		was, _ := a.before.Volume(r.Name)
		known.Volumes = append(known.Volumes, was)
		if !found {
			continue
		}
		users, err := g.Engine.Users(ctx, r.Name)
		if err != nil {
			return g.unsure(a, err)
		}
		after.Snapshot.Volumes = append(after.Snapshot.Volumes, v)
		after.Snapshot.Containers = append(after.Snapshot.Containers, users...)
	}
	after.Unseen = true
	if err := undo.PutBack(a.keeper, a.o, &after); err != nil {
		return g.unsure(a, err)
	}
	return a.o.Details.Settle(inventory.Classify(a.o.Details.Inventory, known, after, nil))
}

func (g *Guard) unsure(a *allowed, err error) record.Ended {
	return record.Ended{Outcome: audit.Pending, Affected: a.o.Details.Going(), Err: fmt.Errorf("cannot tell what was destroyed: %w", err)}
}

// surprise records what the engine destroyed although it did not exist when the
// guard looked: it was created in between.
func (g *Guard) surprise(ctx context.Context, a *allowed) {
	var volumes []inventory.Volume
	for _, name := range a.destroyed() {
		volumes = append(volumes, inventory.Volume{Name: name, Driver: "local"})
	}
	if !a.unseen || len(volumes) == 0 {
		return
	}
	is, err := g.engine(ctx)
	if err == nil {
		o := g.Book.Told(operation(a.call), userOf(a.request))
		g.describe(&o.Details, a, is, sight{going: volumes})
		var names []string
		for i := range o.Details.Resources {
			o.Details.Resources[i].Result, o.Details.Resources[i].Unforeseen = inventory.Gone, true
			names = append(names, o.Details.Resources[i].Name)
		}
		err = o.End(ctx, record.Ended{Outcome: audit.Success, Affected: names})
	}
	if err != nil {
		g.Note("not recorded: " + err.Error())
	}
}

// destroyed are the volumes that a call has destroyed, as far as its response says.
func (a *allowed) destroyed() []string {
	well := a.request.Status >= 200 && a.request.Status <= 299
	switch {
	case a.call.kind == volumePrune:
		var pruned struct{ VolumesDeleted []string }
		_ = json.Unmarshal(a.request.Body, &pruned) // of a call that was refused: nothing
		return pruned.VolumesDeleted
	case a.call.kind == volumeRm && well && !a.call.force: // with force, removing what does not exist succeeds too
		return []string{a.call.name}
	}
	return nil
}
