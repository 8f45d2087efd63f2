package durable

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNotRegular says that a path names a directory, a symbolic link, a pipe or
// a device where a plain file is required.
var ErrNotRegular = errors.New("not a regular file")

// OpenAppend opens path for reading and appending, and makes it with mode when
// it is not there. It refuses anything but a regular file, follows no symbolic
// link in the last element, and makes sure that the open file is still the one
// that the path names. created says that the file was made by this call: its
// name is durable only after SyncDir of the parent.
func OpenAppend(path string, mode fs.FileMode) (f *os.File, created bool, err error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		created = true
	case err != nil:
		return nil, false, fmt.Errorf("open %q: %w", path, Cause(err))
	default:
		if err := regular(path, info.Mode()); err != nil {
			return nil, false, err
		}
	}
	f, err = os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|noFollow, mode)
	if err != nil {
		return nil, false, fmt.Errorf("open %q: %w", path, Cause(err))
	}
	if err := samePath(f, path); err != nil {
		f.Close()
		return nil, false, err
	}
	return f, created, nil
}

// OpenRead opens a regular file for reading; a symbolic link to one will do. A
// pipe or a device is refused at once, where an ordinary open would wait for
// ever.
func OpenRead(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|noWait, 0)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", path, Cause(err))
	}
	info, err := f.Stat()
	if err == nil {
		err = regular(path, info.Mode())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// samePath fails when path no longer names the open file f: somebody replaced
// it between the two steps, and an append would go where nobody looks.
func samePath(f *os.File, path string) error {
	open, err := f.Stat()
	if err != nil {
		return fmt.Errorf("stat %q: %w", path, Cause(err))
	}
	named, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("stat %q: %w", path, Cause(err))
	}
	if err := regular(path, named.Mode()); err != nil {
		return err
	}
	if !os.SameFile(open, named) {
		return fmt.Errorf("open %q: the file was replaced while it was being opened", path)
	}
	return nil
}

func regular(path string, mode fs.FileMode) error {
	switch {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return fmt.Errorf("open %q: it is a directory: %w", path, ErrNotRegular)
	case mode&fs.ModeSymlink != 0:
		return fmt.Errorf("open %q: it is a symbolic link: %w", path, ErrNotRegular)
	}
	return fmt.Errorf("open %q: %w", path, ErrNotRegular)
}

// OursToTrust reports whether nobody but this account could have written the
// file: it owns it, or, for root, whoever owns the directory does, since people
// run sudo. Where files have no owners it is always so.
func OursToTrust(f *os.File, path string) (owner int, ours bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, false, fmt.Errorf("stat %q: %w", path, Cause(err))
	}
	owner, known := Owner(info)
	if !known || owner == os.Geteuid() {
		return owner, true, nil
	}
	if os.Geteuid() != 0 {
		return owner, false, nil
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return owner, false, fmt.Errorf("stat %q: %w", path, Cause(err))
	}
	dirOwner, _ := Owner(dir)
	return owner, dirOwner == owner, nil
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
// fails, path stays as it was.
//
// A crash before the rename leaves a file "*.tmp-*" beside path and the old
// content; after it, the new content.
func WriteFile(path string, mode fs.FileMode, write func(io.Writer) error) error {
	return writeFile(path, mode, write, func(*os.File) error { return nil })
}

func writeFile(path string, mode fs.FileMode, write func(io.Writer) error, finish func(*os.File) error) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, filepath.Base(path)+".tmp-*")
	if err != nil {
		return fmt.Errorf("write %q: %w", path, Cause(err))
	}
	defer func() {
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	out := bufio.NewWriter(tmp)
	if err := errors.Join(write(out), out.Flush(), tmp.Chmod(mode), finish(tmp), tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("write %q: %w", path, Cause(err))
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("write %q: %w", path, Cause(err))
	}
	return SyncDir(dir)
}

// RewriteFile gives a file that is there another content in one step. It keeps
// its mode and, where this account may give files away, its owner.
func RewriteFile(path string, data []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("write %q: %w", path, Cause(err))
	}
	return writeFile(path, info.Mode().Perm(), func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}, func(f *os.File) error { return sameOwner(f, info) })
}
