package archive

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// plantTree unpacks a tar of this package into an empty directory and syncs it.
// A container that has the volume may change any name between two steps. So no
// name is looked up through a link, since every step begins at the descriptor of
// a directory, and everything is set by the descriptor of what was just made.
//
// A crash half way leaves a part of the tree.
func plantTree(ctx context.Context, dir string, r io.Reader) (Content, error) {
	root, err := openDir(unix.AT_FDCWD, dir)
	if err != nil {
		return Content{}, fmt.Errorf("write %q: %w", dir, err)
	}
	p := planter{root: root}
	defer p.close()
	in := readEntries(stopReader{ctx, r}, "./")
	for {
		h, err := in.next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = p.content.count(h)
		}
		if err == nil {
			err = p.plant(h, in.data)
		}
		if err != nil {
			return p.content, fmt.Errorf("write %q: %w", dir, err)
		}
	}
	if err := p.leave(0); err != nil {
		return p.content, fmt.Errorf("write %q: %w", dir, err)
	}
	if err := syncFS(ctx, root); err != nil {
		return p.content, fmt.Errorf("sync %q: %w", dir, err)
	}
	return p.content, nil
}

// syncFS syncs the file system of a directory. The system call cannot be
// stopped, but nothing waits for it any longer once the context ends.
func syncFS(ctx context.Context, dir *os.File) error {
	held, err := dir.SyscallConn() // keeps the descriptor open
	if err != nil {
		return err
	}
	synced := make(chan error, 1)
	go func() {
		var failed error
		err := held.Control(func(fd uintptr) { failed = unix.Syncfs(int(fd)) })
		synced <- errors.Join(err, failed)
	}()
	select {
	case err := <-synced:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// planter is the state of an unpacking.
type planter struct {
	root    *os.File
	open    []planted // the directories from the root to the current one
	content Content
	buf     []byte
}

// planted is a directory whose attributes are set once everything in it is there.
type planted struct {
	*os.File
	header *tar.Header
}

func (p *planter) close() {
	for i := len(p.open) - 1; i > 0; i-- {
		p.open[i].Close()
	}
	p.root.Close()
}

// leave sets the attributes of the open directories, innermost first, until so
// many are left.
func (p *planter) leave(keep int) error {
	for len(p.open) > keep {
		d := p.open[len(p.open)-1]
		p.open = p.open[:len(p.open)-1]
		err := attributes(d.header, int(d.Fd()))
		if len(p.open) > 0 {
			d.Close()
		}
		if err != nil {
			return fmt.Errorf("entry %q: %w", "./"+d.header.Name, err)
		}
	}
	return nil
}

func (p *planter) plant(h *tar.Header, data io.Reader) error {
	if h.Name == "" {
		p.open = append(p.open, planted{p.root, h})
		return nil
	}
	depth := 1 + strings.Count(h.Name, "/") // of its directory, which is open: see entries.place
	if err := p.leave(depth); err != nil {
		return err
	}
	if err := p.make(int(p.open[depth-1].Fd()), path.Base(h.Name), h, data); err != nil {
		return fmt.Errorf("entry %q: %w", "./"+h.Name, err)
	}
	return nil
}

func (p *planter) make(at int, name string, h *tar.Header, data io.Reader) error {
	switch h.Typeflag {
	case tar.TypeDir:
		if err := unix.Mkdirat(at, name, 0o700); err != nil {
			return err
		}
		d, err := openDir(at, name)
		if err == nil {
			p.open = append(p.open, planted{d, h})
		}
		return err
	case tar.TypeReg:
		return p.file(at, name, h, data)
	case tar.TypeLink:
		return p.link(at, name, h.Linkname)
	}
	return p.node(at, name, h)
}

// errSwapped says that something else is changing the directory.
var errSwapped = errors.New("it was replaced while it was written")

// node makes what has no content: a symbolic link, a fifo or a device.
func (p *planter) node(at int, name string, h *tar.Header) (err error) {
	kind := map[byte]uint32{
		tar.TypeSymlink: unix.S_IFLNK, tar.TypeFifo: unix.S_IFIFO, tar.TypeChar: unix.S_IFCHR, tar.TypeBlock: unix.S_IFBLK,
	}[h.Typeflag]
	if h.Devmajor>>12 != 0 || h.Devminor>>20 != 0 {
		return fmt.Errorf("%w: there is no device %d, %d", ErrUnsafe, h.Devmajor, h.Devminor)
	}
	device := unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor))
	if h.Typeflag == tar.TypeSymlink {
		err = unix.Symlinkat(h.Linkname, at, name)
	} else {
		err = unix.Mknodat(at, name, kind|0o600, int(device))
	}
	if err != nil {
		return err
	}
	fd, err := openPath(at, name)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != kind || (kind == unix.S_IFCHR || kind == unix.S_IFBLK) && uint64(st.Rdev) != device {
		return errSwapped
	}
	return attributes(h, fd)
}
