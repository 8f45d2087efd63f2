//go:build unix

package guard

import "syscall"

// runs reports whether a process runs that can be signalled.
func runs(pid int) bool { return syscall.Kill(pid, 0) == nil }

// hangUp tells the engine to read its configuration again.
func hangUp(pid int) error { return syscall.Kill(pid, syscall.SIGHUP) }
