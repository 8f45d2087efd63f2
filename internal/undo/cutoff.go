package undo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/trash"
)

// movesLimit is how long moves in the trash may take, with a helper container if
// need be. They are renames: after that the engine counts as hung.
const movesLimit = 2 * time.Minute

// toTheEnd is a context for moves that a signal does not stop.
func toTheEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), movesLimit)
}

// moment is how long a purge may take to stop between two volumes after a signal, and
// an undo to make volumes. In a large volume a purge does not stop: what is left is for
// whoever settles the operation.
const moment = 2 * time.Second

// ready makes the volumes, and makes sure that they are not in use. Nothing has been
// moved so far: a signal ends it where the engine does not answer soon.
func (r *Run) ready(ctx context.Context, signals <-chan os.Signal) (sig os.Signal, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		err := r.make(ctx)
		if err == nil {
			err = r.unused(ctx)
		}
		done <- err
	}()
	select {
	case err = <-done:
		return nil, err
	case sig = <-signals:
	}
	defer time.AfterFunc(moment, cancel).Stop()
	return sig, <-done
}

var errDeleting = errors.New("it was cut off while it deleted a volume, which ccdestroy reconcile ends")

// delete purges until all is done or a signal comes. The error is errDeleting if
// it was still deleting.
func (p *Purge) delete(ctx context.Context, items []trash.Item, signals <-chan os.Signal) (out trash.Response, sig os.Signal, err error) {
	type answer struct {
		trash.Response
		error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan answer, 1)
	go func() {
		out, err := p.shelf.Do(ctx, trash.Request{Action: trash.DoPurge, Items: items})
		done <- answer{out, err}
	}()
	select {
	case a := <-done:
		return a.Response, nil, a.error
	case sig = <-signals:
	}
	cancel()
	select {
	case a := <-done:
		return a.Response, sig, a.error
	case <-time.After(moment):
		return out, sig, errDeleting
	}
}

// cutOff says how a purge that a signal stopped has ended. It stays unfinished if
// a volume is half gone, or nothing can be seen.
func (p *Purge) cutOff(ctx context.Context, o *record.Operation, sig os.Signal, err error) record.Ended {
	unfinished := record.Ended{Outcome: audit.Pending, Affected: o.About, Err: fault.StoppedBy(sig, "cannot tell what was purged: "+err.Error())}
	if errors.Is(err, errDeleting) {
		return unfinished
	}
	ctx, cancel := toTheEnd(ctx)
	defer cancel()
	out, looked := p.shelf.Do(ctx, trash.Request{Action: trash.DoLocate, Items: itemsOf(o.Details.Purged)})
	if looked != nil || slices.ContainsFunc(out.Found, func(f trash.Found) bool { return f.Where == trash.Ending }) {
		return unfinished
	}
	meant := len(o.Details.Purged)
	end := judgePurge(o, out.Found, true)
	if end.Outcome == audit.Failed {
		end.Outcome = audit.Cancelled
	}
	if end.Outcome != audit.Success {
		end.Err = fault.StoppedBy(sig, fmt.Sprintf("%d of %d volumes were purged", len(o.Details.Purged), meant))
	}
	return end
}
