package durable

import (
	"io/fs"
	"os"
	"path/filepath"
)

// dir is an open directory. os.Root never leads out of it, and opens files so
// that they can be removed meanwhile.
type dir struct {
	root *os.Root
	path string
}

// entry is what a name stands for.
type entry struct{ info fs.FileInfo }

func (e entry) mode() fs.FileMode     { return e.info.Mode() }
func (e entry) same(other entry) bool { return os.SameFile(e.info, other.info) }

// linked is not looked for here: whoever links a file must be able to write it.
func (e entry) linked() bool { return false }

// openDir opens a directory, which may be a symbolic link to one.
func openDir(path string) (dir, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return dir{}, Cause(err)
	}
	return dir{root, path}, nil
}

// sub opens a directory in d, which may not be a symbolic link or a junction.
func (d dir) sub(name string) (dir, error) {
	path := filepath.Join(d.path, name)
	named, err := d.look(name)
	if err != nil {
		return dir{}, err
	}
	if _, err := d.root.Readlink(name); err == nil {
		return dir{}, notDirectory(path, fs.ModeSymlink)
	}
	root, err := d.root.OpenRoot(name)
	if err != nil {
		return dir{}, Cause(err)
	}
	if info, err := root.Stat("."); err != nil || !named.same(entry{info}) {
		root.Close()
		return dir{}, notDirectory(path, named.mode())
	}
	return dir{root, path}, nil
}

func (d dir) close() { d.root.Close() }

func (d dir) open(name string, flags int, mode fs.FileMode) (*os.File, error) {
	f, err := d.root.OpenFile(name, flags, mode.Perm())
	return f, Cause(err)
}

func (d dir) look(name string) (entry, error) {
	info, err := d.root.Lstat(name)
	return entry{info}, Cause(err)
}

func lookAt(f *os.File) (entry, error) {
	info, err := f.Stat()
	return entry{info}, Cause(err)
}

func (d dir) mkdir(name string, mode fs.FileMode) error {
	return Cause(d.root.Mkdir(name, mode.Perm()))
}
func (d dir) remove(name string) error     { return Cause(d.root.Remove(name)) }
func (d dir) rename(from, to string) error { return Cause(d.root.Rename(from, to)) }

// sync does nothing: Windows has no call that syncs a directory.
func (d dir) sync() error { return nil }
