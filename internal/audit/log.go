package audit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// DefaultPath is where the log lies, relative to the project directory.
var DefaultPath = filepath.Join(".contextcore", "audit.jsonl")

// ErrOwner says that the log belongs to another account.
var ErrOwner = errors.New("the log belongs to another account")

// ErrNotLog says that a file holds something other than a log, and is left alone.
var ErrNotLog = errors.New("not an audit log")

// lockLimit is how long an append waits for others. They hold the lock for one
// write and one fsync; whoever holds it for longer is stuck.
const lockLimit = 30 * time.Second

// Log is the file at Path, which need not exist yet, and the segments that it
// continues.
type Log struct {
	Path  string
	Heads *Heads // where heads are noted; nil notes none
	// Group is the gid of a group whose members all write to the log: it, its
	// lock and .contextcore then belong to this group, which may write them (0660
	// in 2770), and a log of another member is trusted. 0 is none: the log belongs
	// to one account.
	Group int
}

// Sharing is how files beside the log are to be made.
func (l *Log) Sharing() durable.Sharing { return durable.Sharing{Group: l.Group} }

// Begin writes the first event of an operation, whose id is new, as the last line
// and returns when it is durable. It fills V, Log, Seq and Prev. room is how many
// bytes of disk to set aside for the event that will follow; without them nothing
// is written. Many processes may write at once.
//
// On an error the event counts as not recorded. After a failed fsync the line
// may be in the file nevertheless; it is not written again.
func (l *Log) Begin(ctx context.Context, e Event, room int64) (Head, error) {
	return l.append(ctx, e, room, func(*os.File, int64) error { return nil })
}

// Append is Begin for a later event of an operation that has begun in this log
// (ErrNotFound) and has no outcome yet (ErrEnded). It looks for the newest
// event of the operation from the end, and no further than that.
func (l *Log) Append(ctx context.Context, e Event, room int64) (Head, error) {
	return l.append(ctx, e, room, func(f *os.File, size int64) error { return goesOn(f, size, e.ID) })
}

// append writes the event unless allowed, which is asked under the lock, fails.
func (l *Log) append(ctx context.Context, e Event, room int64, allowed func(f *os.File, size int64) error) (Head, error) {
	if err := check(e); err != nil {
		return Head{}, err
	}
	var n note
	err := l.locked(ctx, func(f *os.File, t tail, r rooms) (err error) {
		if err := allowed(f, t.size); err != nil {
			return fmt.Errorf("%s: %w", l.Path, err)
		}
		n, err = appendTo(f, t, e, room, r)
		return err
	})
	if err != nil {
		return Head{}, err
	}
	return n.head(), l.Heads.note(l.Path, n)
}

// appendTo appends an event to a file that ends as t says, and returns what there is
// to be noted of it. Behind it there is room then for what will follow it, and what
// other operations have set aside.
func appendTo(f *os.File, t tail, e Event, room int64, r rooms) (note, error) {
	data, head, err := chain(e, t, room)
	if err != nil {
		return note{}, err
	}
	others, err := r.others(e.ID)
	if err != nil {
		return note{}, err
	}
	if room+others > 0 {
		if err := durable.Reserve(f, t.size, int64(len(data))+room, others); err != nil {
			return note{}, err
		}
	}
	if room > 0 {
		if err := r.set(e.ID, room); err != nil {
			return note{}, err
		}
	}
	err = write(f, data, t.size)
	if room == 0 && err == nil {
		_ = r.set(e.ID, 0) // where this fails it takes no more than disk
	}
	return note{Log: head.Log, Seq: head.Seq, SHA256: head.SHA256, Size: t.size + int64(len(data))}, err
}

// Check finds out whether an append would be refused, and writes nothing but
// the directories, the lock file and an empty log where they are missing. A
// rotation that was cut short is finished.
func (l *Log) Check(ctx context.Context) error {
	return l.locked(ctx, func(*os.File, tail, rooms) error { return nil })
}

// locked runs do with the log open, its end read, and the lock held.
func (l *Log) locked(ctx context.Context, do func(*os.File, tail, rooms) error) error {
	shared := l.Sharing()
	if err := shared.MkdirAll(filepath.Dir(l.Path), 0o700); err != nil {
		return err
	}
	lock, err := shared.Lock(ctx, l.Path+".lock", lockLimit)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Unlock() }() // closing releases it too, and the event is durable by now
	f, t, err := l.openNewest()
	if err != nil {
		return err
	}
	defer f.Close()
	return do(f, t, rooms{lock})
}

