package archive

import (
	"archive/tar"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// attributes sets those of h on what fd has open; never by a name, which may
// have become another thing's. They come in this order: a new owner takes suid
// bits and capabilities away, a new mode changes an ACL's mask. What the file
// system has no place for is left out; comparing afterwards tells.
func attributes(h *tar.Header, fd int) error {
	if err := unix.Fchownat(fd, "", h.Uid, h.Gid, unix.AT_EMPTY_PATH); err != nil {
		return fmt.Errorf("owner: %w", err)
	}
	if h.Typeflag != tar.TypeSymlink { // which has no mode
		if err := unix.Chmod(procPath(fd), uint32(h.Mode)&0o7777); err != nil {
			return fmt.Errorf("mode: %w", err)
		}
	}
	for key, value := range h.PAXRecords {
		name, is := strings.CutPrefix(key, xattrPrefix)
		if !is {
			continue
		}
		if err := unix.Setxattr(procPath(fd), name, []byte(value), 0); err != nil && !errors.Is(err, unix.ENOTSUP) {
			return fmt.Errorf("extended attribute %q: %w", name, err)
		}
	}
	modified := unix.Timespec{Sec: h.ModTime.Unix(), Nsec: int64(h.ModTime.Nanosecond())}
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, procPath(fd), []unix.Timespec{modified, modified}, 0); err != nil {
		return fmt.Errorf("time: %w", err)
	}
	return nil
}
