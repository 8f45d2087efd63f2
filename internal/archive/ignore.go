package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// Ignore keeps a directory of exports out of commits and build contexts: it
// makes a .gitignore and a .dockerignore that exclude all that is in it. What is
// there already stays as it is. Builders read a .dockerignore only at the root
// of a build context, so that the second helps only where that is this directory.
//
// A crash half way may leave one of them empty or missing.
func Ignore(dir string) error {
	for _, name := range []string{".gitignore", ".dockerignore"} {
		path := filepath.Join(dir, name)
		f, err := durable.Create(path, 0o644)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			_, err = f.WriteString("*\n")
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			return fmt.Errorf("write %q: %w", path, durable.Cause(err))
		}
	}
	return nil
}
