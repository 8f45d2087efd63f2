package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// Accepted is what an operation of the name accept acknowledges, its details
// accepted.
type Accepted struct {
	Found []string `json:"found"` // what was wrong, in the words of the checks
	Heads []string `json:"heads"` // of each log, the newest head noted here that the log does not hold
	Lost  int      `json:"lost"`  // how many such heads there are in all
}

// maxAccepted bounds how many heads an event names.
const maxAccepted = 100

// ErrMoved says that the log is no longer the one that was looked at.
var ErrMoved = errors.New("the log was replaced meanwhile")

// Accept acknowledges that the log does not hold what was noted of it here, for
// it was replaced, cut or restored on purpose. The event e says so, in its
// details accepted; from then on what was noted before does not count. Where
// nothing that was noted is missing it returns ErrNothing. Damage to the chain
// of the log is none of it: verify finds that as before.
//
// A crash after the event leaves the notes as they were, and so the warnings:
// accept again. ErrHead says the same.
func (l *Log) Accept(ctx context.Context, e Event) (a Accepted, err error) {
	if err := check(e); err != nil {
		return a, err
	}
	a, seen, err := l.unheld()
	if err != nil {
		return a, err
	}
	if len(a.Found) == 0 {
		return a, ErrNothing
	}
	if e.Details, err = withDetail(e.Details, "accepted", a); err != nil {
		return a, err
	}
	var n note
	err = l.locked(ctx, func(f *os.File, t tail, r rooms) (err error) {
		if !t.follows(seen) {
			return fmt.Errorf("%s: %w", l.Path, ErrMoved)
		}
		n, err = appendTo(f, t, e, 0, r)
		return err
	})
	if err != nil {
		return a, err
	}
	n.Accepted = e.ID
	return a, l.Heads.note(l.Path, n)
}

// follows reports whether the file is, or has become, longer than the one of
// which the head was seen.
func (t tail) follows(seen Head) bool {
	if t.continues != nil && t.head.Log == "" { // between two segments
		return t.continues.Head() == seen
	}
	return t.head == seen || t.head.Log == seen.Log && t.head.Seq > seen.Seq
}

// unheld is what the checks find wrong with what was noted of the log, and the
// head that the log has.
func (l *Log) unheld() (a Accepted, seen Head, err error) {
	a.Heads = []string{}
	last, tailErr := tailOf(l.Path) // first: what is appended while it is verified follows it
	r, err := l.Verify(nil)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return a, seen, err
	}
	seen = r.Head
	if tailErr == nil && last.head.Log != "" { // of two logs in one file, verify's is that of the first
		seen = last.head
	}
	told, _, err := l.Heads.look(l.Path)
	if err != nil {
		return a, seen, err
	}
	if told != "" {
		a.Found = append(a.Found, told)
	}
	for _, f := range r.Findings {
		if f.noted && !slices.Contains(a.Found, f.Text) {
			a.Found = append(a.Found, f.Text)
		}
	}
	named := map[string]bool{}
	for _, h := range r.Heads { // the newest one first
		if h.Line > 0 {
			continue
		}
		if a.Lost++; !named[h.Log] && len(a.Heads) < maxAccepted {
			a.Heads = append(a.Heads, h.Word())
		}
		named[h.Log] = true
	}
	return a, seen, nil
}
