//go:build unix && !linux

package durable

import "golang.org/x/sys/unix"

// dirFlags open a directory. It has to be readable, where Linux is content with
// one that may be passed through.
const dirFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC
