package store

import (
	"context"
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

// Copy is a sink and when lines have to be there. Of several calls at once one copies,
// and the others wait and find it done.
type Copy struct {
	Sink Sink
	Mode Mode
	// Alone keeps other processes of this account from sending the same lines at the
	// same time: for a sink that cannot tell a repeat.
	Alone bool

	mu     sync.Mutex // guards failed
	failed time.Time  // when copying last failed
}

// Copies are all sinks that logs are copied to. It is record's Copier. None waits for
// another one.
type Copies struct {
	To    []*Copy
	State string // as in Shipper
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
	return c.each(ctx, func(to *Copy) error {
		if to.Mode != Require {
			return nil
		}
		to.mu.Lock()
		defer to.mu.Unlock()
		return c.within(ctx, to, l, secureBudget)
	})
}

// Follow ships the log to all sinks, but for those that failed a moment ago.
func (c *Copies) Follow(ctx context.Context, l *audit.Log) error {
	return c.each(ctx, func(to *Copy) error {
		to.mu.Lock()
		defer to.mu.Unlock()
		if time.Since(to.failed) < restBudget && !to.failed.IsZero() {
			return nil
		}
		return c.within(ctx, to, l, followBudget)
	})
}

// Ship ships the log to one of the sinks, however long it takes.
func (c *Copies) Ship(ctx context.Context, to *Copy, l *audit.Log) (Shipped, error) {
	return (&Shipper{Log: l, Sink: to.Sink, State: c.State, Alone: to.Alone}).Ship(ctx)
}

// each calls do for all sinks in parallel. The error of a signal goes before theirs.
func (c *Copies) each(ctx context.Context, do func(*Copy) error) error {
	errs := make([]error, len(c.To))
	var work sync.WaitGroup
	for i, to := range c.To {
		work.Go(func() { errs[i] = do(to) })
	}
	work.Wait()
	if ctx.Err() != nil { // a signal
		return ctx.Err()
	}
	return inOne(errs)
}

// inOne joins errors, on one line.
func inOne(errs []error) (all error) {
	for _, err := range errs {
		switch {
		case err == nil:
		case all == nil:
			all = err
		default:
			all = fmt.Errorf("%w; %w", all, err)
		}
	}
	return all
}

func (c *Copies) within(ctx context.Context, to *Copy, l *audit.Log, budget time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	_, err := c.Ship(limited, to, l)
	if err == nil || ctx.Err() != nil {
		return err
	}
	to.failed = time.Now()
	if limited.Err() != nil {
		err = fmt.Errorf("not within %s: %w", budget, err)
	}
	return err
}
