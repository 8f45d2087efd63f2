package archive

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"time"
)

// retar copies a tar, entry by entry, from below one directory's name to below
// another's, and reports what it holds.
func retar(r io.Reader, from string, w io.Writer, to string) (Content, error) {
	var c Content
	in, out := readEntries(r, from), tar.NewWriter(w)
	buf := make([]byte, piece)
	for {
		h, err := in.next()
		if err == io.EOF {
			return c, out.Close()
		}
		if err != nil {
			return c, err
		}
		if err := c.count(h); err != nil {
			return c, err
		}
		rename(h, to)
		if err := out.WriteHeader(h); err != nil {
			return c, fmt.Errorf("entry %q: %w", h.Name, err)
		}
		if _, err := io.CopyBuffer(out, struct{ io.Reader }{in.data}, buf); err != nil {
			return c, cutShort(err)
		}
	}
}

// rename puts an entry below a directory's name and gives it this package's
// format.
func rename(h *tar.Header, prefix string) {
	h.Name = prefix + h.Name
	if h.Typeflag == tar.TypeDir && h.Name[len(h.Name)-1] != '/' {
		h.Name += "/"
	}
	if h.Typeflag == tar.TypeLink {
		h.Linkname = prefix + h.Linkname
	}
	h.Format, h.Uname, h.Gname = tar.FormatPAX, "", ""
	h.AccessTime, h.ChangeTime = time.Time{}, time.Time{}
}

// Empty reports whether a tar below a directory's name holds nothing but that
// directory. It reads no further than it must. When the context ends it closes r.
func Empty(ctx context.Context, r io.ReadCloser, dir string) (bool, error) {
	stopped, release := stoppable(ctx, r)
	defer release()
	in := readEntries(stopped, dir)
	for range 2 {
		if _, err := in.next(); err == io.EOF {
			return true, nil
		} else if err != nil {
			return false, err
		}
	}
	return false, nil
}
