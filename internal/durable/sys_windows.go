package durable

import "io/fs"

const noWait, noFollow = 0, 0

// SyncDir does nothing: Windows has no call that syncs a directory.
func SyncDir(string) error { return nil }

// Owner is the uid that owns the file, and false where the system has none.
func Owner(fs.FileInfo) (uid int, ok bool) { return 0, false }
