//go:build unix

package command

import (
	"os"
	"syscall"
)

// endedBy is the signal that ended a process, or 0.
func endedBy(s *os.ProcessState) syscall.Signal {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return w.Signal()
	}
	return 0
}
