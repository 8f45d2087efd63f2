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

// Lock takes the exclusive lock on the file at path, which it makes when it is
// not there, and waits for at most limit; then the error is ErrLocked. Nothing
// but a regular file is opened, and no symbolic link is followed.
func Lock(ctx context.Context, path string, limit time.Duration) (*Locked, error) {
	begun, poll := time.Now(), lockPoll
	for {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("lock %q: %w", path, context.Cause(ctx))
		}
		l, free, err := TryLock(path)
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
func TryLock(path string) (l *Locked, free bool, err error) {
	return tryLock(path, os.O_CREATE)
}

// TryLockExisting is TryLock on a file that must be there: without one the
// error is fs.ErrNotExist, and none is made.
func TryLockExisting(path string) (l *Locked, free bool, err error) {
	return tryLock(path, 0)
}

func tryLock(path string, create int) (*Locked, bool, error) {
	for {
		f, err := openLock(path, create)
		if err != nil {
			return nil, false, err
		}
		free, err := flock(f)
		if err == nil && free {
			// The holder before may have removed the file between the two steps. A
			// lock on a file without a name keeps nobody out.
			err = stillNamed(f, path)
		}
		if err == nil && free {
			return &Locked{File: f, path: path}, true, nil
		}
		f.Close()
		switch {
		case errors.Is(err, errGone): // again, with the file that has the name now
		case err != nil:
			return nil, false, fmt.Errorf("lock %q: %w", path, Cause(err))
		default:
			return nil, false, nil
		}
	}
}

// openLock opens the file of a lock, and makes it when create is os.O_CREATE.
func openLock(path string, create int) (*os.File, error) {
	// Opening a device can do something, so it is looked at first. The kernel
	// then refuses a link, and fstat tells whatever else was put there meanwhile.
	info, err := os.Lstat(path)
	if err == nil {
		err = regular(path, info.Mode())
	} else if errors.Is(err, fs.ErrNotExist) && create != 0 {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock %q: %w", path, Cause(err))
	}
	f, err := openShared(path, create)
	if err != nil {
		return nil, fmt.Errorf("lock %q: %w", path, Cause(err))
	}
	if info, err = f.Stat(); err == nil {
		err = regular(path, info.Mode())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func stillNamed(f *os.File, path string) error {
	open, err := f.Stat()
	if err != nil {
		return err
	}
	named, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errGone
	case err != nil:
		return err
	case !os.SameFile(open, named):
		return errGone
	}
	return nil
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
	err := stillNamed(l.File, l.path)
	if err == nil {
		err = os.Remove(l.path)
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
	err := l.File.Truncate(0)
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
	f, err := openLock(path, 0)
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
