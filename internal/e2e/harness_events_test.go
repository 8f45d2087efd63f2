package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/client"
)

// heard is what the engine tells of, from the moment that listen was called.
type heard struct {
	stop func() // closes the stream

	mu   sync.Mutex // guards seen and err
	seen []events.Message
	err  error // that ended the stream before the test ended
}

// listen opens the engine's event stream and keeps what it tells of containers,
// volumes and networks whose name has the given text in it.
func listen(t *testing.T, api *client.Client, text string) *heard {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	h := &heard{stop: func() { cancel(); <-done }}
	t.Cleanup(h.stop)
	// The engine answers before it listens: it is asked for the time between.
	now := time.Now()
	messages, errs := api.Events(ctx, events.ListOptions{Since: fmt.Sprintf("%d.%09d", now.Unix(), now.Nanosecond())})
	go func() {
		defer close(done)
		for {
			select {
			case m := <-messages:
				if !strings.Contains(nameOf(m), text) {
					continue
				}
				h.mu.Lock()
				h.seen = append(h.seen, m)
				h.mu.Unlock()
			case err := <-errs:
				h.mu.Lock()
				h.err = err
				h.mu.Unlock()
				return
			}
		}
	}()
	return h
}

// nameOf is the name of what an event is about: only a volume's is its id.
func nameOf(m events.Message) string {
	if m.Type == events.VolumeEventType {
		return m.Actor.ID
	}
	return m.Actor.Attributes["name"]
}

// all returns what was heard by now.
func (h *heard) all() []events.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.seen)
}

// hearOut waits until all has been heard that happened by now: the engine tells of
// it in its order, and so of a last thing last.
func (s *stack) hearOut(h *heard) {
	s.t.Helper()
	s.docker("network", "create", "PROJ-last")
	s.docker("network", "rm", "PROJ-last")
	waitFor(s.t, "the engine's last event", func() bool {
		return slices.ContainsFunc(h.all(), func(m events.Message) bool { return nameOf(m) == s.name+"-last" && m.Action == events.ActionDestroy })
	})
}

// broken is why nothing more is heard, or nil.
func (h *heard) broken() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

// of reports whether an action on something of a kind was heard.
func (h *heard) of(kind events.Type, action events.Action) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.seen, func(m events.Message) bool { return m.Type == kind && m.Action == action })
}
