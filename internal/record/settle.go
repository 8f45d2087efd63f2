package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
)

// ErrOtherEngine says that an unfinished operation concerns another engine than
// the one that answers.
var ErrOtherEngine = errors.New("it concerns another engine")

// errAtWork says that an operation has not been cut off.
var errAtWork = errors.New("it is at work")

// Who settles an operation that did not record its own outcome.
const (
	SettledLater  = "reconcile" // a later run
	SettledBeside = "provider"  // the process that stood beside Docker Compose
)

// settleDead settles what the lock files show to be dead, before an operation
// that holds the lock of its project looks. What cannot be settled is told.
func (b *Book) settleDead(ctx context.Context, project *durable.Locked) {
	entries, err := os.ReadDir(b.ops())
	if err != nil {
		return // a log that cannot be written to is refused in a moment
	}
	for _, entry := range entries {
		id := entry.Name()
		if strings.Contains(id, "-") { // a project's
			continue
		}
		o, err := b.resume(id)
		if o == nil {
			if err != nil {
				b.Note(fmt.Sprintf("%s stays unfinished: %v", id, err))
			}
			continue
		}
		if _, err := b.settleOne(ctx, o, project); err != nil {
			b.Note(fmt.Sprintf("%s stays unfinished: %v", id, err))
		}
	}
}

// Still reports whether no operation of the log is at work or was cut off.
func (b *Book) Still() bool {
	entries, err := os.ReadDir(b.ops())
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	return !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return !strings.Contains(e.Name(), "-") })
}

// resume takes up an operation that is dead: one whose lock can be taken and
// that has no outcome. Without one it returns nil; a lock file that an
// operation left behind that is over, or never began, is removed.
func (b *Book) resume(id string) (*Operation, error) {
	l, free, err := durable.TryLockExisting(filepath.Join(b.ops(), id))
	if err != nil || !free {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // it ended just now
		}
		return nil, err
	}
	last, found, err := b.newest(id)
	if err != nil {
		return nil, errors.Join(err, l.Unlock())
	}
	if !found || last.Outcome != audit.Pending {
		return nil, l.Remove()
	}
	return b.takeUp(last, l), nil
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

// takeUp makes an operation of its newest pending event.
func (b *Book) takeUp(last audit.Event, lock *durable.Locked) *Operation {
	o := &Operation{ID: last.ID, Name: last.Operation, ExportPath: last.ExportPath, book: b, user: last.User, lock: lock, begun: true, opened: last.Timestamp}
	o.Details, _ = ParseDetails(last) // of another shape: nothing settles it
	return o
}

// Adopt takes up an operation whose locks a parent handed down, as the
// descriptors from 3 on, or that is free to take where nothing is handed down.
// It is nil when it is over.
func (b *Book) Adopt(id string) (*Operation, error) {
	last, found, err := b.newest(id)
	if err != nil || !found || last.Outcome != audit.Pending {
		return nil, err
	}
	o := b.takeUp(last, nil)
	o.lock, o.project = b.inherited(id, firstInherited), nil
	if o.lock == nil {
		l, free, err := durable.TryLock(filepath.Join(b.ops(), id))
		if err != nil || !free {
			return nil, err // another one settles it
		}
		o.lock = l
		return o, nil
	}
	o.project = b.inherited(filepath.Base(b.projectLock(o.Details.Engine.ID, o.Details.Project)), firstInherited+1)
	return o, nil
}

// firstInherited is the first descriptor that a parent can hand down.
const firstInherited = 3

// inherited is a lock that was handed down, or nil.
func (b *Book) inherited(name string, fd uintptr) *durable.Locked {
	return durable.Inherited(fd, filepath.Join(b.ops(), name))
}

