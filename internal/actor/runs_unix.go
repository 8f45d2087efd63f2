//go:build unix

package actor

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Runs reports whether there is a process with this id. One that belongs to somebody
// else, and that we may not signal, runs too.
func Runs(pid int) bool {
	if pid <= 0 { // kill would take it for a group
		return false
	}
	err := unix.Kill(pid, 0)
	return err == nil || errors.Is(err, unix.EPERM)
}
