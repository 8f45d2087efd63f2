package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Volumes lists the engine's volumes.
func (c *Client) Volumes(ctx context.Context) ([]inventory.Volume, error) {
	volumes, _, err := c.AnsweredVolumes(ctx)
	return volumes, err
}

// AnsweredVolumes is Volumes. whole is false when a volume driver did not answer:
// volumes of drivers other than "local" may be missing then.
func (c *Client) AnsweredVolumes(ctx context.Context) (volumes []inventory.Volume, whole bool, err error) {
	if err := c.ready(ctx); err != nil {
		return nil, false, err
	}
	asked := time.Now()
	list, err := c.api.VolumeList(ctx, volume.ListOptions{})
	if err != nil {
		return nil, false, c.unreachable(err)
	}
	for _, v := range list.Volumes {
		volumes = append(volumes, c.volume(*v, asked))
	}
	return volumes, len(list.Warnings) == 0, nil
}

// Follow calls visit with every creation and destruction of a volume from when
// ready is called, until ctx ends or the engine goes away.
//
// The engine answers before it listens. So it is asked for what happened since
// the time that its own clock showed before.
func (c *Client) Follow(ctx context.Context, ready func(), visit func(name string, destroyed bool, at time.Time)) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	info, err := c.api.Info(ctx)
	if err != nil {
		return c.unreachable(err)
	}
	since, err := time.Parse(time.RFC3339Nano, info.SystemTime)
	if err != nil {
		return fmt.Errorf("the time of the engine at %s: %w", c.host, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages, errs := c.api.Events(ctx, events.ListOptions{
		Since: fmt.Sprintf("%d.%09d", since.Unix(), since.Nanosecond()),
		Filters: filters.NewArgs(
			filters.Arg("type", string(events.VolumeEventType)),
			filters.Arg("event", string(events.ActionCreate)), filters.Arg("event", string(events.ActionDestroy)),
		),
	})
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
