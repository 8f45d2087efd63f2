package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/contextcore/ccdestroy/internal/durable"
)

var errNotOurs = errors.New("it is not what was made here: somebody replaced it")

// Drop removes the draft with all that was written to it, so that it takes no
// space, and nothing else: what the draft did not make stays, with the directories
// that it is in, and is an error. A finished export is not dropped. No Save may
// be under way.
//
// A crash half way leaves a part, still under the name of an incomplete export.
func (d *Draft) Drop() error {
	if d.whole {
		return fmt.Errorf("drop %q: it is finished", d.dir)
	}
	root, err := d.open()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, w := range slices.Backward(d.wrote) {
		if err := remove(root, w); err != nil {
			errs = append(errs, fmt.Errorf("remove %q: %w", filepath.Join(d.dir, w.name), durable.Cause(err)))
		}
	}
	root.Close()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := syscall.Rmdir(d.dir); err != nil { // of an empty directory, and of nothing else
		return fmt.Errorf("remove %q: %w", d.dir, err)
	}
	return nil
}

func remove(root *os.Root, w written) error {
	info, err := root.Lstat(w.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !os.SameFile(info, w.info), info.Mode().Type() != w.info.Mode().Type(), !info.IsDir() && info.Size() != w.info.Size():
		return errNotOurs // a new file can have the number of a removed one; so the length counts as well
	}
	return root.Remove(w.name)
}

// open opens the directory of the draft, if it still is the one that was made.
func (d *Draft) open() (*os.Root, error) {
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", d.dir, durable.Cause(err))
	}
	info, err := root.Stat(".")
	if err == nil && d.made != nil && !os.SameFile(info, d.made) {
		err = errNotOurs
	}
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("open %q: %w", d.dir, durable.Cause(err))
	}
	return root, nil
}

// create makes a new file in the draft.
func (d *Draft) create(name string) (*os.File, error) {
	f, err := durable.Create(filepath.Join(d.dir, filepath.FromSlash(name)), 0o600)
	if err != nil {
		return nil, err
	}
	if err := d.note(name, f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// note remembers the present state of a file of the draft.
func (d *Draft) note(name string, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("stat %q: %w", filepath.Join(d.dir, name), durable.Cause(err))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.IndexFunc(d.wrote, func(w written) bool { return w.name == name }); i >= 0 {
		d.wrote[i].info = info
	} else {
		d.wrote = append(d.wrote, written{name, info})
	}
	return nil
}

// write makes a file in the draft and syncs it.
func (d *Draft) write(name string, data []byte) error {
	f, err := d.create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, d.note(name, f), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %q: %w", filepath.Join(d.dir, name), durable.Cause(err))
	}
	return nil
}
