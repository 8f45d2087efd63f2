package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// ErrTimeout says that nobody answered in time.
var ErrTimeout = errors.New("no answer in time")

// Terminal is where questions are asked.
type Terminal struct {
	Out     io.Writer     // shows the question
	Timeout time.Duration // how long it waits for an answer
	Name    string        // of the controlling terminal
	Locks   string        // directory of a lock per terminal; "" is none
}

// Session is the turn of one process to ask.
type Session struct {
	Terminal
	tty *os.File
}

// Session calls do when no other process asks on this terminal: of the jobs of
// `make -j2`, one asks at a time.
func (t Terminal) Session(ctx context.Context, do func(*Session) error) error {
	tty, err := os.OpenFile(ttyPath, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open the terminal: %w", err)
	}
	defer tty.Close()
	release, err := t.turn(ctx)
	if err != nil {
		return err
	}
	defer release()
	return do(&Session{t, tty})
}

// turn waits for the turn. Without a place for the lock the jobs may talk at
// once, which is better than not asking.
func (t Terminal) turn(ctx context.Context) (release func(), err error) {
	if t.Locks == "" || durable.MkdirAll(t.Locks, 0o700) != nil {
		return func() {}, nil
	}
	path := filepath.Join(t.Locks, "tty-"+strings.ReplaceAll(t.Name, "/", "-")+".lock")
	l, err := durable.Lock(ctx, path, t.Timeout)
	switch {
	case err == nil:
		return func() { _ = l.Unlock() }, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, durable.ErrLocked):
		return nil, ErrTimeout
	}
	return func() {}, nil
}

// Question shows a prompt, which is safe to show, and returns the answer without
// the space around it. What was typed before counts for nothing. The end of
// input (Ctrl-D) is an empty answer.
func (s *Session) Question(ctx context.Context, prompt string) (answer string, err error) {
	flush(s.tty)
	fmt.Fprint(s.Out, prompt)
	line, err := readLine(ctx, s.tty, s.Timeout)
	if err != nil {
		fmt.Fprintln(s.Out)
	}
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case os.IsTimeout(err):
		return "", ErrTimeout
	case err != nil:
		return "", nil
	}
	return strings.TrimSpace(line), nil
}
