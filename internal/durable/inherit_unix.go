//go:build unix

package durable

import (
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// Inherit gives the open files of locks to a child, as its descriptors from 3 on.
func Inherit(cmd *exec.Cmd, files []*os.File) { cmd.ExtraFiles = files }

// Inherited is the lock at path that a parent handed down as a descriptor, or nil
// when the descriptor is something else.
func Inherited(fd uintptr, path string) *Locked {
	var open, named unix.Stat_t
	if unix.Fstat(int(fd), &open) != nil || unix.Lstat(path, &named) != nil || open.Dev != named.Dev || open.Ino != named.Ino {
		return nil
	}
	unix.CloseOnExec(int(fd))
	return &Locked{File: os.NewFile(fd, path), path: path}
}
