package guard

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// How often an engine that does not answer yet is asked again, and how often to
// look whether something is unfinished.
const (
	answerPoll  = 500 * time.Millisecond
	settleEvery = time.Minute
)

// engineBegins is called when an engine starts, and so knows of no earlier call:
// whatever this process allowed before has ended without a response.
func (g *Guard) engineBegins() {
	g.mu.Lock()
	left := g.open
	g.open, g.is = nil, inventory.Engine{}
	g.mu.Unlock()
	go func() {
		ctx := context.Background()
		for {
			if _, err := g.engine(ctx); err == nil {
				break
			}
			time.Sleep(answerPoll)
		}
		for _, calls := range left {
			for _, a := range calls {
				g.finish(ctx, a)
			}
		}
	}()
}

// settle settles what was interrupted, unless it is known that nothing was.
func (g *Guard) settle(ctx context.Context) error {
	g.settling.Lock()
	defer g.settling.Unlock()
	g.mu.Lock()
	settled := g.settled
	g.settled = true // finish may find out otherwise in the meantime
	g.mu.Unlock()
	if settled {
		return nil
	}
	b := *g.Book
	b.Note = func(string) {} // what is running need not be reported
	r, err := b.Reconcile(ctx, false)
	for _, obstacle := range r.Obstacles { // of another engine, or of a script
		g.once("what is unfinished cannot be settled: " + obstacle.Error())
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	g.unsettled()
	return err
}

// unsettled notes that there may be something to settle.
func (g *Guard) unsettled() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settled = false
}

// once says something, unless it was said before.
func (g *Guard) once(text string) {
	g.mu.Lock()
	said := g.said[text]
	if g.said == nil {
		g.said = map[string]bool{}
	}
	g.said[text] = true
	g.mu.Unlock()
	if !said {
		g.Note(text)
	}
}

// Settle settles what earlier guards, and others, left unfinished in the log, again
// and again until ctx ends.
func (g *Guard) Settle(ctx context.Context) {
	for {
		wait := settleEvery
		if _, err := g.engine(ctx); err != nil {
			wait = answerPoll
		} else if err := g.settle(ctx); err != nil && ctx.Err() == nil {
			g.once("what is unfinished cannot be settled: " + err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-g.hurry:
			time.Sleep(answerPoll)
		case <-time.After(wait):
			g.unsettled() // others may have left something
		}
	}
}
