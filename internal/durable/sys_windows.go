package durable

import (
	"io/fs"
	"os"
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

// Free is not known here.
func Free(string) (bytes uint64, known bool) { return 0, false }

func sameOwner(*os.File, fs.FileInfo) error { return nil }
