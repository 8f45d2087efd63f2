package durable

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// OpenAppend opens path, a file of ours, for reading and appending, and makes it
// with mode when it is not there. It refuses anything but a regular file, follows
// no symbolic link in what is ours, and the open file is the one that the path
// names. created says that the file was made by this call: its name is durable
// only after SyncDir of the parent.
func (s Sharing) OpenAppend(path string, mode fs.FileMode) (f *os.File, created bool, err error) {
	return s.open(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, mode)
}

// OpenAppend is that of a file which no group shares.
func OpenAppend(path string, mode fs.FileMode) (f *os.File, created bool, err error) {
	return Sharing{}.OpenAppend(path, mode)
}

// OpenOurs opens path, a file of ours, for reading, as OpenAppend does.
func OpenOurs(path string) (*os.File, error) {
	f, _, err := Sharing{}.open(path, os.O_RDONLY, 0)
	return f, err
}

// Create makes a file that is not there yet, for reading and writing. What stands
// in its place, a symbolic link too, is an error (fs.ErrExist).
func Create(path string, mode fs.FileMode) (*os.File, error) {
	d, name, err := parent(path)
	if err == nil {
		defer d.close()
		var f *os.File
		if f, err = d.make(name, os.O_RDWR|os.O_CREATE, mode, Sharing{}); err == nil {
			return f, nil
		}
	}
	return nil, fmt.Errorf("create %q: %w", path, err)
}

func (s Sharing) open(path string, flags int, mode fs.FileMode) (f *os.File, created bool, err error) {
	d, name, err := parent(path)
	if err == nil {
		defer d.close()
		f, created, err = d.openFile(name, flags, mode, s)
	}
	if err != nil {
		return nil, false, fmt.Errorf("open %q: %w", path, err)
	}
	return f, created, nil
}

// OpenRead opens a regular file of the user's for reading; a symbolic link to
// one will do. A pipe or a device is refused at once, where an ordinary open
// would wait for ever.
func OpenRead(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|noWait, 0)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", path, Cause(err))
	}
	info, err := f.Stat()
	if err == nil {
		err = regular(info.Mode())
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open %q: %w", path, Cause(err))
	}
	return f, nil
}

// ReplaceFile gives path the content data in one step: readers see the old
// content or the new, never a part.
func ReplaceFile(path string, data []byte, mode fs.FileMode) error {
	return WriteFile(path, mode, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteFile gives path the content that write writes, in one step. When write
// fails, path stays as it was. A symbolic link in its place is replaced, not
// followed.
//
// A crash before the rename leaves a file "*.tmp-*" beside path and the old
// content; after it, the new content.
func WriteFile(path string, mode fs.FileMode, write func(io.Writer) error) error {
	d, name, err := parent(path)
	if err == nil {
		defer d.close()
		err = d.replace(name, mode, write, func(*os.File) error { return nil })
	}
	if err != nil {
		return fmt.Errorf("write %q: %w", path, Cause(err))
	}
	return nil
}

// RewriteFile gives a file that is there another content in one step. It keeps
// its mode and, where this account may give files away, its owner.
func RewriteFile(path string, data []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("write %q: %w", path, Cause(err))
	}
	d, name, err := parent(path)
	if err == nil {
		defer d.close()
		err = d.replace(name, info.Mode().Perm(), func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		}, func(f *os.File) error { return sameOwner(f, info) })
	}
	if err != nil {
		return fmt.Errorf("write %q: %w", path, Cause(err))
	}
	return nil
}

// replace puts a new file in the place of name. finish has the last word on it.
func (d dir) replace(name string, mode fs.FileMode, write func(io.Writer) error, finish func(*os.File) error) (err error) {
	draft := name + ".tmp-" + rand.Text()[:10]
	tmp, err := d.make(draft, os.O_RDWR|os.O_CREATE, 0o600, Sharing{})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = d.remove(draft)
		}
	}()
	out := bufio.NewWriter(tmp)
	if err := errors.Join(write(out), out.Flush(), tmp.Chmod(mode), finish(tmp), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := d.rename(draft, name); err != nil {
		return err
	}
	return d.sync()
}

// Cause strips the operation and path that os errors carry, for a caller that
// names them itself.
func Cause(err error) error {
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	switch {
	case errors.As(err, &pathErr):
		return pathErr.Err
	case errors.As(err, &linkErr):
		return linkErr.Err
	}
	return err
}

// SyncDir makes the names in the directory durable.
func SyncDir(path string) error {
	d, err := openDir(path)
	if err == nil {
		defer d.close()
		err = d.sync()
	}
	if err != nil {
		return fmt.Errorf("sync directory %q: %w", path, err)
	}
	return nil
}
