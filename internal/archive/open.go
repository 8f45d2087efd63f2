package archive

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// ErrIncomplete says that an export was never finished.
var ErrIncomplete = errors.New("it was never finished")

// ErrElsewhere says that a path leads to where exports are not looked for.
var ErrElsewhere = errors.New("it is not below a directory of exports")

// Open reads the manifest of an export at a path that the user names. That its
// archives are there and whole is checked by Look and Check.
//
// Whatever lies there, nothing is opened but regular files in that directory: no
// link leads out of it, no pipe is waited for, no device woken.
func Open(dir string) (*Export, error) { return open(&Export{Dir: dir}) }

// OpenListed is Open for a path from a log, which anybody may have written. dirs
// are absolute paths that do not come from there: where exports are made. Nothing
// that does not lie below one of them is so much as looked at. It refuses
//   - a relative path, and one that names a host, \\host\share or //host/share;
//   - one that, with its ".." resolved, lies neither below one of dirs as it is
//     written nor below the directory that one of dirs really is;
//   - one that leads out of there through a symbolic link;
//   - a symbolic link in the last place, wherever it leads.
//
// The first two are ErrElsewhere. The same holds for all that is done with the
// export later.
func OpenListed(path string, dirs []string) (*Export, error) {
	return open(&Export{Dir: path, listed: true, dirs: dirs})
}

func open(e *Export) (*Export, error) {
	if Incomplete(e.Dir) {
		return nil, fmt.Errorf("export %q: %w", e.Dir, ErrIncomplete)
	}
	f, err := e.file(manifestName)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	path := filepath.Join(e.Dir, manifestName)
	data, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, durable.Cause(err))
	}
	if e.Manifest, err = parseManifest(data); err != nil {
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	e.Sum = hexSum(data)
	return e, nil
}

// file opens a regular file of the export, by its name with slashes.
func (e *Export) file(name string) (*os.File, error) {
	root, err := e.root()
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", e.Dir, durable.Cause(err))
	}
	defer root.Close()
	f, err := openRegular(root, name)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", filepath.Join(e.Dir, name), durable.Cause(err))
	}
	return f, nil
}

func openRegular(root *os.Root, name string) (*os.File, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, durable.ErrNotRegular
	}
	f, err := root.OpenFile(name, os.O_RDONLY|noWait, 0)
	if err != nil {
		return nil, err
	}
	if is, err := f.Stat(); err != nil || !os.SameFile(info, is) {
		f.Close()
		return nil, errors.Join(durable.ErrNotRegular, err) // it was exchanged
	}
	return f, nil
}

// root opens the directory of the export, through which nothing outside of it
// can be reached.
func (e *Export) root() (*os.Root, error) {
	if !e.listed {
		return os.OpenRoot(e.Dir)
	}
	if separator(e.Dir, 0) && separator(e.Dir, 1) || !filepath.IsAbs(e.Dir) {
		return nil, ErrElsewhere
	}
	for _, dir := range e.dirs {
		rel, below := within(dir, e.Dir)
		if !below {
			var err error
			if dir, err = filepath.EvalSymlinks(dir); err != nil {
				continue
			}
			if rel, below = within(dir, e.Dir); !below {
				continue
			}
		}
		return openBelow(dir, rel)
	}
	return nil, ErrElsewhere
}

func separator(path string, i int) bool { return i < len(path) && (path[i] == '/' || path[i] == '\\') }

// within is the relative path from a directory to a path below it, by their spelling.
func within(dir, path string) (rel string, below bool) {
	rel, err := filepath.Rel(dir, path)
	return rel, err == nil && rel != "." && filepath.IsLocal(rel)
}

// openBelow opens a directory below another one; no link leads out of that.
func openBelow(dir, rel string) (*os.Root, error) {
	parent, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	info, err := parent.Lstat(rel)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, errors.New("not a directory")
	}
	root, err := parent.OpenRoot(rel)
	if err != nil {
		return nil, err
	}
	if is, err := root.Stat("."); err != nil || !os.SameFile(info, is) {
		root.Close()
		return nil, errors.Join(errors.New("not a directory"), err) // it was exchanged
	}
	return root, nil
}