// settleOne settles an operation whose lock is held, and closes it. mine is the
// project lock that is held already, or nil.
func (b *Book) settleOne(ctx context.Context, o *Operation, mine *durable.Locked) (settled bool, err error) {
	defer o.Close()
	if b.Settlers[o.Name] == nil || o.Details.RecordedBy != "" || stillRuns(o.Details.Actor) {
		return false, nil // a script's own operations are the script's to end
	}
	path := b.projectLock(o.Details.Engine.ID, o.Details.Project)
	if o.Details.Project != "" && (mine == nil || mine.Path() != path) {
		l, free, err := durable.TryLock(path)
		if err != nil || !free {
			return false, err // whoever holds it settles it
		}
		o.project = l
	}
	return b.settle(ctx, o, SettledLater)
}

// SettleBeside settles an operation for the process that stood beside it.
func (b *Book) SettleBeside(ctx context.Context, o *Operation) error {
	_, err := b.settle(ctx, o, SettledBeside)
	return err
}

func (b *Book) settle(ctx context.Context, o *Operation, by string) (settled bool, err error) {
	end, err := b.Settlers[o.Name](ctx, o)
	if err != nil {
		return false, err
	}
	if end.Outcome == audit.Pending {
		return false, end.Err
	}
	o.Details.Settled = by
	if err := o.End(ctx, end); err != nil {
		return false, err
	}
	if by == SettledLater {
		b.Note(describe(o, end))
	}
	return true, nil
}

// stillRuns reports whether the process that an event names is seen at work. A
// process of another pid namespace or host is not: the lock speaks for those. A
// docker compose down, whose watcher was killed, holds no lock.
func stillRuns(claims json.RawMessage) bool {
	var a actor.Actor
	if json.Unmarshal(claims, &a) != nil || a.PID == 0 || a.Started == "" || a.PID == os.Getpid() {
		return false
	}
	here := actor.ThisMachine(func(string) string { return "" })
	return a.BootID == here.BootID && a.Host == here.Hostname && actor.StartOf(a.PID) == a.Started
}

// Reconcile settles every unfinished operation of the log that is dead. force
// also takes those without a lock file, of which nothing shows whether they are
// at work: older versions made none. It returns how many were settled, what
// stood in the way of the others, and an error when the log could not be read.
func (b *Book) Reconcile(ctx context.Context, force bool) (settled int, obstacles []error, err error) {
	open, err := b.Log.Unfinished(0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, err
	}
	for _, e := range open {
		done, err := b.reconcile(ctx, e, force)
		if err != nil {
			obstacles = append(obstacles, fmt.Errorf("%s stays unfinished: %w", e.ID, err))
		}
		if done {
			settled++
		}
		if ctx.Err() != nil {
			return settled, obstacles, ctx.Err()
		}
	}
	b.settleDead(ctx, nil) // leftovers of what is over
	return settled, obstacles, nil
}

func (b *Book) reconcile(ctx context.Context, e audit.Event, force bool) (settled bool, err error) {
	if d, err := ParseDetails(e); err != nil || d.RecordedBy != "" || b.Settlers[e.Operation] == nil {
		return false, nil
	}
	_, err = os.Lstat(filepath.Join(b.ops(), e.ID))
	if errors.Is(err, fs.ErrNotExist) {
		if !force {
			return false, errors.New("nothing shows whether it is at work; if it is not: ccdestroy reconcile --force")
		}
		return b.settleForced(ctx, e)
	}
	if err != nil {
		return false, err
	}
	o, err := b.resume(e.ID)
	if err != nil {
		return false, err
	}
	if o == nil {
		if AtWork(b.Log, e.ID) {
			b.Note(fmt.Sprintf("%s is still at work: %s", e.ID, e.Operation))
		}
		return false, nil // at work, or over by now
	}
	return b.settleOne(ctx, o, nil)
}

// settleForced settles an operation that has no lock file.
func (b *Book) settleForced(ctx context.Context, e audit.Event) (bool, error) {
	l, free, err := durable.TryLock(filepath.Join(b.ops(), e.ID))
	if err != nil {
		return false, err
	}
	if !free {
		return false, errAtWork
	}
	return b.settleOne(ctx, b.takeUp(e, l), nil)
}
