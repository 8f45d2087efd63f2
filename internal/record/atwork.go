package record

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// Lives reports whether the operation of a pending event in a log is running: its
// lock is held, or the process that the event names runs. If it is not, its
// outcome is in the log by now, unless it was interrupted.
func Lives(l *audit.Log, pending audit.Event) bool {
	if path, err := (&Book{Log: l}).lockOf(pending.ID); err == nil {
		if held, err := durable.Held(path); err == nil && held {
			return true
		}
	}
	d, err := ParseDetails(pending)
	return err == nil && d.RecordedBy == "" && stillRuns(d.Actor)
}

// Locks are the ids of the operations of a log that have a lock file: those that
// run, and those that were interrupted.
func Locks(l *audit.Log) (ids []string) { return (&Book{Log: l}).locked() }

// Announced are the names that a running operation of a log says it is
// about to destroy, on the engine with this id. None if it is not running, or has
// not said yet.
func Announced(l *audit.Log, id, engine string) []string {
	last, found, err := (&Book{Log: l}).newest(id)
	if err != nil || !found || last.Outcome != audit.Pending || !Lives(l, last) {
		return nil
	}
	d, err := ParseDetails(last)
	if err != nil || d.Engine.ID != "" && d.Engine.ID != engine {
		return nil
	}
	return append(d.Going(), last.DataAffected...)
}

// processPoll is how often to check whether a process has ended.
const processPoll = 100 * time.Millisecond

// awaitProcess waits for a docker compose down whose finisher was killed: with that
// the lock of the project was released, which this process holds now.
func (b *Book) awaitProcess(ctx context.Context, o *Operation) error {
	if !stillRuns(o.Details.Actor) {
		return nil
	}
	var a actor.Actor
	_ = json.Unmarshal(o.Details.Actor, &a) // it was read just now
	who := holder{User: o.user, Host: a.Host, Operation: o.Name, Since: o.opened.Format(time.RFC3339)}
	b.Note(fmt.Sprintf("waiting: project %s is in use by %s", o.Details.Project, who))
	for begun := time.Now(); stillRuns(o.Details.Actor); {
		if time.Since(begun) > b.LockTimeout {
			return fault.Refused(b.Again("--lock-timeout", patient), "project %q is still in use by %s", o.Details.Project, who)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(processPoll):
		}
	}
	return nil
}

// Beside serialises operations that begin beside one process: one at a time.
// began is the id of one that has begun and is running, or "".
//
// A crash leaves a lock file that nobody holds.
func (b *Book) Beside(ctx context.Context, pid int, started string) (release func(), began string, err error) {
	if err := b.Log.Sharing().MkdirAll(b.ops(), 0o700); err != nil {
		return nil, "", noRecord(audit.Destroy, err)
	}
	l, err := b.Log.Sharing().Lock(ctx, filepath.Join(b.ops(), fmt.Sprintf("beside-%d-%s", pid, started)), b.LockTimeout)
	if err != nil {
		return nil, "", noRecord(audit.Destroy, err)
	}
	for _, id := range Locks(b.Log) {
		last, found, err := b.newest(id)
		if err != nil || !found || last.Outcome != audit.Pending {
			continue // whoever begins reports what is wrong with the log
		}
		var d struct{ Actor actor.Actor }
		if json.Unmarshal(last.Details, &d) == nil && d.Actor.PID == pid && d.Actor.Started == started && Lives(b.Log, last) {
			began = id
		}
	}
	return func() { _ = l.Remove() }, began, nil
}
