package durable

import (
	"fmt"
	"io"
	"path/filepath"
)

// withinLimit is how large a file may be that ReadWithin reads.
const withinLimit = 16 << 20

// ReadWithin reads a regular file that is about to be changed. real is its path
// behind symbolic links, which must lie in dir: a directory that came from
// somebody else must not have a file of the user's changed instead. With "" for dir
// the user has named the path, and it may lie anywhere.
func ReadWithin(dir, path string) (real string, data []byte, err error) {
	if real, err = filepath.EvalSymlinks(path); err != nil {
		return "", nil, err
	}
	if dir != "" {
		root, err := filepath.EvalSymlinks(dir)
		if err != nil {
			return "", nil, err
		}
		if rel, err := filepath.Rel(root, real); err != nil || !filepath.IsLocal(rel) {
			return "", nil, fmt.Errorf("%q is a link that leads out of its directory, to %q", path, real)
		}
	}
	f, err := OpenRead(real)
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	data, err = io.ReadAll(io.LimitReader(f, withinLimit+1))
	if err == nil && len(data) > withinLimit {
		err = fmt.Errorf("%q is larger than %d MiB", real, withinLimit>>20)
	}
	return real, data, err
}
