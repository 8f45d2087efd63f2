package guard

import (
	"context"
	"slices"
	"sync"
)

// busy are the volumes that the allowed calls concern, until their
// responses come.
type busy struct {
	mu    sync.Mutex // guards names
	names map[string]bool
	freed chan struct{} // closed, and made anew, when some are free again
}

// take waits until nothing else has one of the names, and takes them all.
func (b *busy) take(ctx context.Context, names []string) error {
	for {
		b.mu.Lock()
		if b.names == nil {
			b.names, b.freed = map[string]bool{}, make(chan struct{})
		}
		if !slices.ContainsFunc(names, func(n string) bool { return b.names[n] }) {
			for _, n := range names {
				b.names[n] = true
			}
			b.mu.Unlock()
			return nil
		}
		freed := b.freed
		b.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *busy) free(names []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range names {
		delete(b.names, n)
	}
	close(b.freed)
	b.freed = make(chan struct{})
}

// seats are for calls that look at the engine. A thousand that look at once would
// all be late.
type seats struct {
	once  sync.Once
	taken chan struct{}
}

// atOnce is how many look at once.
const atOnce = 16

// take waits for a seat, as long as ctx lasts.
func (s *seats) take(ctx context.Context) (leave func(), err error) {
	s.once.Do(func() { s.taken = make(chan struct{}, atOnce) })
	select {
	case s.taken <- struct{}{}:
		return func() { <-s.taken }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
