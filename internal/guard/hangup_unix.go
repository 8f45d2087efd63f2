//go:build unix

package guard

import "syscall"

// hangUp tells the engine to read its configuration again.
func hangUp(pid int) error { return syscall.Kill(pid, syscall.SIGHUP) }
