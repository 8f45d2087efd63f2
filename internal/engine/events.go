package engine

import (
	"context"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"github.com/contextcore/ccdestroy/internal/teardown"
)

// WatchVolumes subscribes to the engine's volume events and reads them until
// stop is called: a reader that stalls slows the whole engine down. stop
// returns the names of the volumes whose destruction was announced.
func (c *Client) WatchVolumes(ctx context.Context) (stop func() []string) {
	ctx, cancel := context.WithCancel(ctx)
	messages, errs := c.api.Events(ctx, events.ListOptions{Filters: filters.NewArgs(
		filters.Arg("type", string(events.VolumeEventType)),
		filters.Arg("event", string(events.ActionDestroy)),
	)})
	done := make(chan struct{})
	var names []string // owned by the goroutine until done is closed
	go func() {
		defer close(done)
		for {
			select {
			case m := <-messages:
				names = append(names, m.Actor.ID)
			case <-errs:
				return
			}
		}
	}()
	return func() []string {
		cancel()
		<-done
		return names
	}
}

// Volumes lists the engine's volumes.
func (c *Client) Volumes(ctx context.Context) ([]teardown.Volume, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	list, err := c.volumes(ctx)
	if err != nil {
		return nil, c.unreachable(err)
	}
	return list, nil
}

// Follow calls visit with every creation and destruction of a volume from when
// ready is called, until ctx ends or the engine goes away.
func (c *Client) Follow(ctx context.Context, ready func(), visit func(name string, destroyed bool, at time.Time)) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages, errs := c.api.Events(ctx, events.ListOptions{Filters: filters.NewArgs(
		filters.Arg("type", string(events.VolumeEventType)),
		filters.Arg("event", string(events.ActionCreate)), filters.Arg("event", string(events.ActionDestroy)),
	)})
	ready() // the client returns when the engine has answered
	for {
		select {
		case m := <-messages:
			visit(m.Actor.ID, m.Action == events.ActionDestroy, time.Unix(0, m.TimeNano))
		case err := <-errs:
			return c.unreachable(err)
		}
	}
}
