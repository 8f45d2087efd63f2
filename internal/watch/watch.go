package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Event is what the engine reported about a volume.
type Event struct {
	Volume    string
	Destroyed bool // otherwise created
	At        time.Time
}

// Engine is what is asked of the Docker Engine.
type Engine interface {
	Describe(context.Context) (inventory.Engine, error)
	// Volumes lists the engine's volumes. whole is false when a volume driver did
	// not answer: volumes of drivers other than "local" may be missing then.
	Volumes(context.Context) (list []inventory.Volume, whole bool, err error)
	// Follow calls visit with every event of a volume from now on. ready is
	// called when the engine has begun to report. It returns when ctx ends or the
	// engine goes away.
	Follow(ctx context.Context, ready func(), visit func(Event)) error
}

// Loss is one volume that is gone.
type Loss struct {
	Volume inventory.Volume // as it was known; perhaps only its name
	Engine inventory.Engine // that had it
	At     time.Time        // when the engine said so, or it was noticed
	Since  time.Time        // if it went between Since and At, while nobody watched; otherwise zero
	// Listed is when an earlier watch wrote the list that this loss comes from; zero
	// where this one saw it. That watch may have recorded it afterwards.
	Listed time.Time
}

// Ledger is where losses are recorded: Records.
type Ledger interface {
	// Record records the losses that no other record accounts for. left are those
	// that it must be called with again: after an error, the ones that are not
	// recorded; and, unless it is the last call, the ones that a running operation
	// may be destroying.
	Record(ctx context.Context, losses []Loss, last bool) (left []Loss, err error)
	// Gap records that nobody watched between two times.
	Gap(ctx context.Context, e inventory.Engine, from, to time.Time) error
}

// Watch is one watch over one engine.
type Watch struct {
	Engine Engine
	Ledger Ledger
	Memory Memory
	Now    func() time.Time
	Note   func(string) // reports an incidental notice

	engine   inventory.Engine            // that is followed, or was last
	followed bool                        // engine and seen are known
	seen     time.Time                   // until when it was followed
	known    map[string]inventory.Volume // the volumes that there are; nil before the first list
	missed   map[string]int              // how often a name was found gone by comparing lists, without an event
	listed   time.Time                   // when Memory was written that known comes from; zero of a list of ours

	held  []Loss        // gone, and neither recorded nor accounted for by another record yet
	next  time.Time     // when held is gone through again
	pause time.Duration // that was made before it

	saved time.Time       // when Memory was written, or could not be
	dirty bool            // it no longer holds what is known
	said  map[string]bool // problems that were reported
}

// How often an engine that is away, or a loss that cannot be recorded yet, is
// tried again; and how old the time in Memory may become.
const (
	retryMin  = 200 * time.Millisecond
	retryMax  = 5 * time.Second
	saveEvery = time.Minute
)

// Run watches until ctx ends. An error says which losses are neither recorded nor
// remembered.
func (w *Watch) Run(ctx context.Context) error {
	w.recall()
	pause, told := retryMin, false
	for ctx.Err() == nil {
		began := w.Now()
		err := w.follow(ctx)
		if ctx.Err() != nil {
			break
		}
		if w.Now().Sub(began) > retryMax {
			pause, told = retryMin, false
		}
		if !told {
			w.Note(fmt.Sprintf("the engine cannot be followed, and is tried again: %v", err))
			told = true
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, retryMax)
		w.record()
	}
	return w.end()
}

// follow follows the engine as long as it stays. The engine's stream is read at
// once and always: a reader that stalls slows the whole engine down.
func (w *Watch) follow(ctx context.Context) error {
	if w.known == nil {
		asked := w.Now()
		list, _, err := w.Engine.Volumes(ctx)
		if err != nil {
			return err
		}
		w.learn(list, asked)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := newQueue(ctx)
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- w.Engine.Follow(ctx, func() { close(ready) }, queue.add)
		queue.end(errors.New("the engine's events have ended"))
	}()
	select {
	case <-ready:
	case err := <-ended:
		return err
	}
	if err := w.catchUp(ctx); err != nil {
		return err
	}
	w.record()
	w.save()
	w.Note(fmt.Sprintf("watching %d volumes of %s", len(w.known), w.engine.Host))
	for {
		events, alive, over := queue.take(ctx, w.wait())
		created := w.take(events)
		if alive.After(w.seen) {
			w.seen = alive
		}
		w.record()
		w.save()
		if over != nil || ctx.Err() != nil {
			cancel() // it may be the stream that has stalled
			return errors.Join(over, <-ended)
		}
		if created {
			if err := w.describe(ctx); err != nil {
				return err
			}
		}
	}
}

// wait is how long nothing needs to be done if nothing happens.
func (w *Watch) wait() time.Duration {
	due := w.saved.Add(saveEvery)
	if len(w.held) > 0 && w.next.Before(due) {
		due = w.next
	}
	return max(due.Sub(w.Now()), 0)
}

// record records what is gone. What a running operation may be destroying, and
// what cannot be written, is kept and tried again.
func (w *Watch) record() {
	if len(w.held) == 0 || w.Now().Before(w.next) {
		return
	}
	left, err := w.Ledger.Record(context.Background(), w.held, false)
	if len(left) < len(w.held) {
		w.dirty, w.pause = true, 0
	}
	w.held, w.pause = left, min(max(2*w.pause, retryMin), retryMax)
	w.next = w.Now().Add(w.pause)
	w.once(err, "not recorded yet, and tried again")
}

// end goes through what is held for the last time. What a running operation may
// be destroying is left to the next watch; if it cannot be left, it is
// recorded.
func (w *Watch) end() error {
	w.next, w.dirty = time.Time{}, true
	w.record()
	if w.known == nil {
		return nil // nothing was seen
	}
	w.save()
	if !w.dirty || len(w.held) == 0 {
		return nil
	}
	left, err := w.Ledger.Record(context.Background(), w.held, true)
	if len(left) == 0 {
		return nil
	}
	return fmt.Errorf("%d destroyed volumes are neither recorded nor remembered: %w", len(left), err)
}

// once reports an error, until it has passed.
func (w *Watch) once(err error, what string) {
	if w.said == nil {
		w.said = map[string]bool{}
	}
	if err != nil && !w.said[what] {
		w.Note(fmt.Sprintf("%s: %v", what, err))
	}
	w.said[what] = err != nil
}
