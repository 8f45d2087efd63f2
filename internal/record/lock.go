package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// holder is what a lock file says about whoever holds it.
type holder struct {
	User      string `json:"user"`
	Host      string `json:"host,omitempty"`
	Operation string `json:"operation"`
	Project   string `json:"project,omitempty"`
	Since     string `json:"since"` // RFC 3339
}

// String is "the destroy by ana on lap, since 13:05:02".
func (h holder) String() string {
	if h.Operation == "" {
		return "another operation" // its file is not written yet
	}
	text := fmt.Sprintf("the %s by %s", h.Operation, h.User)
	if h.Host != "" {
		text += " on " + h.Host
	}
	if at, err := time.Parse(time.RFC3339, h.Since); err == nil {
		text += ", since " + at.Local().Format(time.TimeOnly)
	}
	return text
}

// ops is the directory of the locks.
func (b *Book) ops() string { return b.Log.Path + ".ops" }

// holderOf is what a lock file says.
func holderOf(user string, actor json.RawMessage, operation, project string, now time.Time) []byte {
	var at struct{ Host string }
	_ = json.Unmarshal(actor, &at) // none: no host
	data, err := json.Marshal(holder{user, at.Host, operation, project, now.UTC().Format(time.RFC3339)})
	if err != nil {
		panic(err) // strings only
	}
	return data
}

func (o *Operation) holder(project string) []byte {
	return holderOf(o.user, o.Details.Actor, o.Name, project, o.book.Now())
}

// probeLimit is how long a search for dead operations may hold the lock of an
// operation that is only just beginning, until it has found no event of it.
const probeLimit = 30 * time.Second

// lockOperation makes the lock of an operation. It is durable before the pending
// event: after a power cut an unfinished operation still has its file.
func (b *Book) lockOperation(o *Operation) (*durable.Locked, error) {
	if err := b.Log.Sharing().MkdirAll(b.ops(), 0o700); err != nil {
		return nil, err
	}
	l, err := b.Log.Sharing().Lock(context.Background(), filepath.Join(b.ops(), o.ID), probeLimit)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(l.Write(o.holder("")), durable.SyncDir(b.ops())); err != nil {
		return nil, errors.Join(err, l.Remove())
	}
	return l, nil
}

// nameLimit keeps the names of lock files within what file systems allow. Two
// projects that differ only beyond it exclude each other, which does no harm.
const nameLimit = 100

// projectLock is the path of the lock of a project on an engine.
func (b *Book) projectLock(engineID, project string) string {
	safe := func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}
	part := func(text string) string {
		text = strings.Map(safe, text)
		return text[:min(nameLimit, len(text))]
	}
	return filepath.Join(b.ops(), part(engineID)+"-"+part(strings.ToLower(project)))
}

// LockProject makes sure that no other operation changes the project, and waits
// for one that does. Without a project it does nothing.
func (o *Operation) LockProject(ctx context.Context, engineID, project string) error {
	if project == "" || o.project != nil {
		return nil
	}
	path := o.book.projectLock(engineID, project)
	l, free, err := o.book.Log.Sharing().TryLock(path)
	if err == nil && !free {
		l, err = o.wait(ctx, path, project)
	}
	if err != nil {
		return fault.AsFault(err)
	}
	o.project = l
	return l.Write(o.holder(project))
}

// patient is how long a refusal suggests to wait for another operation.
const patient = "1h"

func (o *Operation) wait(ctx context.Context, path, project string) (*durable.Locked, error) {
	o.book.Note(fmt.Sprintf("waiting: project %s is in use by %s", project, heldBy(path)))
	l, err := o.book.Log.Sharing().Lock(ctx, path, o.book.LockTimeout)
	if errors.Is(err, durable.ErrLocked) {
		return nil, fault.Refused(o.book.Again("--lock-timeout", patient), "project %q is still in use by %s", project, heldBy(path))
	}
	return l, err
}

// heldBy says who holds the lock of a project right now.
func heldBy(path string) (h holder) {
	if data, err := durable.LockHolder(path); err == nil {
		_ = json.Unmarshal(data, &h) // half written: the text is vaguer
	}
	return h
}

// TryProject takes the lock of a project for a moment. Not free says that another
// operation is changing it. Without a project there is nothing to take.
func (o *Operation) TryProject(engineID, project string) (release func(), free bool, err error) {
	if project == "" {
		return func() {}, true, nil
	}
	l, free, err := o.book.Log.Sharing().TryLock(o.book.projectLock(engineID, project))
	if err != nil || !free {
		return nil, false, err
	}
	if err := l.Write(o.holder(project)); err != nil {
		return nil, false, errors.Join(err, l.Remove())
	}
	return func() { _ = l.Remove() }, true, nil
}

// AtWork reports whether an operation of a log is running: its lock is held.
func AtWork(l *audit.Log, id string) bool {
	path, err := (&Book{Log: l}).lockOf(id)
	if err != nil {
		return false
	}
	lock, free, err := durable.TryLockExisting(path)
	if err == nil && free {
		_ = lock.Unlock()
	}
	return err == nil && !free
}

// Still reports whether no operation of the log is running or was interrupted.
func (b *Book) Still() bool { return len(b.locked()) == 0 }
