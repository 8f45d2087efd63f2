package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrNotRegular says that a path names a directory, a symbolic link, a pipe or
// a device where a plain file is required; ErrNotDirectory, that something else
// is in the place of a directory of ours.
var (
	ErrNotRegular   = errors.New("not a regular file")
	ErrNotDirectory = errors.New("not a directory")
)

// errLinked says that a file has another name, which may be one that matters
// elsewhere: where hard links are not protected, anybody can give a file of
// root's a name in a directory of theirs.
var errLinked = errors.New("it is a hard link")

// split divides a path into the part above and what is ours: the names in which
// no symbolic link is followed.
//
// Ours is what this program makes and nobody else chooses: `.contextcore` in a
// project, the directory of the heads (ccdestroy/heads), and all below them. A
// cloned project, or the one of another account, may have put a link there, and
// it would lead the writer, perhaps root, to a file of its choice. Ours is also
// a directory of operation locks (NAME.ops) and always the last name.
//
// Above is what the user named or lives in: home directories, /var, /tmp and
// the directory of --log FILE are symbolic links on many machines, and root or
// the user made those.
func split(path string) (above string, ours []string) {
	path = filepath.Clean(path)
	begin := path
	for d := filepath.Dir(path); d != filepath.Dir(d); d = filepath.Dir(d) {
		switch base := filepath.Base(d); {
		case base == ".contextcore", d == filepath.Dir(path) && strings.HasSuffix(base, ".ops"):
			begin = d
		case base == "heads" && filepath.Base(filepath.Dir(d)) == "ccdestroy":
			begin = filepath.Dir(d)
		}
	}
	above = filepath.Dir(begin)
	rest, err := filepath.Rel(above, path)
	if err != nil {
		panic(err) // above is a part of path
	}
	return above, strings.Split(rest, string(filepath.Separator))
}

// parent opens the directory that holds the last name of path.
func parent(path string) (d dir, name string, err error) {
	above, ours := split(path)
	if d, err = openDir(above); err != nil {
		return dir{}, "", err
	}
	last := len(ours) - 1
	for _, name := range ours[:last] {
		next, err := d.sub(name)
		d.close()
		if err != nil {
			return dir{}, "", err
		}
		d = next
	}
	return d, ours[last], nil
}

// openTries bounds how often opening a file that was made, removed or replaced
// in the meantime is tried again.
const openTries = 1000

// openFile opens the regular file with this name, in which it follows no link;
// with os.O_CREATE in flags it makes one that is not there. What is made belongs
// to whom s and the directory say before anybody can write into it.
func (d dir) openFile(name string, flags int, mode fs.FileMode, s Sharing) (f *os.File, created bool, err error) {
	for range openTries {
		// Opening a device can do something, so it is looked at first.
		named, err := d.look(name)
		if errors.Is(err, fs.ErrNotExist) && flags&os.O_CREATE != 0 {
			f, err = d.make(name, flags, mode, s)
			if errors.Is(err, fs.ErrExist) {
				continue // another process made it
			}
			return f, err == nil, err
		}
		if err == nil {
			err = regular(named.mode())
		}
		if err != nil {
			return nil, false, err
		}
		f, err = d.open(name, flags&^os.O_CREATE, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process removed it
		}
		if err != nil {
			return nil, false, err
		}
		if open, err := lookAt(f); err == nil && open.same(named) {
			return f, false, nil
		}
		f.Close()
	}
	return nil, false, errors.New("the file is being replaced all the time")
}

// make makes a file. A crash in it leaves an empty file, which may belong to
// root where it should belong to the user.
func (d dir) make(name string, flags int, mode fs.FileMode, s Sharing) (*os.File, error) {
	f, err := d.open(name, flags|os.O_EXCL, mode)
	if err != nil {
		return nil, err
	}
	if err := d.give(f, s, s.file(mode)); err != nil {
		f.Close()
		_ = d.remove(name)
		return nil, err
	}
	return f, nil
}

func regular(mode fs.FileMode) error {
	switch {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return fmt.Errorf("is a directory: %w", ErrNotRegular)
	case mode&fs.ModeSymlink != 0:
		return fmt.Errorf("is a symbolic link: %w", ErrNotRegular)
	}
	return ErrNotRegular
}

// notDirectory is the error about what stands in the place of a directory.
func notDirectory(path string, mode fs.FileMode) error {
	if mode&fs.ModeSymlink != 0 {
		return fmt.Errorf("%q is a symbolic link: %w", path, ErrNotDirectory)
	}
	return fmt.Errorf("%q: a file with this name is in the way: %w", path, ErrNotDirectory)
}
