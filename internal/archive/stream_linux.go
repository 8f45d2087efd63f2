package archive

import (
	"archive/tar"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// stream writes a file of any size, leaving holes out.
func (e *entry) stream(out io.Writer, c *Content, read func(int64)) error {
	if e.st.Mode&unix.S_IFMT != unix.S_IFREG {
		w := tar.NewWriter(out)
		return e.write(w, c)
	}
	f, err := e.open()
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Fstat(int(f.Fd()), &e.st); err != nil {
		return err
	}
	h := e.header()
	var from io.ReaderAt = f
	if read != nil {
		from = told{f, read}
	}
	buf := make([]byte, piece)
	if extents := holes(f, e.st); extents != nil {
		err = writeSparse(out, h, extents, from, buf)
	} else {
		err = writeWhole(out, h, from, buf)
	}
	if err != nil {
		return err
	}
	var now unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &now); err != nil {
		return err
	}
	if !unchanged(e.st, now) {
		c.skip(changedFile, "it was written to while it was read", "./"+e.path)
	}
	return e.counted(h, c)
}

func writeWhole(out io.Writer, h *tar.Header, from io.ReaderAt, buf []byte) error {
	w := tar.NewWriter(out)
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{w}, io.NewSectionReader(from, 0, h.Size), buf)
	if err == nil && n < h.Size {
		err = errShrank
	}
	if err != nil {
		return err
	}
	return w.Flush()
}

// told reports how much was read.
type told struct {
	io.ReaderAt
	read func(int64)
}

// ReadAt reads.
func (t told) ReadAt(p []byte, at int64) (int, error) {
	n, err := t.ReaderAt.ReadAt(p, at)
	t.read(int64(n))
	return n, err
}

// holes returns the extents of a file that has holes, nil for one without.
func holes(f *os.File, st unix.Stat_t) []extent {
	if st.Blocks*512 >= st.Size || st.Size <= smallFile {
		return nil
	}
	extents := []extent{}
	for at := int64(0); at < st.Size; {
		data, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
		if err == unix.ENXIO {
			break // a hole up to the end
		}
		if err != nil {
			return nil // a file system that does not report holes
		}
		end, err := unix.Seek(int(f.Fd()), data, unix.SEEK_HOLE)
		if err != nil {
			return nil
		}
		end = min(end, st.Size)
		if data < end {
			extents = append(extents, extent{data, end - data})
		}
		at = end
	}
	if len(extents) == 1 && extents[0] == (extent{0, st.Size}) {
		return nil
	}
	return extents
}
