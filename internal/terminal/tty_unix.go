//go:build unix

package terminal

import (
	"context"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const ttyPath = "/dev/tty"

// Foreground reports whether /dev/tty opens and this process may read from it:
// of the jobs of `make -j2`, and of a background job, that is not so.
func Foreground() bool {
	tty, err := os.OpenFile(ttyPath, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// pollInterval is how often a waiting question looks whether it was called off.
const pollInterval = 100 * time.Millisecond

// readLine reads one line from the terminal, and no byte beyond it. It gives up
// when ctx ends, or after limit with an error for which os.IsTimeout holds.
func readLine(ctx context.Context, tty *os.File, limit time.Duration) (string, error) {
	deadline := time.Now().Add(limit)
	fd := int(tty.Fd())
	var line strings.Builder
	for {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if !time.Now().Before(deadline) {
			return "", os.ErrDeadlineExceeded
		}
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(ready, int(pollInterval.Milliseconds()))
		if err != nil && err != unix.EINTR {
			return "", err
		}
		if n <= 0 {
			continue
		}
		b := make([]byte, 1)
		got, err := tty.Read(b)
		if err != nil || got == 0 {
			return "", os.ErrClosed
		}
		if b[0] == '\n' || b[0] == '\r' {
			return line.String(), nil
		}
		line.WriteByte(b[0])
	}
}
