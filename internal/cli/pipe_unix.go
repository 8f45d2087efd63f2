//go:build unix

package cli

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// keepOnClosedPipe turns the signal of a closed pipe into an error of the
// write. It is caught and not ignored, since a child would inherit the latter.
func keepOnClosedPipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// closedPipe reports whether a write failed since nobody reads any more: head
// or less has seen enough.
func closedPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
