package teardown

import (
	"context"

	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// noteLate makes volumes durable in a further pending event that come after the
// last look and that the command asks for, until stop is called. The operation is
// its own for that long.
//
// When this process is killed, these are the ones that settling knows of. One
// that goes before it could be noted is in no record then.
func (r *Run) noteLate(o *record.Operation) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		noted := 0
		for {
			select {
			case <-ctx.Done():
				return
			case <-r.watch.News():
			}
			late := inventory.Late(o.Details.Inventory, r.before, r.watch.Seen(), r.asks)
			// Where this fails, the outcome tells of them all the same.
			if len(late) > noted && o.PendMore(context.WithoutCancel(ctx), late) == nil {
				noted = len(late)
			}
		}
	}()
	return func() { cancel(); <-done }
}
