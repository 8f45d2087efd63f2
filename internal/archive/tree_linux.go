package archive

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"runtime"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

const (
	batchFiles = 64       // entries that are encoded together
	smallFile  = 32 << 10 // bytes up to which a file is read by a worker, into memory
	ahead      = 8        // batches that may be under way
)

// writeTree writes the directory as a tar. Small files are read and encoded by
// all cores, in batches of neighbours; one goroutine puts the batches in order,
// decides which of several links comes first, and passes large files through.
func writeTree(ctx context.Context, dir string, w io.Writer, s Source) (Content, error) {
	root, err := openDir(unix.AT_FDCWD, dir)
	if err != nil {
		return Content{}, fmt.Errorf("read %q: %w", dir, err)
	}
	todo, order := make(chan *batch, ahead), make(chan *batch, ahead)
	g, ctx := errgroup.WithContext(ctx)
	t := tree{source: s, out: stopWriter{ctx, w}, links: map[inode]string{}}
	g.Go(func() error {
		defer close(todo)
		defer close(order)
		return walk(ctx, &folder{File: root}, "", func(b *batch) error {
			for _, c := range []chan *batch{order, todo} {
				select {
				case c <- b:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	})
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			for b := range todo {
				if b.err = ctx.Err(); b.err == nil {
					b.err = b.encode()
				}
				close(b.done)
			}
			return nil
		})
	}
	g.Go(func() error {
		for b := range order {
			select {
			case <-b.done:
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := t.take(b); err != nil {
				return err
			}
		}
		return nil
	})
	err = g.Wait()
	if err == nil {
		_, err = w.Write(make([]byte, 1024)) // the trailer
	}
	return t.content, err
}

// tree puts the batches together. One goroutine owns it.
type tree struct {
	source  Source
	out     io.Writer
	content Content
	links   map[inode]string // first names of files with several
}

func (t *tree) take(b *batch) error {
	defer b.dir.release()
	if b.err != nil {
		return b.err
	}
	for _, name := range b.gone {
		if err := t.vanished(name); err != nil {
			return err
		}
	}
	for _, p := range b.parts {
		if p.later != nil {
			err := t.later(p.later)
			switch {
			case err == unix.ENOENT:
				err = t.vanished(p.later.path)
			case err != nil:
				err = fmt.Errorf("read %q: %w", "./"+p.later.path, err)
			}
			if err != nil {
				return err
			}
			continue
		}
		if err := t.content.add(p.content, t.source); err != nil {
			return err
		}
		if _, err := t.out.Write(p.tar); err != nil {
			return err
		}
	}
	return nil
}

// vanished notes an entry that disappeared between two looks.
func (t *tree) vanished(path string) error {
	if !t.source.Live {
		return fmt.Errorf("%w: %q vanished", ErrChanged, "./"+path)
	}
	t.content.skip("entry", "it vanished while the volume was read", "./"+path)
	return nil
}

// later writes an entry that has several names, is large, or has holes.
func (t *tree) later(e *entry) error {
	c := Content{}
	if first, seen := t.links[e.inode()]; seen && e.st.Nlink > 1 {
		h := e.header()
		h.Typeflag, h.Linkname, h.Size = tar.TypeLink, "./"+first, 0
		w := tar.NewWriter(t.out)
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		c.Entries = map[string]int64{"hardlink": 1}
		return t.content.add(c, t.source)
	}
	if err := e.stream(t.out, &c, t.source.Read); err != nil {
		return err
	}
	if e.st.Nlink > 1 {
		t.links[e.inode()] = e.path
	}
	return t.content.add(c, Source{Live: t.source.Live})
}

// add puts together what parts of a volume hold.
func (c *Content) add(more Content, s Source) error {
	if c.Entries == nil {
		c.Entries, c.Root = map[string]int64{}, more.Root
	}
	for kind, n := range more.Entries {
		c.Entries[kind] += n
	}
	c.Bytes += more.Bytes
	c.Disk += more.Disk
	for _, skipped := range more.Skipped {
		if skipped.What == changedFile && !s.Live {
			return fmt.Errorf("%w: %q", ErrChanged, skipped.Names[0])
		}
		c.skipAll(skipped)
	}
	if s.Read != nil && more.Bytes > 0 {
		s.Read(more.Bytes)
	}
	return nil
}
