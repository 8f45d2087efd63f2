package watch

import (
	"context"
	"errors"
	"sync"
	"time"
)

// How long a batch of events is collected; how often the reader of the stream
// shows that it is alive; and after how long without that the stream is given up.
const (
	collect = 100 * time.Millisecond
	pulse   = 5 * time.Second
	stalled = time.Minute
)

// errStalled says that this process was stopped, alone or with the machine. The
// engine drops events that nothing reads.
var errStalled = errors.New("this process stood still for a while")

// queue holds events until they are taken, however many there are. It knows until
// when they were received: a process that was stopped and continues has an open
// stream, and has missed what the engine reported in the meantime.
type queue struct {
	mu     sync.Mutex // guards what follows but more
	events []Event
	alive  time.Time     // when events were surely received
	over   error         // why no more will come, or nil
	more   chan struct{} // has one element when there is something new
}

// newQueue is alive until ctx ends.
func newQueue(ctx context.Context) *queue {
	q := &queue{more: make(chan struct{}, 1)}
	go func() {
		tick := time.NewTicker(pulse)
		defer tick.Stop()
		for last := time.Now(); ; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			now := time.Now()
			q.beat(last, now)
			last = now
		}
	}()
	return q
}

// beat notes that the time has come from last to now. A beat that is late says
// nothing: what happened in the meantime may not have been received yet.
func (q *queue) beat(last, now time.Time) {
	switch late := now.Round(0).Sub(last.Round(0)); { // by the wall clock: the monotonic one stops while a machine sleeps
	case late > stalled:
		q.end(errStalled)
	case late < 2*pulse:
		q.mu.Lock()
		q.alive = now
		q.mu.Unlock()
	}
}

func (q *queue) add(e Event) {
	q.mu.Lock()
	q.events = append(q.events, e)
	q.mu.Unlock()
	q.wake()
}

// end says that no more events will come.
func (q *queue) end(err error) {
	q.mu.Lock()
	if q.over == nil {
		q.over = err
	}
	q.mu.Unlock()
	q.wake()
}

func (q *queue) wake() {
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// take waits for an event, for at most limit, and for those that follow closely,
// and returns them. alive is until when all events were received that there
// were; over says why no more will come, or is nil.
func (q *queue) take(ctx context.Context, limit time.Duration) (events []Event, alive time.Time, over error) {
	select {
	case <-q.more:
		select {
		case <-time.After(collect):
		case <-ctx.Done():
		}
	case <-time.After(limit):
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	events, q.events = q.events, nil
	return events, q.alive, q.over
}
