package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// behind is a byte far behind any content. A lock here keeps others from reading
// what it covers, and they want to read who holds it.
func behind() *windows.Overlapped { return &windows.Overlapped{OffsetHigh: 1 << 30} }

// flock takes the lock and reports whether it was free.
func flock(f *os.File) (free bool, err error) {
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, behind())
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

func unflock(f *os.File) error {
	return windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, behind())
}
