package durable

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// How often a waiting Lock asks again. Appends hold the lock for a few
// milliseconds, so a short interval keeps 32 writers from starving; whoever has
// waited for a second waits for something that takes longer.
const (
	lockPoll     = 2 * time.Millisecond
	lockPollSlow = 50 * time.Millisecond
	lockSlow     = time.Second
)

// holderLimit is how much of a lock file LockHolder reads.
const holderLimit = 64 << 10

// ErrLocked says that another process holds the lock.
var ErrLocked = errors.New("another process holds it")

// errGone says that the file whose lock was taken no longer has its name.
var errGone = errors.New("the lock file was removed")

// Locked is an advisory lock that is held. Whoever has File open holds it: a
// child that inherits File (exec.Cmd.ExtraFiles) keeps the lock for as long as
// it lives, also when this process is killed. The kernel releases it when the
// last of them has died, however it died; the file itself stays.
//
// On Windows a lock belongs to the process that took it: no child keeps it.
type Locked struct {
	File *os.File
	path string
}

// Lock takes the exclusive lock on the file at path, a file of ours, which it
// makes when it is not there, and waits for at most limit; then the error is
// ErrLocked. As OpenAppend it opens nothing but a regular file and follows no
// symbolic link.
func (s Sharing) Lock(ctx context.Context, path string, limit time.Duration) (*Locked, error) {
	begun, poll := time.Now(), lockPoll
	for {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("lock %q: %w", path, context.Cause(ctx))
		}
		l, free, err := s.tryLock(path, os.O_CREATE)
		if err != nil || free {
			return l, err
		}
		switch waited := time.Since(begun); {
		case waited >= limit:
			return nil, fmt.Errorf("lock %q: %w, and has for %s", path, ErrLocked, limit)
		case waited >= lockSlow:
			poll = lockPollSlow
		}
		select {
		case <-ctx.Done():
		case <-time.After(poll):
		}
	}
}

// TryLock is Lock without waiting. free is false when somebody holds the lock.
func (s Sharing) TryLock(path string) (l *Locked, free bool, err error) {
	return pastLooks(func() (*Locked, bool, error) { return s.tryLock(path, os.O_CREATE) })
}

// Lock, as of a file which no group shares.
func Lock(ctx context.Context, path string, limit time.Duration) (*Locked, error) {
	return Sharing{}.Lock(ctx, path, limit)
}

// TryLockExisting is TryLock on a file that must be there: without one the
// error is fs.ErrNotExist, and none is made.
func TryLockExisting(path string) (l *Locked, free bool, err error) {
	return pastLooks(func() (*Locked, bool, error) { return Sharing{}.tryLock(path, 0) })
}

func (s Sharing) tryLock(path string, create int) (l *Locked, free bool, err error) {
	d, name, err := parent(path)
	if err == nil {
		defer d.close()
		l, free, err = d.tryLock(name, create, s)
	}
	if err != nil {
		return nil, false, fmt.Errorf("lock %q: %w", path, Cause(err))
	}
	if free {
		l.path = path
	}
	return l, free, nil
}

func (d dir) tryLock(name string, create int, s Sharing) (*Locked, bool, error) {
	for {
		f, _, err := d.openFile(name, os.O_RDWR|create, 0o600, s)
		if err != nil {
			return nil, false, err
		}
		free, err := flock(f)
		if err == nil && free {
			// The holder before may have removed the file between the two steps. A
			// lock on a file without a name keeps nobody out.
			err = d.names(name, f)
		}
		if err == nil && free {
			err = s.Share(f)
		}
		if err == nil && free {
			return &Locked{File: f}, true, nil
		}
		f.Close()
		if !errors.Is(err, errGone) { // else again, with the file that has the name now
			return nil, false, err
		}
	}
}

// names fails with errGone when the name no longer stands for the open file.
func (d dir) names(name string, f *os.File) error {
	open, err := lookAt(f)
	if err != nil {
		return err
	}
	named, err := d.look(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !named.same(open) {
		return errGone
	}
	return err
}

// Unlock releases the lock, for children that inherited it as well, and closes
// File.
func (l *Locked) Unlock() error {
	if err := errors.Join(unflock(l.File), l.File.Close()); err != nil {
		return fmt.Errorf("unlock %q: %w", l.path, Cause(err))
	}
	return nil
}

// Remove unlinks the file while the lock is held, and then unlocks. A crash in
// between leaves a file that nobody holds, or none.
func (l *Locked) Remove() error {
	d, name, err := parent(l.path)
	if err == nil {
		if err = d.names(name, l.File); err == nil {
			err = d.remove(name)
		}
		d.close()
	}
	if errors.Is(err, errGone) || errors.Is(err, fs.ErrNotExist) {
		err = nil // what has the name now is not ours
	}
	if err != nil {
		err = fmt.Errorf("remove %q: %w", l.path, Cause(err))
	}
	return errors.Join(err, l.Unlock())
}

// Write replaces the content of the lock file: for whom others wait. It is not
// synced, since it is of use only while the lock is held; whoever reads it at
// this moment may get a part.
func (l *Locked) Write(data []byte) error {
	at, err := lookAt(l.File)
	if err == nil && at.linked() {
		err = errLinked
	}
	if err == nil {
		err = l.File.Truncate(0)
	}
	if err == nil {
		_, err = l.File.WriteAt(data, 0)
	}
	if err != nil {
		return fmt.Errorf("write %q: %w", l.path, Cause(err))
	}
	return nil
}

// LockHolder is what the holder of the lock wrote, or the one before: a lock file
// that stays is not emptied.
func LockHolder(path string) ([]byte, error) {
	f, err := OpenOurs(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, holderLimit))
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, Cause(err))
	}
	return data, nil
}
