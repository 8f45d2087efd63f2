package export

import (
	"cmp"
	"context"
	"slices"

	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Selection is what an export is asked to save: what a teardown of the project
// would destroy, or volumes by name, which need no project.
type Selection struct {
	Project Surveyor
	Engine  Looker
	Words   []string // names of volumes, or keys of the Compose files
	Dir     string   // working directory, for volumes that need no project
}

// Surveyor looks at the project: package teardown's Survey.
type Surveyor interface {
	Do(context.Context) (inventory.Inventory, inventory.Snapshot, error)
}

// Find finds it as it is now.
func (s Selection) Find(ctx context.Context) (inventory.Inventory, []inventory.Volume, error) {
	inv, snap, err := s.Project.Do(ctx)
	if err != nil && len(s.Words) == 0 {
		return inv, nil, err
	}
	noProject := err != nil
	if noProject {
		if inv.Engine, err = s.Engine.Describe(ctx); err == nil {
			snap, err = s.Engine.Snapshot(ctx, inventory.Scope{})
		}
		if err != nil {
			return inv, nil, err
		}
	}
	var volumes []inventory.Volume
	for _, name := range s.names(inv) {
		v, there := snap.Volume(name)
		if !there {
			return inv, nil, fault.Usage("ccdestroy inventory, or docker volume ls", "no such volume: %q", name)
		}
		volumes = append(volumes, v)
	}
	if noProject {
		inv.Project = cmp.Or(volumes[0].Labels[inventory.LabelProject], "volumes")
	}
	inv.Dir = cmp.Or(inv.Dir, s.Dir)
	known := inv.Resources
	sizes := s.measure(ctx, known, volumes)
	inv.Resources = nil
	for _, v := range volumes {
		r := v.Resource()
		if i := slices.IndexFunc(known, func(k inventory.Resource) bool { return k.Kind == r.Kind && k.Name == r.Name }); i >= 0 {
			r.Size = known[i].Size
		} else if size, ok := sizes[v.Name]; ok {
			r.Size = &size
		}
		r.Fate = inventory.Kept
		inv.Resources = append(inv.Resources, r)
	}
	return inv, volumes, nil
}

// measure finds out the sizes of volumes that do not belong to the project.
func (s Selection) measure(ctx context.Context, known []inventory.Resource, volumes []inventory.Volume) map[string]inventory.Size {
	strangers := slices.DeleteFunc(slices.Clone(volumes), func(v inventory.Volume) bool {
		return slices.ContainsFunc(known, func(r inventory.Resource) bool {
			return r.Kind == inventory.KindVolume && r.Name == v.Name
		})
	})
	if len(strangers) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, sizesLimit)
	defer cancel()
	return s.Engine.Measure(ctx, strangers)
}

// names are the engine's names of the volumes that are meant, each once.
func (s Selection) names(inv inventory.Inventory) (names []string) {
	if len(s.Words) == 0 {
		return inv.AskedVolumes()
	}
	for _, word := range s.Words {
		name := word
		for _, r := range inv.Resources {
			if r.Kind == inventory.KindVolume && (r.Key == word && name == word || r.Name == word) {
				name = r.Name
			}
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
