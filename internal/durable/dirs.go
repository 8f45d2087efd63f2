package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// MkdirAll makes the directory and every missing parent with the given mode
// and syncs the parent of each directory that it made, deepest last. In what is
// ours it follows no symbolic link.
//
// A crash half way leaves some of the directories, all empty; the next call
// continues from there.
func (s Sharing) MkdirAll(path string, mode fs.FileMode) error {
	above, ours := split(filepath.Join(path, "x"))
	d, err := s.makeAbove(above, mode)
	for _, name := range ours[:len(ours)-1] {
		if err != nil {
			break
		}
		d, err = s.enter(d, name, mode)
	}
	if err != nil {
		return fmt.Errorf("make directory %q: %w", path, err)
	}
	d.close()
	return nil
}

// MkdirAll is that of a directory which no group shares.
func MkdirAll(path string, mode fs.FileMode) error { return Sharing{}.MkdirAll(path, mode) }

// Mkdir makes a directory that is not there yet (fs.ErrExist), in one that is.
// Its name is durable only after SyncDir of the parent.
func Mkdir(path string, mode fs.FileMode) error {
	d, name, err := parent(path)
	if err == nil {
		defer d.close()
		err = d.makeDir(name, mode, Sharing{})
	}
	if err != nil {
		return fmt.Errorf("make directory %q: %w", path, err)
	}
	return nil
}

// makeAbove opens a directory, through symbolic links where there are any, and
// makes it when it is not there.
func (s Sharing) makeAbove(path string, mode fs.FileMode) (dir, error) {
	d, err := openDir(path)
	if err == nil {
		return d, nil
	}
	if info, at := os.Stat(path); at == nil && !info.IsDir() {
		return dir{}, notDirectory(path, info.Mode())
	}
	parent := filepath.Dir(path)
	if !errors.Is(err, fs.ErrNotExist) || parent == path {
		return dir{}, err
	}
	if d, err = s.makeAbove(parent, mode); err != nil {
		return dir{}, err
	}
	return s.enter(d, filepath.Base(path), mode)
}

// enter goes from d into the directory of this name, which it makes when it is
// not there. It closes d.
func (s Sharing) enter(d dir, name string, mode fs.FileMode) (dir, error) {
	defer d.close()
	next, err := d.sub(name)
	if err == nil {
		if err = next.widen(s); err != nil {
			next.close()
		}
		return next, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return dir{}, err
	}
	if err := d.makeDir(name, mode, s); err != nil && !errors.Is(err, fs.ErrExist) {
		return dir{}, err
	}
	if err := d.sync(); err != nil {
		return dir{}, fmt.Errorf("sync %q: %w", d.path, err)
	}
	return d.sub(name)
}
