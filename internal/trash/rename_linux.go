package trash

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// identity is what a directory is known by, wherever it is renamed to.
func identity(dir string) (string, error) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, dir, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_INO|unix.STATX_BTIME|unix.STATX_TYPE, &st); err != nil {
		return "", &os.PathError{Op: "stat", Path: dir, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return "", fmt.Errorf("%q: not a directory", dir)
	}
	return fmt.Sprintf("%d:%d.%09d", st.Ino, st.Btime.Sec, st.Btime.Nsec), nil
}

// renameNew renames, and fails with EEXIST where anything is in the way.
func renameNew(from, to string) error {
	return unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
}

// renameEmpty renames a directory. It replaces an empty one, and nothing
// else: the system fails with ENOTEMPTY.
func renameEmpty(from, to string) error { return unix.Rename(from, to) }
