package transport

import (
	"context"
	"math/rand/v2"
	"time"
)

// Patience is how long, and how often, a server that does not answer well is tried.
type Patience struct {
	Limit   time.Duration // for all attempts together
	First   time.Duration // wait after the first attempt; twice as long after each further one
	Longest time.Duration // such wait
}

// Try calls until an attempt succeeds, another one cannot help, or there is no time for
// one. passing reports whether an error may be another one, or none, at the next attempt,
// and after how long at least. The context of a call ends with the patience. The error is
// the last one that says more than that time is up.
func (p Patience) Try(ctx context.Context, call func(context.Context) error, passing func(error) (again bool, after time.Duration)) error {
	ctx, cancel := context.WithTimeout(ctx, p.Limit)
	defer cancel()
	var last error
	for wait := p.First; ; wait = min(2*wait, p.Longest) {
		err := call(ctx)
		if err == nil {
			return nil
		}
		again, after := passing(err)
		switch {
		case !again:
			return err
		case last != nil && ctx.Err() != nil: // what stood in the way says more
			return last
		}
		last = err
		// Several that were turned away together do not come back together.
		pause := max(wait/2+rand.N(wait/2+1), after)
		if end, _ := ctx.Deadline(); time.Until(end) < pause {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}
