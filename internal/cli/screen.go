package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// say writes one line of talk.
func (p Process) say(format string, args ...any) {
	fmt.Fprintln(p.Stderr, render.Terminal(fmt.Sprintf(format, args...)))
}

// screen is teardown's Screen on stderr.
type screen struct {
	p       Process
	timeout time.Duration
}

var _ teardown.Screen = screen{}

func (s screen) Inventory(inv teardown.Inventory, full bool) {
	if full {
		_ = render.Inventory(s.p.Stderr, inv, s.p.Now(), s.p.style(s.p.Stderr))
		return
	}
	fmt.Fprintln(s.p.Stderr, render.Line(inv))
	for _, w := range render.Warnings(inv) {
		s.p.say("WARNING: %s", w)
	}
}

func (s screen) Note(text string) { s.p.say("ccdestroy: %s", text) }
func (s screen) Settling()        { s.p.say("Waiting for the engine to come to rest …") }
func (s screen) Done(e teardown.Ending) {
	_ = render.Ending(s.p.Stderr, e, s.p.style(s.p.Stderr))
}

// Ask asks for the project's name. The answer is read on /dev/tty, so that a
// redirected standard input cannot say yes. Of several jobs on one terminal, as
// under `make -j2`, one asks at a time.
func (s screen) Ask(ctx context.Context, inv teardown.Inventory) (teardown.Answer, error) {
	tty, err := os.OpenFile(ttyPath, os.O_RDWR, 0)
	if err != nil {
		return teardown.Declined, fmt.Errorf("open the terminal: %w", err)
	}
	defer tty.Close()
	release, err := s.turn(ctx)
	if err != nil {
		return teardown.TimedOut, nil
	}
	defer release()
	s.Inventory(inv, true)
	fmt.Fprintf(s.p.Stderr, "Type the project name (%s) to destroy it, or Enter to cancel: ", render.Terminal(inv.Project))
	line, err := readLine(ctx, tty, s.timeout)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(s.p.Stderr)
		return teardown.Declined, ctx.Err()
	case os.IsTimeout(err):
		fmt.Fprintln(s.p.Stderr)
		return teardown.TimedOut, nil
	case err != nil:
		fmt.Fprintln(s.p.Stderr)
		return teardown.Declined, nil // end of input: Ctrl-D
	case strings.TrimSpace(line) == inv.Project:
		return teardown.Typed, nil
	}
	return teardown.Declined, nil
}

// turn waits until no other job asks on this terminal.
func (s screen) turn(ctx context.Context) (release func(), err error) {
	dir := s.p.xdg("XDG_CACHE_HOME", ".cache")
	if dir == "" || os.MkdirAll(dir, 0o700) != nil {
		return func() {}, nil // no place for a lock: the jobs may talk at once
	}
	name := "tty-" + strings.ReplaceAll(actor.ThisMachine(s.p.Getenv).TTY, "/", "-") + ".lock"
	return durable.Lock(ctx, filepath.Join(dir, name), s.timeout)
}
