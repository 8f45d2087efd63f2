//go:build unix

package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// give hands what was just made to the owner that it ought to have, by its
// descriptor. mode is what s makes of its mode.
func (d dir) give(f *os.File, s Sharing, mode fs.FileMode) error {
	uid, gid := -1, -1
	if os.Geteuid() == 0 && d.owner.Uid != 0 {
		uid, gid = int(d.owner.Uid), int(d.owner.Gid)
	}
	if s.Group == 0 && uid < 0 {
		return nil
	}
	if s.Group == 0 {
		err := chown(f, uid, gid)
		if noOwners(err) {
			err = nil // then it stays root's, as before
		}
		return err
	}
	if err := chown(f, uid, s.Group); err != nil {
		return fmt.Errorf("give it to the group %d: %w", s.Group, err)
	}
	return chmod(f, mode)
}

// Share widens who may write a file of this account's that was made before it
// was shared. Files of other accounts stay as they are.
func (s Sharing) Share(f *os.File) error { return s.widen(f, s.file(0o600)) }

// widen is Share of a directory of ours.
func (d dir) widen(s Sharing) error {
	if s.Group == 0 {
		return nil
	}
	f, err := d.open(".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return s.widen(f, s.directory(0o700))
}

func (s Sharing) widen(f *os.File, mode fs.FileMode) error {
	at, err := lookAt(f)
	if err != nil || s.Group == 0 || int(at.Uid) != os.Geteuid() {
		return err
	}
	wanted := bits(mode)
	if int(at.Gid) == s.Group && uint32(at.Mode)&wanted == wanted {
		return nil
	}
	if at.linked() {
		return fmt.Errorf("give %q to the group %d: %w", f.Name(), s.Group, errLinked)
	}
	if err := chown(f, -1, s.Group); err != nil {
		return fmt.Errorf("give %q to the group %d: %w", f.Name(), s.Group, err)
	}
	return chmod(f, mode|at.mode().Perm())
}

func chown(f *os.File, uid, gid int) error {
	_, err := again(func() (int, error) { return 0, unix.Fchown(int(f.Fd()), uid, gid) })
	return err
}

func chmod(f *os.File, mode fs.FileMode) error {
	_, err := again(func() (int, error) { return 0, unix.Fchmod(int(f.Fd()), bits(mode)) })
	return err
}

func bits(mode fs.FileMode) uint32 {
	b := uint32(mode.Perm())
	if mode&fs.ModeSetgid != 0 {
		b |= unix.S_ISGID
	}
	return b
}

// noOwners reports whether a file cannot be given away here: the file system
// knows no owners, or this root may not (a user namespace, root_squash).
func noOwners(err error) bool {
	for _, e := range []error{unix.EPERM, unix.EINVAL, unix.ENOTSUP, unix.EOPNOTSUPP, unix.ENOSYS} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
