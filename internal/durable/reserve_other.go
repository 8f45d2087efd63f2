//go:build !linux

package durable

import "os"

// Reserve does nothing here: only Linux can allocate behind the end of a file
// without changing its size. An append may then fail on a full disk, and is
// reported as such.
func Reserve(*os.File, int64, int64, int64) error { return nil }
