//go:build unix && !linux

package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// fread is FREAD of <sys/fcntl.h>: what was typed, not what is shown.
const fread = 1

// flush drops what was typed before.
func flush(tty *os.File) { _ = unix.IoctlSetPointerInt(int(tty.Fd()), unix.TIOCFLUSH, fread) }
