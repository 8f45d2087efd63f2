package e2e

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/volume"
)

// keys are the volumes of an unsteady project, by what follows PROJ_.
var keys = []string{"data", "wal", "uploads", "spare", "extra", "loose"}

// deed is something that the adversary did, which happened at some time of the
// call.
type deed struct {
	what     string // removed or protected
	name     string
	from, to time.Time
}

// adversary changes the volumes of a project from a goroutine of its own, which
// owns all of it until stop returns.
type adversary struct {
	s     *stack
	rand  *rand.Rand
	deeds []deed
	holds []string // its containers
	acts  int
	stop  func()
}

func (w *world) against() *adversary {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	a := &adversary{s: w.stack, rand: rand.New(rand.NewPCG(w.rand.Uint64(), 0)), stop: func() { cancel(); <-done }}
	w.t.Cleanup(a.stop)
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			a.act()
			select {
			case <-ctx.Done():
			case <-time.After(time.Duration(a.rand.IntN(200)) * time.Millisecond): // any moment will do
			}
		}
	}()
	return a
}

// act does one thing. What the engine refuses is not done.
func (a *adversary) act() {
	a.acts++
	key := keys[a.rand.IntN(len(keys))]
	switch n := a.rand.IntN(20); {
	case n < 4:
		a.make(key, false)
	case n < 8:
		a.make(key, true)
	case n < 12:
		a.remove(key)
	case n < 14:
		if a.remove(key) {
			a.make(key, false)
		}
	case n < 15:
		if a.remove(key) {
			a.make(key, true)
		}
	case n < 17 && len(a.holds) < 2:
		a.hold(key)
	default:
		a.letGo()
	}
}

func (a *adversary) make(key string, protected bool) {
	name, labels := a.s.name+"_"+key, map[string]string{}
	if key != "loose" {
		labels["com.docker.compose.project"], labels["com.docker.compose.volume"] = a.s.name, key
	}
	if protected {
		labels["ccdestroy.protect"] = "true"
	}
	from := time.Now()
	v, err := a.s.api.VolumeCreate(context.Background(), volume.CreateOptions{Name: name, Labels: labels})
	if err == nil && v.Labels["ccdestroy.protect"] == "true" && protected {
		a.deeds = append(a.deeds, deed{"protected", name, from, time.Now()})
	}
}

func (a *adversary) remove(key string) bool {
	name, from := a.s.name+"_"+key, time.Now()
	if a.s.api.VolumeRemove(context.Background(), name, false) != nil {
		return false
	}
	a.deeds = append(a.deeds, deed{"removed", name, from, time.Now()})
	return true
}

func (a *adversary) hold(key string) {
	c, err := a.s.api.ContainerCreate(context.Background(), &container.Config{Image: os.Getenv("CCDESTROY_IMAGE")},
		&container.HostConfig{Binds: []string{a.s.name + "_" + key + ":/v"}}, nil, nil, "")
	if err == nil {
		a.holds = append(a.holds, c.ID)
	}
}

func (a *adversary) letGo() {
	if len(a.holds) > 0 {
		_ = a.s.api.ContainerRemove(context.Background(), a.holds[0], container.RemoveOptions{Force: true})
		a.holds = a.holds[1:]
	}
}

// did reports whether the adversary did this to a volume at a time.
func (a *adversary) did(what, name string, at time.Time) bool {
	return slices.ContainsFunc(a.deeds, func(d deed) bool {
		return d.what == what && d.name == name && !at.Before(d.from) && !at.After(d.to)
	})
}
