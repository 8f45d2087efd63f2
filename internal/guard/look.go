package guard

import (
	"context"
	"slices"

	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/prune"
)

// Engine is what is asked of the Docker Engine. These calls come to the guard as
// well, and are allowed at once.
type Engine interface {
	Describe(context.Context) (inventory.Engine, error)
	Snapshot(context.Context, inventory.Scope) (inventory.Snapshot, error)
	Measure(context.Context, []inventory.Volume) map[string]inventory.Size
	// Volume looks at one volume.
	Volume(ctx context.Context, name string) (v inventory.Volume, found bool, err error)
	// Users are the containers that refer to a volume.
	Users(ctx context.Context, volume string) ([]inventory.Container, error)
	// Riding are the volumes that go with a container.
	Riding(ctx context.Context, reference string) (con inventory.Container, volumes []string, found bool, err error)
}

// sight is what a call concerns, as the engine has it.
type sight struct {
	snapshot inventory.Snapshot
	going    []inventory.Volume // that the call destroys, as far as is known
	held     []inventory.Volume // that it names, and the engine will keep
}

// names are what no other call may concern in the meantime.
func (c call) names(s sight) []string {
	names := []string{}
	switch c.kind {
	case volumeRm:
		names = append(names, c.name)
	case volumePrune:
		names = append(names, "/prune") // no volume has this name
	case containerRm:
		names = append(names, "/container/"+c.name)
	}
	for _, v := range slices.Concat(s.going, s.held) {
		if !slices.Contains(names, v.Name) {
			names = append(names, v.Name)
		}
	}
	return names
}

// look finds out what a call would destroy now.
func look(ctx context.Context, e Engine, is inventory.Engine, c call) (s sight, err error) {
	switch c.kind {
	case volumeRm:
		return s, s.add(ctx, e, c.name, "")
	case volumePrune:
		return lookPrune(ctx, e, is, c)
	}
	con, volumes, found, err := e.Riding(ctx, c.name)
	if err != nil || !found {
		return s, err
	}
	for _, name := range volumes {
		if err := s.add(ctx, e, name, con.ID); err != nil {
			return s, err
		}
	}
	return s, nil
}

// add looks at a volume, and at what refers to it besides one container that goes.
func (s *sight) add(ctx context.Context, e Engine, name, goes string) error {
	v, found, err := e.Volume(ctx, name)
	if err != nil || !found {
		return err
	}
	users, err := e.Users(ctx, v.Name)
	if err != nil {
		return err
	}
	users = slices.DeleteFunc(users, func(c inventory.Container) bool { return c.ID == goes })
	s.snapshot.Volumes = append(s.snapshot.Volumes, v)
	s.snapshot.Containers = append(s.snapshot.Containers, users...)
	if len(users) > 0 {
		s.held = append(s.held, v)
	} else {
		s.going = append(s.going, v)
	}
	return nil
}

// lookPrune works out what a prune takes: it is one call, and all or nothing of it
// is allowed.
func lookPrune(ctx context.Context, e Engine, is inventory.Engine, c call) (s sight, err error) {
	options := prune.Options{OnlyAnonymous: c.anonymousOnly(is.APIVersion)}
	for _, kind := range []string{"label", "label!"} {
		for _, text := range c.filters[kind] {
			if f, err := prune.ParseFilter(kind + "=" + text); err == nil {
				options.Filters = append(options.Filters, f)
			}
		}
	}
	if s.snapshot, err = e.Snapshot(ctx, inventory.Scope{}); err != nil {
		return s, err
	}
	for _, v := range s.snapshot.Volumes { // the engine knows no protection: that is for the policy
		options.Unprotect = append(options.Unprotect, v.Name)
	}
	going := prune.Plan(s.snapshot, options).Going()
	for _, v := range s.snapshot.Volumes {
		if slices.Contains(going, v.Name) {
			s.going = append(s.going, v)
		}
	}
	return s, nil
}
