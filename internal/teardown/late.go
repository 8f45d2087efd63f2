package teardown

import (
	"context"

	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// noteLate records, in a further durable pending event, volumes that were created after the
// last look and that the command asks for, until stop is called. The operation is
// its own until then.
//
// If this process is killed, these are the ones that settling knows of. One
// that is destroyed before it could be noted is then in no record.
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
			// If this fails, the outcome still names them.
			if len(late) > noted && o.PendMore(context.WithoutCancel(ctx), late) == nil {
				noted = len(late)
			}
		}
	}()
	return func() { cancel(); <-done }
}
