package archive

import (
	"archive/tar"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

type inode struct{ dev, ino uint64 }

// entry is one thing in a directory, as it was found.
type entry struct {
	dir    *folder
	name   string // in dir; "" is dir itself
	path   string // relative to the root
	st     unix.Stat_t
	link   string
	xattrs map[string]string
	data   []byte // of a small file
}

// changedFile is what a manifest calls a file that was written to while it was
// read: the archive has a mixture of before and after.
const changedFile = "steady file"

// late reports whether the ordering goroutine is to write the entry.
func (e *entry) late() bool {
	kind := e.st.Mode & unix.S_IFMT
	return kind != unix.S_IFDIR && e.st.Nlink > 1 || kind == unix.S_IFREG && e.data == nil && e.st.Size > smallFile
}

func (e *entry) inode() inode { return inode{uint64(e.st.Dev), e.st.Ino} }

// read finds out everything about one entry, all of it about the same thing, whatever gets its
// name in the meantime; nil for a socket, which has no content.
func (b *batch) read(name string, c *Content) (*entry, error) {
	e := &entry{dir: b.dir, name: name, path: strings.TrimSuffix(b.path+name, "/")}
	fd := int(b.dir.Fd())
	var err error
	if name != "" {
		if fd, err = openPath(fd, name); err != nil {
			return nil, err
		}
		defer unix.Close(fd)
	}
	if err := unix.Fstat(fd, &e.st); err != nil {
		return nil, err
	}
	kind := e.st.Mode & unix.S_IFMT
	switch {
	case kind == unix.S_IFSOCK:
		c.skip("socket", "a socket is of no use without the process that listens", "./"+e.path)
		return nil, nil
	case kind == unix.S_IFDIR && name != "": // it was something else when the directory was listed
		return nil, ErrChanged
	case kind == unix.S_IFLNK:
		if e.link, err = readLink(fd); err != nil {
			return nil, err
		}
	}
	if kind == unix.S_IFREG && !e.late() {
		return e, e.readSmall(fd, c)
	}
	e.xattrs, err = xattrs(pathXattrs(fd), "./"+e.path, c)
	return e, err
}

func readLink(fd int) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", buf)
	return string(buf[:max(n, 0)]), err
}

// open opens a regular file that is not in memory.
func (e *entry) open() (*os.File, error) {
	fd, err := openPath(int(e.dir.Fd()), e.name)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	return openFile(fd)
}

// readSmall reads the extended attributes and the content of a small file.
func (e *entry) readSmall(path int, c *Content) error {
	f, err := openFile(path)
	if err != nil {
		return err
	}
	defer f.Close()
	fd := int(f.Fd())
	if e.xattrs, err = xattrs(fdXattrs(fd), "./"+e.path, c); err != nil {
		return err
	}
	for range 3 { // a file that changes is read again
		e.data = make([]byte, e.st.Size)
		n, err := f.ReadAt(e.data, 0)
		if err != nil && err != io.EOF {
			return err
		}
		var now unix.Stat_t
		if err := unix.Fstat(fd, &now); err != nil {
			return err
		}
		whole := int64(n) == e.st.Size
		if whole && unchanged(e.st, now) {
			return nil
		}
		if e.st = now; now.Size > smallFile {
			e.data = nil
			return nil
		}
	}
	e.data = e.data[:min(int64(len(e.data)), e.st.Size)]
	e.st.Size = int64(len(e.data))
	c.skip(changedFile, "it was written to while it was read", "./"+e.path)
	return nil
}

func unchanged(a, b unix.Stat_t) bool {
	return a.Size == b.Size && a.Mtim == b.Mtim && a.Ctim == b.Ctim
}

// header is the entry's, as a tar has it.
func (e *entry) header() *tar.Header {
	h := &tar.Header{
		Name: "./" + e.path, Mode: int64(e.st.Mode & 0o7777), Uid: int(e.st.Uid), Gid: int(e.st.Gid),
		ModTime: time.Unix(e.st.Mtim.Sec, e.st.Mtim.Nsec), Linkname: e.link, Format: tar.FormatPAX,
	}
	switch e.st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		h.Typeflag, h.Size = tar.TypeReg, e.st.Size
	case unix.S_IFDIR:
		h.Typeflag = tar.TypeDir
		if e.path != "" {
			h.Name += "/"
		}
	case unix.S_IFLNK:
		h.Typeflag = tar.TypeSymlink
	case unix.S_IFIFO:
		h.Typeflag = tar.TypeFifo
	case unix.S_IFCHR:
		h.Typeflag = tar.TypeChar
	case unix.S_IFBLK:
		h.Typeflag = tar.TypeBlock
	}
	if h.Typeflag == tar.TypeChar || h.Typeflag == tar.TypeBlock {
		h.Devmajor, h.Devminor = int64(unix.Major(uint64(e.st.Rdev))), int64(unix.Minor(uint64(e.st.Rdev)))
	}
	for key, value := range e.xattrs {
		if h.PAXRecords == nil {
			h.PAXRecords = map[string]string{}
		}
		h.PAXRecords[xattrPrefix+key] = value
	}
	return h
}

// write adds an entry that needs no more reading.
func (e *entry) write(w *tar.Writer, c *Content) error {
	h := e.header()
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	if _, err := w.Write(e.data); err != nil {
		return err
	}
	return e.counted(h, c)
}

func (e *entry) counted(h *tar.Header, c *Content) error {
	c.Disk += e.st.Blocks * 512
	return c.count(h)
}
