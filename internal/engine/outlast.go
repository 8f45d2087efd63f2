package engine

import (
	"context"
	"time"
)

// patience is how long to wait for the answer to a change after a signal: the
// engine carries out the request in any case, usually quickly.
const patience = 10 * time.Second

// outlast is a context that ends only a while after ctx.
func outlast(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(patience, cancel) })
	return longer, func() { stop(); cancel() }
}
