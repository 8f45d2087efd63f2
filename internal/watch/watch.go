package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Event is what the engine told of a volume.
type Event struct {
	Volume    string
	Destroyed bool // else created
	At        time.Time
}

// Engine is what is asked of the Docker Engine.
type Engine interface {
	Describe(context.Context) (inventory.Engine, error)
	// Volumes lists the engine's volumes.
	Volumes(context.Context) ([]inventory.Volume, error)
	// Follow calls visit with every event of a volume from now on. ready is
	// called when the engine has begun to tell. It returns when ctx ends or the
	// engine goes away.
	Follow(ctx context.Context, ready func(), visit func(Event)) error
}

// Loss is one volume that is gone.
type Loss struct {
	Volume inventory.Volume // as it was known; perhaps its name alone
	At     time.Time        // when the engine said so, or noticed
	Since  time.Time        // it went between Since and At, while nobody watched; zero else
}

// Ledger is where losses are recorded: Records.
type Ledger interface {
	// Record records losses, those that no other record tells of. Until it
	// returns nil it is called again with the same and later ones.
	Record(context.Context, inventory.Engine, []Loss) error
	// Gap records that nobody watched between two times.
	Gap(ctx context.Context, e inventory.Engine, from, to time.Time) error
}

// Watch is one watch over one engine.
type Watch struct {
	Engine Engine
	Ledger Ledger
	Now    func() time.Time
	Note   func(string) // reports an incidental notice

	known  map[string]inventory.Volume // nil before the first list
	engine inventory.Engine
	seen   time.Time // when the engine was followed last
}

// How long a batch of losses is collected, and how often an engine that is away
// is tried again.
const (
	collect  = 100 * time.Millisecond
	retryMin = 200 * time.Millisecond
	retryMax = 5 * time.Second
)

// Run watches until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	pause, told := retryMin, false
	for ctx.Err() == nil {
		began := w.Now()
		err := w.follow(ctx)
		if ctx.Err() != nil {
			return
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
	}
}

// follow follows the engine as long as it stays. The engine's stream is read at
// once and always: a reader that stalls slows the whole engine down.
func (w *Watch) follow(ctx context.Context) error {
	if w.known == nil {
		list, err := w.Engine.Volumes(ctx)
		if err != nil {
			return err
		}
		w.learn(list)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := newQueue()
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- w.Engine.Follow(ctx, func() { close(ready) }, queue.add)
		queue.close()
	}()
	select {
	case <-ready:
	case err := <-ended:
		return err
	}
	if err := w.catchUp(ctx); err != nil {
		return err
	}
	w.Note(fmt.Sprintf("watching %d volumes of %s", len(w.known), w.engine.Host))
	for {
		events, open := queue.take(ctx)
		if err := w.take(ctx, events); err != nil {
			return err
		}
		if w.seen = w.Now(); !open {
			return errors.Join(errors.New("the engine's events have ended"), <-ended)
		}
	}
}

func (w *Watch) learn(list []inventory.Volume) {
	w.known = map[string]inventory.Volume{}
	for _, v := range list {
		w.known[v.Name] = v
	}
	w.seen = w.Now()
}

// catchUp finds what went while nobody watched.
func (w *Watch) catchUp(ctx context.Context) error {
	engine, err := w.Engine.Describe(ctx)
	if err != nil {
		return err
	}
	list, err := w.Engine.Volumes(ctx)
	if err != nil {
		return err
	}
	other := w.engine.ID != "" && engine.ID != w.engine.ID
	gap := w.engine.ID != ""
	w.engine = engine
	if other {
		w.Note("another engine answers now")
		w.learn(list)
		return nil
	}
	now, is := w.Now(), map[string]inventory.Volume{}
	for _, v := range list {
		is[v.Name] = v
	}
	var lost []Loss
	for name, was := range w.known {
		if v, there := is[name]; !there || w.remade(was, v) {
			lost = append(lost, Loss{Volume: was, At: now, Since: w.seen})
		}
	}
	slices.SortFunc(lost, func(a, b Loss) int { return strings.Compare(a.Volume.Name, b.Volume.Name) })
	if gap {
		if err := w.Ledger.Gap(ctx, engine, w.seen, now); err != nil {
			return err
		}
	}
	if len(lost) > 0 {
		if err := w.Ledger.Record(ctx, engine, lost); err != nil {
			return err
		}
	}
	w.learn(list)
	return nil
}

func (w *Watch) remade(was, is inventory.Volume) bool {
	if !was.Born.IsZero() && !is.Born.IsZero() {
		return !was.Born.Equal(is.Born)
	}
	return w.engine.StableCreated && is.Created.After(was.Created)
}

// take takes a batch of events up. A destroy of a volume that is not known was
// taken up before, by its absence from the list.
func (w *Watch) take(ctx context.Context, events []Event) error {
	var lost []Loss
	created := false
	for _, e := range events {
		v, known := w.known[e.Volume]
		switch {
		case !e.Destroyed:
			created = true
			w.known[e.Volume] = inventory.Volume{Name: e.Volume}
		case known:
			delete(w.known, e.Volume)
			lost = append(lost, Loss{Volume: v, At: e.At})
		}
	}
	for pause := retryMin; len(lost) > 0; pause = min(2*pause, retryMax) {
		err := w.Ledger.Record(ctx, w.engine, lost)
		if err == nil {
			break
		}
		w.Note(fmt.Sprintf("not recorded yet: %v", err))
		select {
		case <-ctx.Done(): // once more, and for the last time
			return w.Ledger.Record(context.WithoutCancel(ctx), w.engine, lost)
		case <-time.After(pause):
		}
	}
	if created {
		return w.describe(ctx)
	}
	return nil
}

// describe finds out about volumes of which only the name is known.
func (w *Watch) describe(ctx context.Context) error {
	list, err := w.Engine.Volumes(ctx)
	if err != nil {
		return err
	}
	for _, v := range list {
		if old, known := w.known[v.Name]; known && old.Created.IsZero() {
			w.known[v.Name] = v
		}
	}
	return nil
}
