package archive

import (
	"context"
	"io"
)

// Tar writes the content of a volume as a tar of this package, until the context
// ends.
type Tar func(context.Context, io.Writer) (Content, error)

// FromDir reads a directory of this host.
func FromDir(dir string, s Source) Tar {
	return func(ctx context.Context, w io.Writer) (Content, error) { return writeTree(ctx, dir, w, s) }
}

// FromStream reads a tar whose entries lie below a directory, "vol0001/", as
// the engine's archive API gives it. When the context ends it closes r, so that
// one that stalls does not keep it; else that is for the caller.
func FromStream(r io.ReadCloser, dir string) Tar {
	return func(ctx context.Context, w io.Writer) (Content, error) {
		in, release := stoppable(ctx, r)
		defer release()
		return retar(in, dir, w, "./")
	}
}
