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

// String is "destroy by ana on lap, since 13:05:02".
func (h holder) String() string {
	if h.Operation == "" {
		return "another operation" // its file is not written yet
	}
	text := fmt.Sprintf("%s by %s", h.Operation, h.User)
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

func (o *Operation) holder(project string) []byte {
	var actor struct{ Host string }
	_ = json.Unmarshal(o.Details.Actor, &actor) // none: no host
	data, err := json.Marshal(holder{o.user, actor.Host, o.Name, project, o.book.Now().UTC().Format(time.RFC3339)})
	if err != nil {
		panic(err) // strings only
	}
	return data
}

// lockOperation makes the lock of an operation. It is durable before the pending
// event: after a power cut an unfinished operation still has its file.
func (b *Book) lockOperation(o *Operation) (*durable.Locked, error) {
	if err := b.Log.Sharing().MkdirAll(b.ops(), 0o700); err != nil {
		return nil, err
	}
	l, free, err := b.Log.Sharing().TryLock(filepath.Join(b.ops(), o.ID))
	if err == nil && !free {
		err = fmt.Errorf("operation %s is at work already", o.ID)
	}
	if err != nil {
		return nil, err
	}
	return l, errors.Join(l.Write(o.holder("")), durable.SyncDir(b.ops()))
}

// projectLock is the path of the lock of a project on an engine.
func (b *Book) projectLock(engineID, project string) string {
	safe := func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}
	return filepath.Join(b.ops(), strings.Map(safe, engineID)+"-"+strings.Map(safe, strings.ToLower(project)))
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

func (o *Operation) wait(ctx context.Context, path, project string) (*durable.Locked, error) {
	var h holder
	if data, err := durable.LockHolder(path); err == nil {
		_ = json.Unmarshal(data, &h) // half written: the text is vaguer
	}
	o.book.Note(fmt.Sprintf("waiting for the %s of project %s", h, project))
	l, err := o.book.Log.Sharing().Lock(ctx, path, o.book.LockTimeout)
	if errors.Is(err, durable.ErrLocked) {
		return nil, fault.Refused("wait for it, or --lock-timeout TIME", "project %q is still in use by the %s", project, h)
	}
	return l, err
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
	return func() { _ = l.Remove() }, true, l.Write(o.holder(project))
}

// AtWork reports whether an operation of a log is at work: its lock is held.
func AtWork(l *audit.Log, id string) bool {
	b := Book{Log: l}
	lock, free, err := durable.TryLockExisting(filepath.Join(b.ops(), id))
	if err == nil && free {
		_ = lock.Unlock()
	}
	return err == nil && !free
}
