package fake

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Compose is Docker Compose, called by a process. It knows nothing of plans: it
// removes the project's containers of going services with their anonymous
// volumes, then networks that nobody uses, then declared volumes, by name, that
// nobody uses. It leaves the rest and exits 0.
type Compose struct {
	*Process
	Is inventory.Model
	// Stubborn: it does not end when a signal comes.
	Stubborn bool
	// Orphan: when the process is killed, it goes on to its end.
	Orphan bool
}

// Model is the project.
func (c *Compose) Model(ctx context.Context) (m inventory.Model, err error) {
	err = c.Do(ctx, "model", func() error { m = c.Is; return nil })
	return m, err
}

// Version is Compose's own.
func (c *Compose) Version(ctx context.Context) (v string, err error) {
	err = c.Do(ctx, "version", func() error { v = "v5"; return nil })
	return v, err
}

// Command is the argument vector.
func (c *Compose) Command() []string { return []string{"docker", "compose", "down", "--volumes"} }

// Executed is docker.
func (c *Compose) Executed() string { return "" }

func (c *Compose) ours(labels map[string]string) bool {
	return labels[inventory.LabelProject] == c.Is.Project
}

// Stop stops the services.
func (c *Compose) Stop(ctx context.Context, _ []*os.File) error {
	return c.Do(ctx, "compose stop", func() error {
		for _, one := range c.containers {
			if c.ours(one.Labels) {
				c.halt(one)
			}
		}
		return nil
	})
}

// errStop ends Compose.
var errStop = errors.New("stop")

// Down tears the project down.
func (c *Compose) Down(_ []*os.File, signals <-chan os.Signal) (exit fault.Exit, err error) {
	ctx := context.Background()
	if err := c.Do(ctx, "down", func() error { return nil }); err != nil && !c.Killed() {
		return fault.Exit{}, err
	}
	one := func(name string, effect func()) error {
		time.Sleep(time.Millisecond) // its caller, told of something, has the time to act on it
		err := c.Do(ctx, name, func() error { effect(); return nil })
		if c.Killed() && c.Orphan {
			c.World.mu.Lock()
			effect()
			c.World.mu.Unlock()
			return nil
		}
		select {
		case sig := <-signals:
			if exit.Signal == nil {
				exit.Signal = sig
			}
			if !c.Stubborn {
				exit.Code = 130
				return errStop
			}
		default:
		}
		return err
	}
	if err := c.down(one); err != nil && exit.Code == 0 {
		exit.Code, exit.Stderr = 1, err.Error()
	}
	time.Sleep(time.Millisecond)
	_ = c.Do(ctx, "down ended", func() error { return nil })
	return exit, nil
}

func (c *Compose) down(one func(name string, effect func()) error) error {
	for _, id := range c.list(func(w *World) []string { return slices.Sorted(maps.Keys(w.containers)) }) {
		if err := one("container", func() { c.removeContainer(id) }); err != nil {
			return err
		}
	}
	for _, id := range c.list(func(w *World) []string { return slices.Sorted(maps.Keys(w.networks)) }) {
		if err := one("network", func() { c.removeNetwork(id) }); err != nil {
			return err
		}
	}
	for _, d := range c.Is.Volumes {
		if d.External || d.Skipped != "" {
			continue
		}
		if err := one("volume", func() {
			if c.volumes[d.Name] != nil && len(c.users(d.Name)) == 0 {
				c.destroy(d.Name, c.Process)
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

func (c *Compose) list(of func(*World) []string) []string {
	c.World.mu.Lock()
	defer c.World.mu.Unlock()
	return of(c.World)
}

func (c *Compose) removeContainer(id string) {
	one := c.containers[id]
	if one == nil || !c.ours(one.Labels) || !c.Is.Services[one.Labels["com.docker.compose.service"]].Going {
		return
	}
	delete(c.containers, id)
	c.removed++
	for _, name := range one.Anonymous {
		if c.volumes[name] != nil && len(c.users(name)) == 0 {
			c.destroy(name, c.Process)
		}
	}
}

func (c *Compose) removeNetwork(id string) {
	n, there := c.networks[id]
	used := false
	for _, one := range c.containers {
		used = used || one.Runs() && slices.Contains(one.Networks, id)
	}
	if there && c.ours(n.Labels) && !used {
		delete(c.networks, id)
		c.removed++
	}
}
