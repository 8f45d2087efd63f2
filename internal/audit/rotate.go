package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// ErrNothing says that there is nothing to do: no event to close a log behind,
// or nothing wrong to accept.
var ErrNothing = errors.New("nothing to do")

// ErrSegment says that the log is a closed segment of another one.
var ErrSegment = errors.New("a closed segment, to which nothing is added")

// Rotation is what Rotate did.
type Rotation struct {
	Segment string // path of the segment that was put aside
	Closed  Head   // its last line
	Head    Head   // of the log that continues it
	// Resumed says that the segment had been closed by a rotation that was cut
	// short, and that this call only began the next one.
	Resumed bool
}

// Rotate closes the log with one event, puts it aside as a segment and begins
// the next one with the other event. It fills the details closes and continues.
// While an operation is unfinished it returns an OpenError, and ErrNothing when
// there is nothing to rotate: no log, an empty one, or one in which nothing was
// recorded since it was begun by a rotation.
//
// ErrHead beside a Rotation says that it is done and that a head was not noted.
func (l *Log) Rotate(ctx context.Context, closing, opening Event) (r Rotation, err error) {
	if err := errors.Join(check(closing), check(opening)); err != nil {
		return r, err
	}
	p, err := l.pending() // most of the reading, while nobody waits for the lock
	if errors.Is(err, fs.ErrNotExist) {
		return r, ErrNothing // and no directory is made for the lock
	}
	if err != nil {
		return r, err
	}
	var notes []note
	err = l.locked(ctx, func(f *os.File, t tail, taken rooms) error {
		r.Resumed = t.continues != nil
		if !r.Resumed {
			n, err := l.close(f, t, &p, closing, taken)
			if err != nil {
				return err
			}
			notes = append(notes, n)
		}
		f.Close() // Windows cannot rename an open file
		next, t, err := l.openNewest()
		if err != nil {
			return err
		}
		defer next.Close()
		if t.continues == nil {
			return fmt.Errorf("rotate %q: another program wrote to it meanwhile", l.Path)
		}
		n, err := appendTo(next, t, opening, 0, taken)
		if err != nil {
			return err
		}
		notes = append(notes, n)
		r.Segment, r.Closed, r.Head = filepath.Join(filepath.Dir(l.Path), t.continues.Path), t.continues.Head(), n.head()
		return nil
	})
	for _, n := range notes {
		if failed := l.Heads.note(l.Path, n); err == nil {
			err = failed
		}
	}
	return r, err
}

// close appends the event that closes the log, when nothing stands in the way.
func (l *Log) close(f *os.File, t tail, p *pending, e Event, taken rooms) (note, error) {
	if t.size == 0 || t.begun && t.loose == nil && t.torn == nil {
		return note{}, ErrNothing
	}
	if err := p.read(f); err != nil {
		return note{}, fmt.Errorf("%s: %w", l.Path, err)
	}
	if len(p.open) > 0 {
		return note{}, &OpenError{p.operations()}
	}
	t.head.Log, t.head.SHA256 = cmp.Or(t.head.Log, newLogID()), cmp.Or(t.head.SHA256, genesis)
	to, err := l.segmentOf(f, t, e.Timestamp)
	if err != nil {
		return note{}, err
	}
	e.Details, err = withDetail(e.Details, "closes", Link{Log: t.head.Log, Seq: t.head.Seq, SHA256: t.head.SHA256, Path: filepath.Base(to)})
	if err != nil {
		return note{}, err
	}
	return appendTo(f, t, e, 0, taken)
}

// segmentOf is where the open log goes when it is closed. now is when its first
// event was recorded, should it have none yet.
func (l *Log) segmentOf(f *os.File, t tail, now time.Time) (string, error) {
	if _, id := splitSegment(filepath.Base(l.Path)); id == t.head.Log {
		return "", fmt.Errorf("%q: %w", l.Path, ErrSegment)
	}
	first, err := firstDay(f, t.size)
	if err != nil {
		return "", fmt.Errorf("%s: %w", l.Path, err)
	}
	if first.IsZero() {
		first = now
	}
	to, err := segmentPath(l.Path, first, t.head.Log)
	if err != nil {
		return "", err
	}
	if _, err := os.Lstat(to); err == nil {
		return "", fmt.Errorf("rotate %q: %q: %w", l.Path, to, fs.ErrExist)
	}
	return to, nil
}

// openNewest opens the file at Path with the lock held, and finds out what its
// first event continues when it has none.
//
// A log that is closed was left so by a rotation that was cut short. It is put
// aside here, and a new one made:
//
//   - A crash before the rename leaves the closed log, and the next writer comes
//     here again.
//   - After it there is no log, or one without a line, and the next writer finds
//     the loose end.
func (l *Log) openNewest() (*os.File, tail, error) {
	f, t, err := l.openTail()
	if err == nil && t.closed() {
		err = l.putAside(f, t)
		if err == nil {
			f, t, err = l.openTail()
		}
	}
	if err != nil {
		return nil, tail{}, err
	}
	if t.head.Log == "" {
		if t.continues, err = l.looseEnd(); err != nil {
			f.Close()
			return nil, tail{}, err
		}
	}
	return f, t, nil
}

// putAside renames the closed log, and closes the file.
func (l *Log) putAside(f *os.File, t tail) error {
	to, err := l.segmentOf(f, t, t.when)
	f.Close()
	if err != nil {
		return err
	}
	return durable.Rename(l.Path, to)
}
