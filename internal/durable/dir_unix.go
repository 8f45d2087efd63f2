//go:build unix

package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// dir is an open directory. Names in it are used relative to the descriptor, so
// that nobody can lead a step astray by moving a directory above it.
type dir struct {
	f     *os.File
	path  string
	owner entry // of the directory above what is ours
}

// entry is what a name stands for.
type entry struct{ unix.Stat_t }

func (e entry) mode() fs.FileMode {
	mode := fs.FileMode(e.Mode & 0o777)
	switch e.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return mode
	case unix.S_IFDIR:
		return mode | fs.ModeDir
	case unix.S_IFLNK:
		return mode | fs.ModeSymlink
	}
	return mode | fs.ModeIrregular
}

func (e entry) same(other entry) bool { return e.Dev == other.Dev && e.Ino == other.Ino }

// linked reports whether a file has other names, elsewhere.
func (e entry) linked() bool { return e.Mode&unix.S_IFMT == unix.S_IFREG && e.Nlink > 1 }

// openDir opens a directory, which may be a symbolic link to one.
func openDir(path string) (dir, error) {
	fd, err := again(func() (int, error) { return unix.Open(path, dirFlags, 0) })
	if err != nil {
		return dir{}, err
	}
	d := dir{f: os.NewFile(uintptr(fd), path), path: path}
	if d.owner, err = lookAt(d.f); err != nil {
		d.close()
	}
	return d, err
}

// sub opens a directory in d, which may not be a symbolic link.
func (d dir) sub(name string) (dir, error) {
	path := filepath.Join(d.path, name)
	fd, err := again(func() (int, error) { return unix.Openat(d.fd(), name, dirFlags|unix.O_NOFOLLOW, 0) })
	if err == nil {
		return dir{f: os.NewFile(uintptr(fd), path), path: path, owner: d.owner}, nil
	}
	if at, looked := d.look(name); looked == nil && !at.mode().IsDir() {
		err = notDirectory(path, at.mode())
	}
	return dir{}, err
}

func (d dir) fd() int { return int(d.f.Fd()) }

func (d dir) close() { d.f.Close() }

// open opens a name without waiting, whatever it stands for.
func (d dir) open(name string, flags int, mode fs.FileMode) (*os.File, error) {
	flags |= unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	fd, err := again(func() (int, error) { return unix.Openat(d.fd(), name, flags, uint32(mode.Perm())) })
	if err != nil {
		return nil, err
	}
	_ = unix.SetNonblock(fd, false) // children may inherit it; it means nothing to a regular file
	return os.NewFile(uintptr(fd), filepath.Join(d.path, name)), nil
}

func (d dir) look(name string) (e entry, err error) {
	_, err = again(func() (int, error) { return 0, unix.Fstatat(d.fd(), name, &e.Stat_t, unix.AT_SYMLINK_NOFOLLOW) })
	return e, err
}

func lookAt(f *os.File) (e entry, err error) {
	_, err = again(func() (int, error) { return 0, unix.Fstat(int(f.Fd()), &e.Stat_t) })
	return e, err
}

func (d dir) mkdir(name string, mode fs.FileMode) error {
	_, err := again(func() (int, error) { return 0, unix.Mkdirat(d.fd(), name, uint32(mode.Perm())) })
	return err
}

func (d dir) remove(name string) error {
	_, err := again(func() (int, error) { return 0, unix.Unlinkat(d.fd(), name, 0) })
	return err
}

func (d dir) rename(from, to string) error {
	_, err := again(func() (int, error) { return 0, unix.Renameat(d.fd(), from, d.fd(), to) })
	return err
}

// sync makes the names in the directory durable.
func (d dir) sync() error {
	f, err := d.open(".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return syncNames(f)
}

// again repeats a call that a signal interrupted.
func again(call func() (int, error)) (n int, err error) {
	for {
		if n, err = call(); !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
