package durable

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Reserve allocates n bytes of disk, and further ones for other processes, behind
// the end of f without changing its size, so that a later append of up to n bytes
// cannot fail for want of room or for this process's limit of file sizes (which the
// kernel does not enforce for an allocation of this kind). What is allocated there
// already counts. File systems that cannot (NFS, some FUSE) are no
// error: the promise is then only that of an ordinary write.
func Reserve(f *os.File, size, n, further int64) error {
	var limit unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit)
	if err == nil && limit.Cur != unix.RLIM_INFINITY && uint64(size+n) > limit.Cur {
		err = unix.EFBIG
	}
	if err == nil {
		err = unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, size, n+further)
	}
	if err == nil || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return fmt.Errorf("reserve %d bytes in %q: %w", n+further, f.Name(), err)
}
