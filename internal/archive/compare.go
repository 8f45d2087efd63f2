package archive

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"
)

// xattrPrefix begins the names of records for extended attributes, among them
// the ACLs and the capabilities.
const xattrPrefix = "SCHILY.xattr."

// capability is the one extended attribute that the engine's archive API keeps.
const capability = xattrPrefix + "security.capability"

// maxDifferences is how many differences are reported.
const maxDifferences = 10

// compare reads two tars side by side, entry by entry, contents too, and says
// how the second differs. lossy passes over what the engine's archive API loses.
func compare(want, got *entries, lossy bool) (differences []string, err error) {
	a, b := make([]byte, 128<<10), make([]byte, 128<<10)
	for len(differences) < maxDifferences {
		w, werr := want.next()
		g, gerr := got.next()
		switch {
		case werr == io.EOF && gerr == io.EOF:
			return differences, nil
		case werr != nil && werr != io.EOF:
			return differences, werr
		case gerr != nil && gerr != io.EOF:
			return differences, gerr
		case werr == io.EOF:
			return append(differences, fmt.Sprintf("%q is too much", "./"+g.Name)), nil
		case gerr == io.EOF, w.Name != g.Name:
			return append(differences, fmt.Sprintf("%q is missing, or others are too much", "./"+w.Name)), nil
		}
		what := differ(w, g, lossy)
		if len(what) == 0 {
			same, err := sameContent(want.data, got.data, a, b)
			if err != nil {
				return differences, err
			}
			if !same {
				what = []string{"content"}
			}
		}
		if len(what) > 0 {
			differences = append(differences, fmt.Sprintf("%q: %s", "./"+w.Name, strings.Join(what, ", ")))
		}
	}
	return append(differences, "and perhaps more"), nil
}

// differ names the attributes in which two entries differ.
func differ(w, g *tar.Header, lossy bool) (what []string) {
	wt, gt := w.ModTime, g.ModTime
	if lossy {
		wt, gt = wt.Truncate(time.Second), gt.Truncate(time.Second)
	}
	for _, c := range []struct {
		name string
		same bool
	}{
		{"type", w.Typeflag == g.Typeflag},
		{"size", w.Size == g.Size},
		{"mode", w.Mode&0o7777 == g.Mode&0o7777},
		{"owner", w.Uid == g.Uid && w.Gid == g.Gid},
		{"time", wt.Equal(gt)},
		{"link", w.Linkname == g.Linkname},
		{"device", w.Devmajor == g.Devmajor && w.Devminor == g.Devminor},
		{"extended attributes", w.Typeflag == tar.TypeLink || maps.Equal(xattrsOf(w, lossy), xattrsOf(g, lossy))},
	} {
		if !c.same {
			what = append(what, c.name)
		}
	}
	return what
}

func xattrsOf(h *tar.Header, lossy bool) map[string]string {
	out := map[string]string{}
	for key, value := range h.PAXRecords {
		if strings.HasPrefix(key, xattrPrefix) && (!lossy || key == capability) {
			out[key] = value
		}
	}
	return out
}

func sameContent(want, got io.Reader, a, b []byte) (bool, error) {
	for {
		n, err := io.ReadFull(want, a)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return false, err
		}
		m, err2 := io.ReadFull(got, b)
		if err2 != nil && err2 != io.EOF && err2 != io.ErrUnexpectedEOF {
			return false, err2
		}
		if !bytes.Equal(a[:n], b[:m]) {
			return false, nil
		}
		if n < len(a) {
			return true, nil
		}
	}
}
