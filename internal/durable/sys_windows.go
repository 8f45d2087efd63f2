package durable

import (
	"io/fs"
	"os"
	"path/filepath"
)

const noWait = 0

// Owner is the uid that owns the file, and false where the system has none.
func Owner(fs.FileInfo) (uid int, ok bool) { return 0, false }

func group(fs.FileInfo) (gid int, ok bool) { return 0, false }

func (d dir) makeDir(name string, mode fs.FileMode, _ Sharing) error { return d.mkdir(name, mode) }

// Writable reports as an error that the directory is not there; who may write
// to it is not looked at.
func Writable(dir string) error {
	_, err := os.Stat(dir)
	return err
}

func sameOwner(*os.File, fs.FileInfo) error { return nil }

// OurDir reports whether a path is a directory of a disk of this machine: owners
// are not looked at here.
func OurDir(path string) bool {
	if len(filepath.VolumeName(path)) != 2 { // not C:
		return false
	}
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

// Space is not known here.
func Space(string) (total, free uint64, known bool) { return 0, 0, false }

// SameFileSystem is not known here: an engine's files are never this host's.
func SameFileSystem(string, string) (bool, error) { return false, nil }
