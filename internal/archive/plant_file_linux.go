package archive

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

func (p *planter) file(at int, name string, h *tar.Header, data io.Reader) error {
	fd, err := ignoringEINTR(func() (int, error) {
		return unix.Openat(at, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	})
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	if p.buf == nil {
		p.buf = make([]byte, piece)
	}
	var out io.Writer = struct{ io.Writer }{f}
	if h.PAXRecords["GNU.sparse.major"] != "" {
		out = &sparseWriter{f: f}
		if err := f.Truncate(h.Size); err != nil {
			return pathCause(err)
		}
	}
	if _, err := io.CopyBuffer(out, struct{ io.Reader }{data}, p.buf); err != nil {
		return cutShort(pathCause(err))
	}
	if err := attributes(h, fd); err != nil {
		return err
	}
	return pathCause(f.Close())
}

// sparseWriter leaves out blocks of zeros.
type sparseWriter struct {
	f  *os.File
	at int64
}

const holeBlock = 4096

var zeros [holeBlock]byte

// Write writes what is not zero at its place.
func (s *sparseWriter) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n := min(len(p)-done, holeBlock-int(s.at%holeBlock))
		if string(p[done:done+n]) != string(zeros[:n]) {
			if _, err := s.f.WriteAt(p[done:done+n], s.at); err != nil {
				return done, err
			}
		}
		done += n
		s.at += int64(n)
	}
	return done, nil
}

// link makes a further name for a file that was unpacked before.
func (p *planter) link(at int, name, target string) error {
	from := int(p.root.Fd())
	dir, base := path.Split(target)
	for part := range strings.SplitSeq(strings.TrimSuffix(dir, "/"), "/") {
		if part == "" {
			continue
		}
		d, err := openDir(from, part)
		if err != nil {
			return fmt.Errorf("%w: link to %q: %w", ErrUnsafe, "./"+target, err)
		}
		defer d.Close()
		from = int(d.Fd())
	}
	return unix.Linkat(from, base, at, name, 0)
}
