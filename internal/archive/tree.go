package archive

import (
	"errors"
	"fmt"
)

// Source says how a directory is read.
type Source struct {
	// Live: a container may write meanwhile. Files that vanish or change are
	// then noted; otherwise they are an error.
	Live bool
	// Read is told of bytes of files as they are read; it may be nil.
	Read func(n int64)
}

// ErrChanged says that the files changed while they were read.
var ErrChanged = errors.New("it changed while it was read")

var errShrank = fmt.Errorf("%w: a file became shorter", ErrChanged)

// ErrNoDirect says that this system cannot read or write volumes directly.
var ErrNoDirect = errors.New("volumes are read and written directly on Linux only")

// notKept are extended attributes that belong to the machine, not to the data.
var notKept = map[string]string{
	"security.selinux": "a label of this host's policy",
	"security.ima":     "a signature of this host's integrity measurement",
	"security.evm":     "a signature of this host's integrity measurement",
}
