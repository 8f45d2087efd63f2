package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// MkdirAll makes the directory and every missing parent with the given mode
// and syncs the parent of each directory that it made, deepest last.
//
// A crash half way leaves some of the directories, all empty; the next call
// goes on from there.
func MkdirAll(dir string, mode fs.FileMode) error {
	info, err := os.Stat(dir)
	if err == nil {
		if !info.IsDir() {
			return fmt.Errorf("make directory %q: a file with this name is in the way", dir)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("make directory %q: %w", dir, err)
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := MkdirAll(parent, mode); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make directory %q: %w", dir, Cause(err))
	}
	return SyncDir(parent)
}

// Cause strips the operation and path that os errors carry, for a caller that
// names them itself.
func Cause(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
