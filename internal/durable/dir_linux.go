package durable

import "golang.org/x/sys/unix"

// dirFlags open a directory that may be passed through, also one that may not be
// read.
const dirFlags = unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC
