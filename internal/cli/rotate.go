package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/render"
)

type rotateCmd struct{ recordFlags }

// Help says what happens to the old log.
func (rotateCmd) Help() string {
	return `The log is closed and renamed to audit-<first day>-<log>.jsonl beside it, which is printed; a new log continues it. Leave the old file there: audit verify and all other readers read both.`
}

// Run rotates the log.
func (c rotateCmd) Run(ctx context.Context, p Process) error {
	book, err := p.bookHere(c.recordFlags, nil, 0)
	if err != nil {
		return err
	}
	l := book.Log
	var r audit.Rotation
	err = p.asFarAs(ctx, "the log is not rotated", func(ctx context.Context) (err error) {
		r, err = l.Rotate(ctx, book.About(audit.Rotate, ""), book.About(audit.Rotate, ""))
		return err
	})
	var open *audit.OpenError
	switch {
	case errors.Is(err, audit.ErrNothing) && missing(l.Path):
		p.say("Nothing to rotate: no audit log: looked for %s", l.Path)
		return nil
	case errors.Is(err, audit.ErrNothing):
		p.say("Nothing to rotate: no event was recorded in %s since it began", l.Path)
		return nil
	case errors.As(err, &open):
		try := book.Command("reconcile") + "; or " + book.Command("record", "--id", open.Operations[0].ID, "--outcome", "WORD") + "   # what a script began"
		return &fault.Fault{Err: fmt.Errorf("%s is not rotated: %w", l.Path, err), Try: try, Code: fault.ExitRefused}
	case errors.Is(err, audit.ErrHead):
		p.say("ccdestroy: %v", err)
	case err != nil:
		return unwritten(err)
	}
	book.Follow(ctx)
	if r.Resumed {
		p.say("A rotation that was cut short is finished.")
	}
	p.say("Closed at event %d; %s continues from there.", r.Closed.Seq, filepath.Base(l.Path))
	_, err = fmt.Fprintln(p.Stdout, render.Terminal(r.Segment))
	return err
}

// missing reports whether there is no file at a path.
func missing(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// unwritten adds what to try to an error of writing the log.
func unwritten(err error) error {
	return &fault.Fault{Err: err, Try: "make the log writable, or name another with --log FILE", Code: fault.ExitNoRecord}
}
