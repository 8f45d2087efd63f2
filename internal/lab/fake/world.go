// Package fake is an engine, a Compose and a log's recorder in memory, for tests
// of what happens between them. It is stricter than the real ones. A test fails
// when
//
//   - a volume is destroyed that no durable pending event names, and that the
//     operation could have looked at before;
//   - an event follows an outcome, or an operation begins twice;
//   - a container is started that did not run when it was looked at, or that no
//     event names;
//   - a helper, a watcher or a held lock is left behind.
//
// A World is what there is, of all processes. A Process is one run of the
// program: everything that it does is a Step, before and after which a test can
// change the world, fail the call, send a signal or kill the process.
package fake

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Epoch is when the world began.
var Epoch = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// World is what there is. Its methods are the doings of other hands.
type World struct {
	T   testing.TB
	Log *audit.Log // a real one
	// Engine is what the engine says of itself. Births says that volumes show
	// when their directories were born.
	Engine inventory.Engine
	Births bool
	// Deaf: the engine's events cannot be followed.
	Deaf bool
	// Root, where it is set, is the engine's data directory: volumes are directories
	// of it then, and can be set aside.
	Root string

	mu         sync.Mutex // guards what follows
	tick       int        // a clock that every change moves on
	volumes    map[string]*Volume
	containers map[string]*Container
	networks   map[string]inventory.Network
	watchers   map[*Watcher]bool
	destroyed  []Destroyed
	operations map[string]*operation // with an event in the log, by id
	tried      map[string]bool       // operations of which an event could not be written
}

// Volume is one volume.
type Volume struct {
	inventory.Volume
	Birth   int // when it was made; nothing else has the same
	Content map[string]string

	by *Process // that made it, or nil
}

// Container is one container.
type Container struct {
	inventory.Container
	Anonymous []string // of its volumes, those that go with it

	stopped bool // by a process of ours
}

// Destroyed is a volume that is gone.
type Destroyed struct {
	Name      string
	Birth, At int
	By        *Process // nil is another hand
}

// New makes an empty world with a log in a directory of its own.
func New(t testing.TB) *World {
	return &World{
		T: t, Births: true, Log: &audit.Log{Path: filepath.Join(Dir(t), ".contextcore", "audit.jsonl")},
		Engine:  inventory.Engine{ID: "engine-1", Name: "lap", Version: "29", APIVersion: "1.52", Host: "unix:///e", Local: true, StableCreated: true},
		volumes: map[string]*Volume{}, containers: map[string]*Container{}, networks: map[string]inventory.Network{},
		watchers: map[*Watcher]bool{}, operations: map[string]*operation{}, tried: map[string]bool{},
	}
}

// Dir is the project's directory.
func (w *World) Dir() string { return filepath.Dir(filepath.Dir(w.Log.Path)) }

func (w *World) next() int {
	w.tick++
	return w.tick
}

// Now is the time of a tick.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Epoch.Add(time.Duration(w.next()) * time.Second)
}

// Make makes a volume, with labels as "key=value".
func (w *World) Make(name string, labels ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.make(inventory.Volume{Name: name, Driver: "local", Labels: pairs(labels)})
}

func (w *World) make(v inventory.Volume) *Volume {
	if old := w.volumes[v.Name]; old != nil {
		return old
	}
	at := w.next()
	v.Created = Epoch.Add(time.Duration(at) * time.Second)
	if w.Births {
		v.Born = v.Created.Add(time.Nanosecond)
	}
	one := &Volume{Volume: v, Birth: at, Content: map[string]string{"file": fmt.Sprint(v.Name, at)}}
	w.volumes[v.Name] = one
	w.lay(one)
	w.tell(func(s *inventory.Seen) { s.Volumes = append(s.Volumes, one.Volume) })
	return one
}

func pairs(list []string) map[string]string {
	out := map[string]string{}
	for _, one := range list {
		for i := range one {
			if one[i] == '=' {
				out[one[:i]] = one[i+1:]
				break
			}
		}
	}
	return out
}

