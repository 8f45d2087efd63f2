package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// flockShared takes the lock together with others who only look, and reports
// whether nobody holds it.
func flockShared(f *os.File) (free bool, err error) {
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, behind())
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}
