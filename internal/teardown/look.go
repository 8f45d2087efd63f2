package teardown

import (
	"cmp"
	"context"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// Look lists what the engine has, with its events followed from before the first
// call, and plans. Sizes that do not arrive in time stay unknown: a teardown does
// not wait for them. What is followed since the look before is followed until
// after this one, so that nothing is missed in between.
func (r *Run) Look(ctx context.Context) (inv inventory.Inventory, err error) {
	last := r.watch
	r.blind = last != nil && last.Seen().Broken
	r.watch = r.Events.Watch(ctx)
	if last != nil {
		defer func() { seen := last.Stop(); inv.Since = &seen }()
	}
	if r.before, err = r.Engine.Snapshot(ctx, r.scope()); err != nil {
		return inventory.Inventory{}, err
	}
	budget := sizesForScript
	if r.Confirm == record.Typed {
		budget = sizesForQuestion
	}
	inv = inventory.Plan(r.project.Model, r.before, r.Options)
	inv.Engine = r.project.engine
	fill(ctx, r.Engine, r.before, &inv, r.LastExports, r.book, budget)
	return inv, nil
}

func (r *Run) scope() inventory.Scope {
	s := scope(r.Options, r.project)
	s.Images = s.Images || r.Still != nil
	return s
}

func scope(o inventory.Options, p project) inventory.Scope {
	return inventory.Scope{Images: o.Images != "", Project: p.Project}
}

// fill adds sizes, as far as the budget allows, and last exports to a plan.
func fill(ctx context.Context, e Engine, s inventory.Snapshot, inv *inventory.Inventory, last LastExports, b *record.Book, budget time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	fillSizes(ctx, e, s, inv)
	if last != nil {
		fillExports(inv, func(names []string) map[string]inventory.LastExport { return last(b, names) })
	}
}

// fillExports notes when each volume was last exported. An export that is
// older than the volume was of another volume of that name.
func fillExports(inv *inventory.Inventory, last func(volumes []string) map[string]inventory.LastExport) {
	var names []string
	for _, r := range inv.Resources {
		if r.Kind == inventory.KindVolume {
			names = append(names, r.Name)
		}
	}
	if len(names) == 0 {
		return
	}
	exports := last(names)
	for i, r := range inv.Resources {
		found, known := exports[r.Name]
		if r.Kind != inventory.KindVolume || !known {
			continue
		}
		since := cmp.Or(r.Born, r.Created)
		born, err := time.Parse(time.RFC3339Nano, since)
		if at, atErr := time.Parse(time.RFC3339Nano, found.At); err == nil && atErr == nil && at.Before(born) {
			found = inventory.LastExport{}
		}
		inv.Resources[i].LastExport = &found
	}
}

func fillSizes(ctx context.Context, e Engine, s inventory.Snapshot, inv *inventory.Inventory) {
	listed := map[string]bool{}
	for _, r := range inv.Resources {
		listed[r.Name] = listed[r.Name] || r.Kind == inventory.KindVolume && r.Host == ""
	}
	var volumes []inventory.Volume
	for _, v := range s.Volumes {
		if listed[v.Name] {
			volumes = append(volumes, v)
		}
	}
	if len(volumes) == 0 {
		return
	}
	sizes := e.Measure(ctx, volumes)
	for i, r := range inv.Resources {
		if size, ok := sizes[r.Name]; ok && r.Kind == inventory.KindVolume {
			inv.Resources[i].Size = &size
		}
	}
}

// Survey makes the inventory alone, for commands that change nothing.
type Survey struct {
	Resolver    Resolver
	Engine      Engine
	Options     inventory.Options
	Place       record.Place
	LastExports LastExports   // nil does not look
	Budget      time.Duration // for sizes
}

// Do looks once.
func (s Survey) Do(ctx context.Context) (inventory.Inventory, inventory.Snapshot, error) {
	p, err := resolve(ctx, s.Resolver, s.Engine)
	if err != nil {
		return inventory.Inventory{}, inventory.Snapshot{}, err
	}
	snap, err := s.Engine.Snapshot(ctx, scope(s.Options, p))
	if err != nil {
		return inventory.Inventory{}, snap, err
	}
	inv := inventory.Plan(p.Model, snap, s.Options)
	inv.Engine = p.engine
	fill(ctx, s.Engine, snap, &inv, s.LastExports, s.Place.In(p.Dir), s.Budget)
	return inv, snap, nil
}