// Remove destroys a volume, if it is there and no container refers to it.
func (w *World) Remove(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.volumes[name] != nil && len(w.users(name)) == 0 {
		w.destroy(name, nil)
	}
}

// Free removes all containers that refer to a volume, but for helpers.
func (w *World) Free(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range w.users(name) {
		if w.containers[id].Labels[inventory.LabelHelper] == "" {
			delete(w.containers, id)
		}
	}
}

func (w *World) users(volume string) (ids []string) {
	for _, id := range slices.Sorted(maps.Keys(w.containers)) {
		if w.containers[id].Refers(volume) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (w *World) destroy(name string, by *Process) {
	v := w.volumes[name]
	delete(w.volumes, name)
	w.clear(name)
	w.tell(func(s *inventory.Seen) { s.Went(name) })
	if by != nil && by == v.by {
		return // it takes back what it made
	}
	w.destroyed = append(w.destroyed, Destroyed{name, v.Birth, w.next(), by})
	if by != nil {
		by.mayDestroy(v)
	}
}

// Unnamed stands for a volume that nobody named.
const Unnamed = ""

// Run makes a container of a service of a project that runs and mounts volumes,
// which it makes where they are not there. Without a project it is a stranger.
func (w *World) Run(name, project, service string, volumes ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byName(name) != nil {
		return
	}
	at := w.next()
	c := &Container{Container: inventory.Container{
		ID: fmt.Sprintf("%s-%d", name, at), Name: name, State: "running", Created: Epoch.Add(time.Duration(at) * time.Second), Labels: map[string]string{},
	}}
	if project != "" {
		c.Labels = pairs([]string{inventory.LabelProject + "=" + project, "com.docker.compose.service=" + service, "com.docker.compose.config-hash=x", "com.docker.compose.oneoff=False"})
	}
	for _, v := range volumes {
		var labels map[string]string
		if v == Unnamed {
			v, labels = fmt.Sprintf("%064x", w.tick+0xa000), map[string]string{inventory.LabelAnonymous: ""}
			c.Anonymous = append(c.Anonymous, v)
		}
		w.make(inventory.Volume{Name: v, Driver: "local", Labels: labels})
		c.Mounts = append(c.Mounts, inventory.Mount{Volume: v, Writable: true})
	}
	for id, n := range w.networks {
		if project != "" && n.Labels[inventory.LabelProject] == project {
			c.Networks = append(c.Networks, id)
		}
	}
	w.containers[c.ID] = c
	w.tell(func(s *inventory.Seen) { s.Containers = append(s.Containers, c.Container) })
}

// Removing makes a container of a project that the engine is removing, for ever.
func (w *World) Removing(name, project string) {
	w.Run(name, project, "gone")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.byName(name).State = "removing"
}

// Network makes a network of a project.
func (w *World) Network(project, key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := fmt.Sprintf("network-%d", w.next())
	w.networks[id] = inventory.Network{ID: id, Name: project + "_" + key, Labels: pairs([]string{inventory.LabelProject + "=" + project, "com.docker.compose.network=" + key})}
}

// Halt stops a container, as somebody else does.
func (w *World) Halt(container string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.byName(container); c != nil && c.State == "running" {
		c.State = "exited"
	}
}

func (w *World) byName(name string) *Container {
	for _, c := range w.containers {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Has reports whether there is a volume of this name.
func (w *World) Has(volume string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.volumes[volume] != nil
}

// Runs reports whether there is a container of this name, and it runs.
func (w *World) Runs(container string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.byName(container)
	return c != nil && c.Runs()
}

// Volume is the volume of that name, or nil.
func (w *World) Volume(name string) *Volume {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.volumes[name]
}

// Destroyed is what has gone so far.
func (w *World) Destroyed() []Destroyed {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.destroyed)
}
