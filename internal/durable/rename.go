package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Rename gives a file of ours another name in its directory, where nothing may
// have that name yet (fs.ErrExist), and returns when the names are durable. A
// crash in it leaves the one name or the other.
func Rename(path, to string) error {
	d, name, err := parent(path)
	if err == nil {
		defer d.close()
		err = d.renameNew(name, filepath.Base(to))
	}
	if err != nil {
		return fmt.Errorf("rename %q to %q: %w", path, to, Cause(err))
	}
	return nil
}

func (d dir) renameNew(name, to string) error {
	if _, err := d.look(to); err == nil {
		return fs.ErrExist
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := d.rename(name, to); err != nil {
		return err
	}
	return d.sync()
}
