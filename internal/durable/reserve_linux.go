package durable

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Reserve allocates n bytes of disk behind the end of f without changing its
// size, so that a later append of up to n bytes cannot fail for want of room.
// File systems that cannot (NFS, some FUSE) are no error: the promise is then
// only that of an ordinary write.
func Reserve(f *os.File, size, n int64) error {
	err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, size, n)
	if err == nil || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return fmt.Errorf("reserve %d bytes in %q: %w", n, f.Name(), err)
}
