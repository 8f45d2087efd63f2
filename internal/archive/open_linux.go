package archive

import (
	"fmt"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// openDir opens a directory so that ReadDir works however long its path is.
func openDir(at int, name string) (*os.File, error) {
	fd, err := ignoringEINTR(func() (int, error) {
		return unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), fmt.Sprintf("/proc/self/fd/%d", fd)), nil
}

// openPath opens the thing of that name itself, whatever its type, to be looked
// at and to have attributes set, not to be read: no link is followed, no pipe
// waited for, no device woken.
func openPath(at int, name string) (fd int, err error) {
	return ignoringEINTR(func() (int, error) { return unix.Openat(at, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0) })
}

// procPath names what a descriptor has open, for calls that do not take one of
// openPath. It leads to that very thing, not through its name.
func procPath(fd int) string { return fmt.Sprintf("/proc/self/fd/%d", fd) }

// procFds is the directory in which every descriptor leads to what it has open,
// looked up once: openFile is called for every file.
var procFds = sync.OnceValues(func() (int, error) {
	return unix.Open("/proc/self/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
})

// openFile opens for reading what a descriptor of openPath has, if that is a
// regular file, without changing its access time if that is allowed.
func openFile(fd int) (*os.File, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, ErrChanged
	}
	const flags = unix.O_RDONLY | unix.O_NONBLOCK | unix.O_CLOEXEC
	at, err := procFds()
	if err != nil {
		return nil, err
	}
	name := strconv.Itoa(fd)
	file, err := ignoringEINTR(func() (int, error) { return unix.Openat(at, name, flags|unix.O_NOATIME, 0) })
	if err == unix.EPERM {
		file, err = ignoringEINTR(func() (int, error) { return unix.Openat(at, name, flags, 0) })
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(file), name), nil
}

func ignoringEINTR(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != unix.EINTR {
			return n, err
		}
	}
}
