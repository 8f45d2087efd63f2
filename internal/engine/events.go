package engine

import (
	"context"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Volumes lists the engine's volumes.
func (c *Client) Volumes(ctx context.Context) ([]inventory.Volume, error) {
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
