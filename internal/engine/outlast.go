package engine

import (
	"context"
	"time"
)

// patience is how long the answer to a change is waited for after a signal: the
// engine carries out what it was asked for in any case, and most of it is quick.
const patience = 10 * time.Second

// outlast is a context that ends only a while after ctx.
func outlast(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(patience, cancel) })
	return longer, func() { stop(); cancel() }
}
