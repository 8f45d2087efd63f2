package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/system"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Volumes lists the engine's volumes. whole is false when a volume driver did not
// answer: volumes of drivers other than "local" may be missing then.
func (c *Client) Volumes(ctx context.Context) (volumes []inventory.Volume, whole bool, err error) {
	if err := c.ready(ctx); err != nil {
		return nil, false, err
	}
	if volumes, whole, err = c.volumes(ctx); err != nil {
		return nil, false, c.unreachable(err)
	}
	return volumes, whole, nil
}

// Follow calls visit with every creation and destruction of a volume from when
// ready is called, until ctx ends or the engine goes away.
func (c *Client) Follow(ctx context.Context, ready func(), visit func(name string, destroyed bool, at time.Time)) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	since, err := c.since(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages, errs := c.api.Events(ctx, events.ListOptions{
		Since: since,
		Filters: filters.NewArgs(
			filters.Arg("type", string(events.VolumeEventType)),
			filters.Arg("event", string(events.ActionCreate)), filters.Arg("event", string(events.ActionDestroy)), filters.Arg("event", string(removed)),
		),
	})
	ready() // the client returns when the engine has answered
	for {
		select {
		case m := <-messages:
			m = dockerEvent(m)
			visit(m.Actor.ID, m.Action == events.ActionDestroy, time.Unix(0, m.TimeNano))
		case err := <-errs:
			return c.unreachable(err)
		}
	}
}

// clock is what the engine's clock showed when it was asked.
type clock struct {
	showed   time.Time
	answered time.Time // by our clock
}

// clockLimit is how long the two clocks are assumed to keep the same pace.
const clockLimit = 10 * time.Minute

// since is the time from which an engine is asked for events, so that none is missed
// from now on: it answers before it listens. It is the time that its own clock
// shows now, or a little earlier: no more than an answer takes.
func (c *Client) since(ctx context.Context) (string, error) {
	last := c.lastClock()
	if time.Since(last.answered) > clockLimit { // or it was never asked
		if _, err := c.info(ctx); err != nil {
			return "", err
		}
		if last = c.lastClock(); last.answered.IsZero() {
			return "", fmt.Errorf("the engine at %s does not say what time it is", c.host)
		}
	}
	now := last.showed.Add(time.Since(last.answered))
	return fmt.Sprintf("%d.%09d", now.Unix(), now.Nanosecond()), nil
}

func (c *Client) lastClock() clock {
	c.clocked.Lock()
	defer c.clocked.Unlock()
	return c.clock
}

// saidLimit is how long what the engine said about itself counts as recent.
const saidLimit = 5 * time.Second

// justSaid is what the engine said about itself recently, or says now if it has not:
// Engine 20.10 starts other programs to answer.
func (c *Client) justSaid(ctx context.Context) (system.Info, error) {
	c.clocked.Lock()
	said, at := c.said, c.saidAt
	c.clocked.Unlock()
	if !at.IsZero() && time.Since(at) < saidLimit {
		return said, nil
	}
	return c.info(ctx)
}

// info asks the engine about itself, and notes what its clock shows.
func (c *Client) info(ctx context.Context) (system.Info, error) {
	info, err := c.api.Info(ctx)
	if err != nil {
		return info, c.unreachable(err)
	}
	if isPodman(info, c.speaks) {
		info.ID = podmanID(info)
	}
	c.clocked.Lock()
	defer c.clocked.Unlock()
	c.said, c.saidAt = info, time.Now()
	if showed, err := time.Parse(time.RFC3339Nano, info.SystemTime); err == nil {
		c.clock = clock{showed: showed, answered: time.Now()}
	}
	return info, nil
}
