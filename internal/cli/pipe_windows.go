package cli

import (
	"errors"
	"syscall"
)

func keepOnClosedPipe() {}

// closedPipe reports whether a write failed since nobody reads any more.
func closedPipe(err error) bool { return errors.Is(err, syscall.Errno(232)) } // ERROR_NO_DATA
