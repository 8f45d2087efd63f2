package archive

import (
	"archive/tar"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// target is how the attributes of one thing are set.
type target struct {
	chown func(uid, gid int) error
	chmod func(mode uint32) error // nil for a symbolic link, which has none
	xattr func(key string, value []byte) error
	times func([]unix.Timespec) error
}

func fdTarget(fd int) target {
	return target{
		func(uid, gid int) error { return unix.Fchown(fd, uid, gid) },
		func(mode uint32) error { return unix.Fchmod(fd, mode) },
		func(key string, value []byte) error { return unix.Fsetxattr(fd, key, value, 0) },
		func(ts []unix.Timespec) error {
			return unix.UtimesNanoAt(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", fd), ts, 0)
		},
	}
}

func nameTarget(at int, name string, symlink bool) target {
	t := target{
		func(uid, gid int) error { return unix.Fchownat(at, name, uid, gid, unix.AT_SYMLINK_NOFOLLOW) },
		func(mode uint32) error { return unix.Fchmodat(at, name, mode, 0) },
		func(key string, value []byte) error {
			return unix.Lsetxattr(fmt.Sprintf("/proc/self/fd/%d/%s", at, name), key, value, 0)
		},
		func(ts []unix.Timespec) error { return unix.UtimesNanoAt(at, name, ts, unix.AT_SYMLINK_NOFOLLOW) },
	}
	if symlink {
		t.chmod = nil
	}
	return t
}

// attributes come in this order: a new owner takes suid bits and capabilities
// away, a new mode changes an ACL's mask. What the file system has no place for
// is left out; comparing afterwards tells.
func attributes(h *tar.Header, t target) error {
	if err := t.chown(h.Uid, h.Gid); err != nil {
		return fmt.Errorf("owner: %w", err)
	}
	if t.chmod != nil {
		if err := t.chmod(uint32(h.Mode) & 0o7777); err != nil {
			return fmt.Errorf("mode: %w", err)
		}
	}
	for key, value := range h.PAXRecords {
		name, is := strings.CutPrefix(key, xattrPrefix)
		if !is {
			continue
		}
		if err := t.xattr(name, []byte(value)); err != nil && !errors.Is(err, unix.ENOTSUP) {
			return fmt.Errorf("extended attribute %q: %w", name, err)
		}
	}
	if err := t.times([]unix.Timespec{timespec(h.ModTime), timespec(h.ModTime)}); err != nil {
		return fmt.Errorf("time: %w", err)
	}
	return nil
}

func timespec(t time.Time) unix.Timespec {
	return unix.Timespec{Sec: t.Unix(), Nsec: int64(t.Nanosecond())}
}
