package durable

import (
	"io/fs"
	"os"
)

// give does nothing: a new file inherits its access list from the directory.
func (d dir) give(*os.File, Sharing, fs.FileMode) error { return nil }

func (d dir) widen(Sharing) error { return nil }

// Share does nothing: Windows has no group that owns a file.
func (s Sharing) Share(*os.File) error { return nil }
