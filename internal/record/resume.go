package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
)

// lockOf is the path of an operation's lock. An id in a log can be any text: one
// that could lead elsewhere has none.
func (b *Book) lockOf(id string) (path string, err error) {
	other := func(r rune) bool { return !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z') }
	if id == "" || strings.ContainsFunc(id, other) {
		return "", fmt.Errorf("operation %q: not an id of this program", id)
	}
	return filepath.Join(b.ops(), id), nil
}

// locked are the ids of the operations that have a lock file. Anything else
// there, including the locks of projects, is ignored.
func (b *Book) locked() (ids []string) {
	entries, err := os.ReadDir(b.ops())
	if err != nil {
		return nil // a log that cannot be written to is refused right afterwards
	}
	for _, entry := range entries {
		if _, err := b.lockOf(entry.Name()); err == nil {
			ids = append(ids, entry.Name())
		}
	}
	return ids
}

// resume takes up an operation that is dead: one whose lock can be taken and
// that has no outcome. Without one it returns nil; a lock file that an
// operation left behind that is over, or never began, is removed.
func (b *Book) resume(id string, lock func(string) (*durable.Locked, bool, error)) (*Operation, error) {
	path, err := b.lockOf(id)
	if err != nil {
		return nil, err
	}
	l, free, err := lock(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil // it ended just now
	case err != nil:
		return nil, err
	case !free:
		return nil, errAtWork
	}
	return b.takeUp(id, l)
}

// takeUp makes an operation from its newest pending event, under its lock.
func (b *Book) takeUp(id string, lock *durable.Locked) (*Operation, error) {
	last, found, err := b.newest(id)
	if err == nil && (!found || last.Outcome != audit.Pending) {
		return nil, lock.Remove()
	}
	o := &Operation{ID: id, Name: last.Operation, ExportPath: last.ExportPath, book: b, user: last.User, lock: lock, begun: true, opened: last.Timestamp}
	if err == nil {
		o.Details, err = ParseDetails(last)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return o, nil
}

// newest finds the newest event of an operation.
func (b *Book) newest(id string) (last audit.Event, found bool, err error) {
	_, err = b.Log.Backward([]string{id}, func(e audit.Event, _ []byte) bool {
		if e.ID == id {
			last, found = e, true
		}
		return !found
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return last, found, err
}

// Adopt takes up an operation whose locks a parent handed down, as the
// descriptors from 3 on, or that is free to take where nothing is handed down.
// It is nil if it is over, or for another one to settle.
func (b *Book) Adopt(id string) (*Operation, error) {
	path, err := b.lockOf(id)
	if err != nil {
		return nil, err
	}
	l := durable.Inherited(firstInherited, path)
	if l == nil {
		var free bool
		if l, free, err = b.Log.Sharing().TryLock(path); err != nil || !free {
			return nil, err
		}
	}
	o, err := b.takeUp(id, l)
	if o == nil || err != nil {
		return nil, err
	}
	o.project = durable.Inherited(firstInherited+1, b.projectLock(o.Details.Engine.ID, o.Details.Project))
	if err := o.takeProject(nil); err != nil {
		o.Close()
		return nil, ignore(err, errProject)
	}
	return o, nil
}

// firstInherited is the first descriptor that a parent can hand down.
const firstInherited = 3

func ignore(err, this error) error {
	if errors.Is(err, this) {
		return nil
	}
	return err
}

// takeProject takes the lock of the operation's project, unless it is held
// already: by the operation, or as mine.
func (o *Operation) takeProject(mine *durable.Locked) error {
	path := o.book.projectLock(o.Details.Engine.ID, o.Details.Project)
	if o.Details.Project == "" || o.project != nil || mine != nil && mine.Path() == path {
		return nil
	}
	l, free, err := o.book.Log.Sharing().TryLock(path)
	if err != nil {
		return err
	}
	if !free {
		return errProject
	}
	o.project = l
	return l.Write(holderOf(o.book.User, o.book.Actor, SettledLater, o.Details.Project, o.book.Now()))
}
