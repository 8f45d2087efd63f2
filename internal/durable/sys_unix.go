//go:build unix

package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// noWait: a pipe in place of the file does not block the open.
const noWait = syscall.O_NONBLOCK

// Owner is the uid that owns the file, and false where the system has none.
func Owner(info fs.FileInfo) (uid int, ok bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(st.Uid), true
}

func group(info fs.FileInfo) (gid int, ok bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(st.Gid), true
}

// syncNames syncs an open directory. Some file systems cannot (vboxsf, SMB, some
// FUSE) and say so: names there are as safe as those systems make them. An error
// of the disk is never ignored.
func syncNames(f *os.File) error {
	err := Cause(f.Sync())
	for _, cannot := range []error{unix.EINVAL, unix.ENOTSUP, unix.EOPNOTSUPP, unix.ENOSYS} {
		if errors.Is(err, cannot) {
			return nil
		}
	}
	return err
}

// makeDir makes a directory and hands it to whom it belongs. Whoever may write
// in d could put another one in its place between the two steps: only what root
// owns and is as it was made is given away.
func (d dir) makeDir(name string, mode fs.FileMode, s Sharing) error {
	if err := d.mkdir(name, mode); err != nil {
		return err
	}
	f, err := d.open(name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if at, err := lookAt(f); err != nil || int(at.Uid) != os.Geteuid() || at.Nlink > 2 {
		return err
	}
	return d.give(f, s, s.directory(mode))
}

// Writable reports as an error why nothing can be made in the directory.
func Writable(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("write to %q: %w", dir, err)
	}
	return nil
}

// sameOwner gives the file the owner and group of another one, as root; other
// accounts cannot, and keep theirs.
func sameOwner(f *os.File, as fs.FileInfo) error {
	st, ok := as.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 {
		return nil
	}
	return f.Chown(int(st.Uid), int(st.Gid))
}

// OurDir reports whether a path is a directory that belongs to this account.
func OurDir(path string) bool {
	var st unix.Stat_t
	return unix.Lstat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR && int(st.Uid) == os.Geteuid()
}

// Space is the size of a file system, and how much an ordinary account can still
// write there, in bytes.
func Space(dir string) (total, free uint64, known bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, false
	}
	return uint64(st.Blocks) * uint64(st.Bsize), uint64(st.Bavail) * uint64(st.Bsize), true
}

// SameFileSystem reports whether files can be renamed between two directories.
func SameFileSystem(a, b string) (bool, error) {
	var sa, sb unix.Stat_t
	if err := unix.Stat(a, &sa); err != nil {
		return false, fmt.Errorf("stat %q: %w", a, err)
	}
	if err := unix.Stat(b, &sb); err != nil {
		return false, fmt.Errorf("stat %q: %w", b, err)
	}
	return sa.Dev == sb.Dev, nil
}
