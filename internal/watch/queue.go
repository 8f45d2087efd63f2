package watch

import (
	"context"
	"sync"
	"time"
)

// queue holds events until they are taken, however many there are.
type queue struct {
	mu     sync.Mutex // guards the next two
	events []Event
	closed bool
	more   chan struct{} // has one element when there is something new
}

func newQueue() *queue { return &queue{more: make(chan struct{}, 1)} }

func (q *queue) add(e Event) {
	q.mu.Lock()
	q.events = append(q.events, e)
	q.mu.Unlock()
	q.wake()
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.wake()
}

func (q *queue) wake() {
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// take waits for an event, and for those that follow closely, and returns them.
// open is false when no more will come.
func (q *queue) take(ctx context.Context) (events []Event, open bool) {
	select {
	case <-q.more:
	case <-ctx.Done():
	}
	select {
	case <-time.After(collect):
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	events, q.events = q.events, nil
	return events, !q.closed && ctx.Err() == nil
}
