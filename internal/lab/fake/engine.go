package fake

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Describe says which engine it is.
func (p *Process) Describe(ctx context.Context) (e inventory.Engine, err error) {
	err = p.Do(ctx, "describe", func() error { e = p.Engine; return nil })
	return e, err
}

// Platform says what kind of machine it is: one whose files nobody reads.
func (p *Process) Platform(ctx context.Context) (out inventory.Platform, err error) {
	err = p.Do(ctx, "platform", func() error {
		out = inventory.Platform{OS: "Linux", Security: []string{"name=rootless"}}
		return nil
	})
	return out, err
}

// Snapshot lists what there is.
func (p *Process) Snapshot(ctx context.Context, _ inventory.Scope) (s inventory.Snapshot, err error) {
	err = p.Do(ctx, "snapshot", func() error {
		p.sweep("")
		s = p.snapshot()
		p.look, p.running = p.next(), map[string]bool{}
		for _, c := range s.Containers {
			if c.Runs() {
				p.ran[c.ID], p.running[c.ID] = true, true
			}
		}
		return nil
	})
	if err != nil {
		return inventory.Snapshot{}, err
	}
	return s, nil
}

func (w *World) snapshot() (s inventory.Snapshot) {
	for _, name := range slices.Sorted(maps.Keys(w.volumes)) {
		s.Volumes = append(s.Volumes, w.seen(name))
	}
	for _, id := range slices.Sorted(maps.Keys(w.containers)) {
		s.Containers = append(s.Containers, w.containers[id].Container)
	}
	for _, id := range slices.Sorted(maps.Keys(w.networks)) {
		s.Networks = append(s.Networks, w.networks[id])
	}
	return s
}

// Measure knows all sizes.
func (p *Process) Measure(_ context.Context, volumes []inventory.Volume) map[string]inventory.Size {
	out := map[string]inventory.Size{}
	for _, v := range volumes {
		out[v.Name] = inventory.Size{Bytes: 7}
	}
	return out
}

// Start starts containers.
func (p *Process) Start(ctx context.Context, ids []string) error {
	err := p.Do(ctx, "start", func() error {
		for _, id := range ids {
			c := p.containers[id]
			switch {
			case c == nil || c.Runs():
			case !p.announced(id):
				p.T.Errorf("container %s was started, and no event said that it runs", c.Name)
			default:
				c.State, c.stopped = "running", false
			}
		}
		return nil
	})
	if err != nil {
		p.World.mu.Lock()
		p.excused = true
		p.World.mu.Unlock()
	}
	return err
}

// Stop stops containers.
func (p *Process) Stop(ctx context.Context, ids []string) error {
	return p.Do(ctx, "stop", func() error {
		for _, id := range ids {
			p.halt(p.containers[id])
		}
		return nil
	})
}

func (p *Process) halt(c *Container) {
	if c != nil && c.Runs() {
		c.State, c.stopped = "exited", true
	}
}

// announced reports whether an operation has said that it will stop a container.
func (w *World) announced(id string) bool {
	for _, o := range w.operations {
		if slices.Contains(details(o.pending).Stopped, id) {
			return true
		}
	}
	return false
}

// ErrInUse is why the engine refuses to remove a volume.
var ErrInUse = errors.New("volume is in use")

// RemoveVolume removes a volume that nobody uses.
func (p *Process) RemoveVolume(ctx context.Context, name string) error {
	return p.Do(ctx, "remove", func() error {
		v := p.volumes[name]
		switch {
		case v == nil:
			return fmt.Errorf("remove volume %q: %w", name, inventory.ErrGone)
		case len(p.users(name)) > 0:
			return fmt.Errorf("remove volume %q: %w", name, ErrInUse)
		case p.op != nil && v.by != p && v.Birth > p.op.look && v.Birth <= p.look:
			p.T.Errorf("volume %s was removed, and a look had shown that it is another one", name)
		}
		p.destroy(name, p)
		return nil
	})
}

// CreateVolume makes a volume, or finds it.
func (p *Process) CreateVolume(ctx context.Context, v inventory.Volume) (out inventory.Volume, err error) {
	err = p.Do(ctx, "create", func() error {
		if p.volumes[v.Name] == nil {
			made := p.make(v)
			made.Content, made.by = map[string]string{}, p
			p.bare(v.Name)
		}
		out = p.volumes[v.Name].Volume
		return nil
	})
	return out, err
}

// Read reads volumes, for an export. It returns which ones they were, by name: a
// volume of that name that is made later is another one.
func (p *Process) Read(ctx context.Context, names []string) (births map[string]int, err error) {
	births = map[string]int{}
	err = p.Do(ctx, "read", func() error {
		for _, name := range names {
			v := p.volumes[name]
			if v == nil {
				return fmt.Errorf("volume %q does not exist", name)
			}
			for _, id := range p.users(name) {
				if p.containers[id].Runs() {
					return fmt.Errorf("volume %q: container %q runs", name, p.containers[id].Name)
				}
			}
			births[name] = v.Birth
		}
		return nil
	})
	return births, err
}

// Watcher follows what comes and goes.
type Watcher struct {
	world *World
	seen  inventory.Seen // guarded by World.mu
	news  chan struct{}
}

// Watch follows the engine.
func (p *Process) Watch(context.Context) *Watcher {
	p.World.mu.Lock()
	defer p.World.mu.Unlock()
	w := &Watcher{world: p.World, news: make(chan struct{}, 1)}
	w.seen.Broken = p.Deaf
	p.watchers[w] = true
	return w
}

// tell tells all watchers.
func (w *World) tell(told func(*inventory.Seen)) {
	for one := range w.watchers {
		if !w.Deaf {
			told(&one.seen)
			select {
			case one.news <- struct{}{}:
			default: // once is enough
			}
		}
	}
}

// News has something each time that more was told.
func (w *Watcher) News() <-chan struct{} { return w.news }

// Seen is what was told so far.
func (w *Watcher) Seen() inventory.Seen {
	w.world.mu.Lock()
	defer w.world.mu.Unlock()
	return w.seen.Clone()
}

// Stop ends it.
func (w *Watcher) Stop() inventory.Seen {
	w.world.mu.Lock()
	delete(w.world.watchers, w)
	w.world.mu.Unlock()
	return w.Seen()
}

// Sweep removes the helpers of an operation that is dead.
func (p *Process) Sweep(ctx context.Context, lock string) error {
	return p.Do(ctx, "sweep", func() error { p.sweep(lock); return nil })
}
