package archive

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// ErrCutShort says that a tar ended before its end.
var ErrCutShort = errors.New("the stream ended early")

// ErrUnsafe says that an archive would write where it must not.
var ErrUnsafe = errors.New("the archive is not safe to unpack")

// entries reads a tar whose entries follow each other as the package says, and
// that lies below one directory: prefix, which is cut off.
type entries struct {
	tar    *tar.Reader
	data   io.Reader // of the entry that next returned
	in     *offset
	prefix string   // "./", or "vol0001/"
	open   []string // the directories that the next entry can be in, outermost first
}

// offset counts what was read.
type offset struct {
	r io.Reader
	n int64
}

// Read reads from r.
func (o *offset) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	o.n += int64(n)
	return n, err
}

func readEntries(r io.Reader, prefix string) *entries {
	in := &offset{r: r}
	e := &entries{tar: tar.NewReader(in), in: in, prefix: prefix}
	e.data = e.tar
	if s, stops := r.(stopReader); stops { // in a hole too, of which nothing is read from r and which can have any length
		e.data = stopReader{s.ctx, e.tar}
	}
	return e
}

// next returns the next entry, its name and a hard link's target relative to the
// root: "" for the root itself, "dir", "dir/file". After the last it returns
// io.EOF, having made sure that the stream came to its proper end.
func (e *entries) next() (*tar.Header, error) {
	if e.open != nil { // behind the data of the entry before
		if _, err := io.Copy(io.Discard, e.data); err != nil {
			return nil, cutShort(err)
		}
	}
	data := e.in.n
	h, err := e.tar.Next()
	if err == io.EOF {
		return nil, e.finish(data)
	}
	if err != nil {
		return nil, cutShort(err)
	}
	if h.Name, err = e.below(h.Name); err != nil {
		return nil, err
	}
	if h.Typeflag == tar.TypeLink {
		if h.Linkname, err = e.below(h.Linkname); err != nil {
			return nil, err
		}
	}
	return h, e.place(h)
}

// finish makes sure that a tar has its trailer, two blocks of zeros, after the
// last entry's data, which ends at or before the offset, but for its padding.
func (e *entries) finish(data int64) error {
	padded := (data + 511) &^ 511
	if e.open == nil || e.in.n < padded+1024 {
		return ErrCutShort
	}
	if _, err := io.Copy(io.Discard, e.in); err != nil { // padding of the last record, and a verdict on the hashes
		return err
	}
	return io.EOF
}

func cutShort(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", ErrCutShort, err)
	}
	return err
}

// below cuts the prefix off, and refuses names that lead elsewhere.
func (e *entries) below(name string) (string, error) {
	rest, ok := strings.CutPrefix(name, e.prefix)
	if !ok && name == strings.TrimSuffix(e.prefix, "/") {
		rest, ok = "", true
	}
	rest = strings.TrimSuffix(rest, "/")
	if !ok || rest != "" && (path.Clean(rest) != rest || rest == ".." || strings.HasPrefix(rest, "../") || rest[0] == '/') || rest == "." {
		return "", fmt.Errorf("%w: it has an entry %q", ErrUnsafe, name)
	}
	return rest, nil
}

// place refuses an entry whose directory is not the one that is open, so that
// none can be reached through a link.
func (e *entries) place(h *tar.Header) error {
	if e.open == nil {
		if h.Name != "" || h.Typeflag != tar.TypeDir {
			return fmt.Errorf("%w: it begins with %q, not with its root", ErrUnsafe, h.Name)
		}
		e.open = []string{""}
		return nil
	}
	dir := path.Dir(h.Name)
	if dir == "." {
		dir = ""
	}
	for len(e.open) > 0 && e.open[len(e.open)-1] != dir {
		e.open = e.open[:len(e.open)-1]
	}
	if h.Name == "" || len(e.open) == 0 {
		e.open = []string{}
		return fmt.Errorf("%w: the directory of %q did not come before it", ErrUnsafe, h.Name)
	}
	if h.Typeflag == tar.TypeDir {
		e.open = append(e.open, h.Name)
	}
	return nil
}

// The types of entries, as a manifest counts them.
var typeNames = map[byte]string{
	tar.TypeReg: "file", tar.TypeDir: "directory", tar.TypeSymlink: "symlink", tar.TypeLink: "hardlink",
	tar.TypeFifo: "fifo", tar.TypeChar: "device", tar.TypeBlock: "device",
}

// count adds an entry.
func (c *Content) count(h *tar.Header) error {
	kind, known := typeNames[h.Typeflag]
	if !known {
		return fmt.Errorf("%w: entry %q is of the unknown type %q", ErrUnsafe, h.Name, h.Typeflag)
	}
	if c.Entries == nil {
		c.Entries = map[string]int64{}
		c.Root = Root{Mode: fmt.Sprintf("%04o", h.Mode&0o7777), UID: h.Uid, GID: h.Gid}
	}
	c.Entries[kind]++
	if h.Typeflag == tar.TypeDir {
		c.deepest = max(c.deepest, len(h.Name))
	}
	if h.Typeflag == tar.TypeReg {
		c.Bytes += h.Size
	}
	return nil
}

// namedSkips is how many names of skipped things a manifest lists.
const namedSkips = 20

// skip notes one thing that was left out.
func (c *Content) skip(what, why, name string) {
	c.skipAll(Skipped{What: what, Why: why, Count: 1, Names: []string{name}})
}

// skipAll notes things that were left out, with those of the same kind.
func (c *Content) skipAll(more Skipped) {
	for i := range c.Skipped {
		s := &c.Skipped[i]
		if s.What == more.What && s.Why == more.Why {
			s.Count += more.Count
			s.Names = append(s.Names, more.Names[:min(len(more.Names), namedSkips-len(s.Names))]...)
			return
		}
	}
	more.Names = slices.Clone(more.Names)
	c.Skipped = append(c.Skipped, more)
}
