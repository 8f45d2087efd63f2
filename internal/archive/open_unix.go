//go:build unix

package archive

import "syscall"

// noWait: a pipe in a file's place does not block the open.
const noWait = syscall.O_NONBLOCK
