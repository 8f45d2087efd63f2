package reap

import (
	"os"
	"sync"
)

// broadcast passes every signal on to all teardowns that run.
type broadcast struct {
	mu     sync.Mutex // guards what follows
	seen   os.Signal  // the first one
	joined map[chan os.Signal]bool
	over   chan struct{}
}

func newBroadcast(signals <-chan os.Signal) *broadcast {
	b := &broadcast{joined: map[chan os.Signal]bool{}, over: make(chan struct{})}
	go func() {
		for {
			select {
			case sig := <-signals:
				b.send(sig)
			case <-b.over:
				return
			}
		}
	}()
	return b
}

func (b *broadcast) send(sig os.Signal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen == nil {
		b.seen = sig
	}
	for c := range b.joined {
		select {
		case c <- sig:
		default: // it already has more than it can take
		}
	}
}

// join gives a teardown the signals from now on, until it leaves.
func (b *broadcast) join() (signals <-chan os.Signal, leave func()) {
	c := make(chan os.Signal, 16)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.joined[c] = true
	return c, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.joined, c)
	}
}

func (b *broadcast) first() os.Signal {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen
}

func (b *broadcast) end() { close(b.over) }
