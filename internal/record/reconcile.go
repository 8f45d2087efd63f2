package record

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
)

// Reconciled is the result of a Reconcile.
type Reconciled struct {
	Settled   int
	Left      int     // unfinished, and running or for a script to end
	Obstacles []error // why others stay unfinished
}

// Reconcile settles every unfinished operation of the log that is dead. force
// also takes those without a lock file, for which nothing shows whether they
// run: older versions made none. An error says that the log could not be
// read.
func (b *Book) Reconcile(ctx context.Context, force bool) (r Reconciled, err error) {
	open, err := b.Log.Unfinished()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	for _, e := range open {
		switch err := b.reconcile(ctx, e, force); {
		case err == nil:
			r.Settled++
		case ctx.Err() != nil:
			return r, ctx.Err()
		case errors.Is(err, errAtWork), errors.Is(err, errScript):
			r.Left++
			text := fmt.Sprintf("%s of %s stays unfinished: %v", e.Operation, e.ID, err)
			if errors.Is(err, errScript) {
				text += ": " + b.Command("record", "--id", e.ID, "--outcome", "WORD")
			}
			b.Note(text)
		case !errors.Is(err, errOver):
			r.Obstacles = append(r.Obstacles, fmt.Errorf("%s stays unfinished: %w", e.ID, err))
		}
	}
	b.sweep(open)
	return r, nil
}

func (b *Book) reconcile(ctx context.Context, e audit.Event, force bool) error {
	d, err := ParseDetails(e)
	if err != nil || !d.ours() || b.Settlers[e.Operation] == nil {
		return errScript
	}
	path, err := b.lockOf(e.ID)
	if err != nil {
		return err
	}
	lock := durable.TryLockExisting
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if !force {
			return fmt.Errorf("%w; if it is not: %s", errUnknown, b.Command("reconcile", "--force"))
		}
		if err := b.Log.Sharing().MkdirAll(b.ops(), 0o700); err != nil { // older versions made none
			return err
		}
		lock = b.Log.Sharing().TryLock
	}
	o, err := b.resume(e.ID, lock)
	switch {
	case err != nil:
		return err
	case o == nil:
		return errOver
	}
	return b.settleOne(ctx, o, nil)
}

// sweep removes the lock files of operations that are over, or never began.
func (b *Book) sweep(open []audit.Event) {
	for _, id := range b.locked() {
		if slices.ContainsFunc(open, func(e audit.Event) bool { return e.ID == id }) {
			continue
		}
		if o, _ := b.resume(id, durable.TryLockExisting); o != nil { // of the last moment: whoever comes next settles it
			o.Close()
		}
	}
}
