package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"github.com/contextcore/ccdestroy/internal/fault"
)

// A signal is handled in one of two ways. A command that records, or may, ends
// what it is doing and records how far it got: it reads Process.Signals itself. One
// that is tagged signals:"end", or has a flag that is tagged so, records nothing:
// Main ends it at once.

// records reports whether a command may record something.
func records(call *kong.Context) bool {
	if node := call.Selected(); node != nil && node.Tag.Has("signals") {
		return false
	}
	for _, flag := range call.Flags() {
		if flag.Tag.Has("signals") && call.FlagValue(flag) == true {
			return false
		}
	}
	return true
}

// lastWord is how long something that a signal ends may take to clean up what it
// had begun, such as half a file, or a helper container.
const lastWord = 500 * time.Millisecond

// untilSignal runs do until it ends or a signal comes. Then do's context ends,
// and do is left alone, whether it notices or not: it must not record anything,
// nor report its result other than by what it returns.
func (p Process) untilSignal(ctx context.Context, do func(context.Context) error) (os.Signal, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	select {
	case err := <-done:
		return nil, err
	case sig := <-p.Signals:
		cancel()
		p.pages.close(sig)
		select {
		case <-done:
		case <-time.After(lastWord):
		}
		return sig, context.Canceled
	}
}

// before does what comes before an operation. A signal ends it, and says what was
// not done.
func (p Process) before(ctx context.Context, not string, do func(context.Context) error) error {
	sig, err := fault.Guard(ctx, p.Signals, do)
	if sig != nil {
		return fault.StoppedBy(sig, not)
	}
	return err
}

// asFarAs does something short that records. A signal ends its waiting; what was
// done nevertheless is reported as done.
func (p Process) asFarAs(ctx context.Context, not string, do func(context.Context) error) error {
	var err error
	sig, _ := fault.Guard(ctx, p.Signals, func(ctx context.Context) error { err = do(ctx); return err })
	if sig != nil && errors.Is(err, context.Canceled) {
		return fault.StoppedBy(sig, not)
	}
	return err
}

// paging is the pager that runs now, if one does: it has the terminal, and so it
// must end before this process does.
type paging struct {
	mu    sync.Mutex // guards what follows
	in    io.Closer  // what the pager reads; nil when none runs
	pager *os.Process
	ended <-chan struct{} // closed when the pager has ended
}

// run notes which pager runs.
func (p *paging) run(in io.Closer, pager *os.Process, ended <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.in, p.pager, p.ended = in, pager, ended
}

// pagerLimit is how long a pager may take to end after a signal that was passed on.
const pagerLimit = 2 * time.Second

// close ends what the pager reads, and waits for its end. A Ctrl-C has reached it
// from the terminal, and it may stay for the user to read on; any other signal is
// passed on.
func (p *paging) close(sig os.Signal) {
	p.mu.Lock()
	in, pager, ended := p.in, p.pager, p.ended
	p.mu.Unlock()
	if in == nil {
		return
	}
	in.Close()
	if sig == os.Interrupt {
		<-ended
		return
	}
	_ = pager.Signal(sig) // gone already, perhaps
	select {
	case <-ended:
	case <-time.After(pagerLimit):
		_ = pager.Kill()
	}
}