// openTail opens the file at Path, creating it if necessary, and reads
// its end.
func (l *Log) openTail() (f *os.File, t tail, err error) {
	if f, _, err = l.Sharing().OpenAppend(l.Path, 0o600); err != nil {
		return nil, tail{}, err
	}
	if t, err = l.lookAt(f); err != nil {
		f.Close()
	}
	return f, t, err
}

// lookAt makes sure that the file is a log, and one to be trusted, and reads its
// end.
func (l *Log) lookAt(f *os.File) (tail, error) {
	if err := l.checkOwner(f); err != nil {
		return tail{}, err
	}
	if err := l.Sharing().Share(f); err != nil {
		return tail{}, err
	}
	t, err := readTail(f)
	if err == nil {
		err = checkLog(f, t)
	}
	if err != nil {
		return tail{}, fmt.Errorf("%s: %w", l.Path, err)
	}
	if t.size == 0 {
		// A crash before this line may lose the file with nothing in it. Whoever
		// made it may have been killed there, so any first event does this.
		err = durable.SyncDir(filepath.Dir(l.Path))
	}
	return t, err
}

// newLogID is the id of a log that begins.
func newLogID() string { return rand.Text() }

// chain makes the bytes to append to a file that ends as t says. What comes after
// the event, of up to room bytes, must fit into a line as well.
func chain(e Event, t tail, room int64) ([]byte, Head, error) {
	e.V, e.Log, e.Seq, e.Prev = Version, t.head.Log, t.head.Seq+1, t.prev
	if e.Log == "" {
		e.Log = newLogID()
	}
	var err error
	if t.torn != nil {
		e.Details, err = withDetail(e.Details, "recovered", t.torn)
	}
	if t.loose != nil && err == nil {
		e.Details, err = withDetail(e.Details, "unchained", t.loose)
	}
	if t.continues != nil && err == nil {
		e.Details, err = withDetail(e.Details, "continues", t.continues)
	}
	if err != nil {
		return nil, Head{}, err
	}
	data, err := encode(e)
	if err != nil {
		return nil, Head{}, err
	}
	if len(data) > maxLine || room > maxLine {
		return nil, Head{}, fmt.Errorf("record: the event takes %d bytes, and its outcome up to %d: %w", len(data), room, errLineTooLong)
	}
	if _, err := parse(data[:len(data)-1]); err != nil { // no reader would take it for an event
		return nil, Head{}, fmt.Errorf("record: %w", err)
	}
	head := Head{Log: e.Log, Seq: e.Seq, SHA256: Sum(data[:len(data)-1])}
	if t.open {
		data = append([]byte{'\n'}, data...)
	}
	return data, head, nil
}

// write appends data, which has never been in the file, and makes it durable.
//
//   - A crash before the write leaves the file as it was.
//   - A crash in it leaves a torn line, which the next writer seals.
//   - A write cut short by a full disk is taken back here, under the lock.
//   - A failed fsync leaves the line where it is: nobody knows whether it is on
//     the disk, and writing it again would record one thing twice.
func write(f *os.File, data []byte, size int64) error {
	if _, err := f.Write(data); err != nil {
		if cut := f.Truncate(size); cut != nil {
			return fmt.Errorf("append to %q: %w; and taking back what was written: %w", f.Name(), durable.Cause(err), durable.Cause(cut))
		}
		return fmt.Errorf("append to %q: %w", f.Name(), durable.Cause(err))
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync %q: %w", f.Name(), durable.Cause(err))
	}
	return nil
}

// checkOwner refuses a log that another account could rewrite at will.
func (l *Log) checkOwner(f *os.File) error {
	owner, ours, err := l.Sharing().OursToTrust(f, l.Path)
	if err == nil && !ours {
		err = fmt.Errorf("%q: %w (uid %d, we are %d)", l.Path, ErrOwner, owner, os.Geteuid())
	}
	return err
}

// Find looks for a log in dir and its parents, as git looks for its directory.
// Without one it returns the path in dir, and false.
func Find(dir string) (path string, found bool) {
	for d := dir; ; d = filepath.Dir(d) {
		path := filepath.Join(d, DefaultPath)
		if _, err := os.Lstat(path); err == nil {
			return path, true
		}
		if all, _ := (&Log{Path: path}).segments(); len(all) > 0 { // a rotation was cut short
			return path, true
		}
		if filepath.Dir(d) == d {
			return filepath.Join(dir, DefaultPath), false
		}
	}
}
