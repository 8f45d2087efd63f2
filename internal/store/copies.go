package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Mode says when a line has to be at a sink.
type Mode string

// The modes.
const (
	// Require is before anything is destroyed: no copy, no deed.
	Require Mode = "require"
	// Later is at the end of the operation if that takes little time, else with the
	// next command.
	Later Mode = "later"
)

// Copy is a sink and when lines have to be there.
type Copy struct {
	Sink Sink
	Mode Mode
}

// Copies are all sinks that logs are copied to. It is record's Copier. Of several
// calls at once one copies, and the others wait and find it done.
type Copies struct {
	To    []Copy
	State string // as in Shipper

	mu     sync.Mutex // guards failed
	failed time.Time  // when Follow or Secure last failed
}

// How long copying may take. Tests alone change it.
var (
	secureBudget = 30 * time.Second // before the deed
	followBudget = 3 * time.Second  // after the outcome
	// restBudget is how long after a failure Follow tries nothing: a watch must not
	// wait at each event for a store that is down.
	restBudget = 30 * time.Second
)

// Secure ships the log to the sinks that require it.
func (c *Copies) Secure(ctx context.Context, l *audit.Log) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ship(ctx, l, secureBudget, func(to Copy) bool { return to.Mode == Require })
}

// Follow ships the log to all sinks.
func (c *Copies) Follow(ctx context.Context, l *audit.Log) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.failed) < restBudget && !c.failed.IsZero() {
		return nil
	}
	return c.ship(ctx, l, followBudget, func(Copy) bool { return true })
}

// ship goes to all of them at once.
func (c *Copies) ship(ctx context.Context, l *audit.Log, budget time.Duration, wanted func(Copy) bool) error {
	limited, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	errs := make([]error, len(c.To))
	var work sync.WaitGroup
	for i, to := range c.To {
		if !wanted(to) {
			continue
		}
		work.Go(func() {
			_, errs[i] = (&Shipper{Log: l, Sink: to.Sink, State: c.State}).Ship(limited)
		})
	}
	work.Wait()
	err := errors.Join(errs...)
	if ctx.Err() != nil { // a signal
		return ctx.Err()
	}
	if err != nil {
		c.failed = time.Now()
	}
	if err != nil && limited.Err() != nil {
		err = fmt.Errorf("not within %s: %w", budget, err)
	}
	return err
}
