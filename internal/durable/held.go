package durable

import (
	"fmt"
	"time"
)

// How often TryLock asks, and at what interval: whoever uses Held has the
// lock for some microseconds.
const (
	lookTries = 3
	lookPause = 2 * time.Millisecond
)

// Held reports whether somebody holds the lock on the file at path, which must be
// there (fs.ErrNotExist). It needs no more than to read the file, so that it works
// on a read-only mount.
func Held(path string) (held bool, err error) {
	f, err := OpenOurs(path)
	if err != nil {
		return false, err
	}
	defer f.Close() // and with it the lock, where it was free
	free, err := flockShared(f)
	if err != nil {
		return false, fmt.Errorf("look at the lock %q: %w", path, Cause(err))
	}
	return !free, nil
}

// pastLooks tries again while a lock is not free.
func pastLooks(try func() (*Locked, bool, error)) (l *Locked, free bool, err error) {
	for n := range lookTries {
		if n > 0 {
			time.Sleep(lookPause)
		}
		if l, free, err = try(); err != nil || free {
			break
		}
	}
	return l, free, err
}
