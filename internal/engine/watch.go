package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/mount"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Watcher follows what is created and destroyed on an engine. Events say
// little, so a new volume or container is looked at as soon as it is reported. What
// is destroyed before that is known only by its name.
type Watcher struct {
	client *Client
	cancel context.CancelFunc
	told   []heard        // to others, before this one began
	done   chan struct{}  // closed when the stream has ended
	looks  sync.WaitGroup // at what was reported
	news   chan struct{}

	mu      sync.Mutex // guards what follows
	seen    inventory.Seen
	stopped bool
}

// lookLimit is how long a look at something new may take.
const lookLimit = 10 * time.Second

// Watch follows the engine from before it returns until Stop; ctx is for the time
// until it returns, in which the engine may not answer. The stream is read all the
// time: a reader that stalls slows the whole engine down.
func (c *Client) Watch(beginning context.Context) *Watcher {
	ctx, cancel := context.WithCancel(context.WithoutCancel(beginning))
	defer context.AfterFunc(beginning, cancel)()
	w := &Watcher{client: c, cancel: cancel, told: c.toldSoFar(), done: make(chan struct{}), news: make(chan struct{}, 1)}
	since, err := "", c.ready(ctx)
	if err == nil {
		since, err = c.since(ctx)
	}
	if err != nil {
		w.seen.Broken = true
		close(w.done)
		return w
	}
	messages, errs := c.api.Events(ctx, events.ListOptions{Since: since, Filters: filters.NewArgs(
		filters.Arg("type", string(events.VolumeEventType)), filters.Arg("type", string(events.ContainerEventType)),
		filters.Arg("event", string(events.ActionCreate)), filters.Arg("event", string(events.ActionDestroy)), filters.Arg("event", string(removed)),
	)})
	go func() {
		defer close(w.done)
		for {
			select {
			case m := <-messages:
				w.take(ctx, dockerEvent(m))
			case <-errs:
				w.mu.Lock()
				w.seen.Broken = w.seen.Broken || !w.stopped
				w.mu.Unlock()
				return
			}
		}
	}()
	return w
}

func (w *Watcher) take(ctx context.Context, m events.Message) {
	one := heard{m.TimeNano, m.Action, m.Actor.ID}
	if slices.Contains(w.told, one) {
		return // it was over when this one began
	}
	w.client.hear(one)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case m.Type == events.VolumeEventType && m.Action == events.ActionDestroy:
		w.seen.Went(m.Actor.ID)
	case m.Type == events.VolumeEventType:
		at := len(w.seen.Volumes)
		w.seen.Volumes = append(w.seen.Volumes, inventory.Volume{Name: m.Actor.ID, Driver: m.Actor.Attributes["driver"]})
		w.looks.Go(func() { w.lookAtVolume(context.WithoutCancel(ctx), at, m.Actor.ID) })
	case m.Action == events.ActionCreate:
		if isHelper(m.Actor.Attributes, m.Actor.Attributes["image"]) {
			return // made by us, or by another of us
		}
		at := len(w.seen.Containers)
		w.seen.Containers = append(w.seen.Containers, inventory.Container{
			ID: m.Actor.ID, Name: m.Actor.Attributes["name"], Labels: m.Actor.Attributes, State: "created",
		})
		w.looks.Go(func() { w.lookAtContainer(context.WithoutCancel(ctx), at, m.Actor.ID) })
	}
}

func (w *Watcher) lookAtVolume(ctx context.Context, at int, name string) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	asked := time.Now()
	v, err := w.client.api.VolumeInspect(ctx, name)
	if err != nil {
		return // it is gone already
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen.Volumes[at] = w.client.volume(v, asked)
	w.tell()
}

// tell signals that there is news; once is enough.
func (w *Watcher) tell() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// News receives something each time that a look has shown more.
func (w *Watcher) News() <-chan struct{} { return w.news }

func (w *Watcher) lookAtContainer(ctx context.Context, at int, id string) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	c, err := w.client.api.ContainerInspect(ctx, id)
	if err != nil {
		return
	}
	var named []string
	if !w.client.podman {
		if named, err = w.client.namedVolumes(ctx, id); err != nil {
			return
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range c.Mounts {
		if m.Type == mount.TypeVolume {
			w.seen.Containers[at].Mounts = append(w.seen.Containers[at].Mounts, inventory.Mount{Volume: m.Name, Writable: m.RW, Named: slices.Contains(named, m.Name)})
		}
	}
	w.tell()
}

// Seen is what was reported so far.
func (w *Watcher) Seen() inventory.Seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen.Clone()
}

// Stop ends it and returns everything that was reported.
func (w *Watcher) Stop() inventory.Seen {
	w.mu.Lock()
	w.stopped = true
	w.mu.Unlock()
	w.cancel()
	<-w.done
	w.looks.Wait()
	return w.Seen()
}
