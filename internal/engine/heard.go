package engine

import (
	"slices"

	"github.com/docker/docker/api/types/events"
)

// heard is an event that was received. A watcher asks for events since a little before
// it begins, so some come twice.
type heard struct {
	at     int64 // of the engine's clock, in nanoseconds
	action events.Action
	id     string
}

// heardLimit is how many events are remembered. An engine keeps 256.
const heardLimit = 1000

func (c *Client) hear(one heard) {
	c.hearing.Lock()
	defer c.hearing.Unlock()
	if slices.Contains(c.heard, one) { // by another watcher
		return
	}
	c.heard = append(c.heard, one)
	if len(c.heard) > heardLimit {
		c.heard = slices.Clone(c.heard[len(c.heard)-heardLimit:])
	}
}

func (c *Client) toldSoFar() []heard {
	c.hearing.Lock()
	defer c.hearing.Unlock()
	return slices.Clone(c.heard)
}
