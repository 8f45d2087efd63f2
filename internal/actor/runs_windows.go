package actor

import (
	"errors"

	"golang.org/x/sys/windows"
)

// Runs reports whether there is a process with this id. One that belongs to somebody
// else, and that we may not open, runs too; one that has ended, and that somebody still
// has open, does not.
func Runs(pid int) bool {
	if pid <= 0 {
		return false
	}
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return errors.Is(err, windows.ERROR_ACCESS_DENIED)
	}
	defer func() { _ = windows.CloseHandle(h) }()
	state, err := windows.WaitForSingleObject(h, 0)
	return err == nil && state == uint32(windows.WAIT_TIMEOUT)
}
