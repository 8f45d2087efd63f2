package engine

import (
	"context"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
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
