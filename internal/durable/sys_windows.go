package durable

import (
	"io/fs"
	"os"
)

const noWait, noFollow = 0, 0

// SyncDir does nothing: Windows has no call that syncs a directory.
func SyncDir(string) error { return nil }

// Owner is the uid that owns the file, and false where the system has none.
func Owner(fs.FileInfo) (uid int, ok bool) { return 0, false }

// Writable reports as an error that the directory is not there; who may write
// to it is not looked at.
func Writable(dir string) error {
	_, err := os.Stat(dir)
	return err
}

// Free is not known here.
func Free(string) (bytes uint64, known bool) { return 0, false }

func sameOwner(*os.File, fs.FileInfo) error { return nil }

// Space is not known here.
func Space(string) (total, free uint64, known bool) { return 0, 0, false }

// SameFileSystem is not known here: an engine's files are never this host's.
func SameFileSystem(string, string) (bool, error) { return false, nil }
