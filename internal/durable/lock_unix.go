//go:build unix

package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func openShared(path string, create int) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|create|noFollow, 0o600)
}

// flock takes the lock and reports whether it was free. It is on the open file,
// which children share, and not on the process, as fcntl's are.
func flock(f *os.File) (free bool, err error) {
	for {
		switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, unix.EINTR):
			return false, err
		}
	}
}

func unflock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_UN) }
