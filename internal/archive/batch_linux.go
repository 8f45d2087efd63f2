package archive

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// folder is an open directory, closed when the last of its batches is written.
type folder struct {
	*os.File
	users atomic.Int32 // batches, besides the first user, the walk
}

func (f *folder) release() {
	if f.users.Add(-1) < 0 {
		f.Close()
	}
}

// batch is some neighbours in one directory, with the directory itself where
// they are its first.
type batch struct {
	dir   *folder
	path  string // of the directory, relative to the root, "" or ending in "/"
	self  bool
	names []string
	done  chan struct{} // closed when the rest is filled
	parts []part
	gone  []string
	err   error
}

// part is a piece of the tar, or an entry that the ordering goroutine writes.
type part struct {
	tar     []byte
	content Content
	later   *entry
}

// walk cuts the tree into batches in the archive's order.
func walk(ctx context.Context, dir *folder, path string, give func(*batch) error) error {
	defer dir.release()
	list, err := listDir(ctx, dir)
	if err != nil {
		return fmt.Errorf("read directory %q: %w", "./"+path, err)
	}
	b := &batch{dir: dir, path: path, self: true, done: make(chan struct{})}
	flush := func() error {
		if !b.self && len(b.names)+len(b.gone) == 0 {
			return nil
		}
		dir.users.Add(1)
		err := give(b)
		b = &batch{dir: dir, path: path, done: make(chan struct{})}
		return err
	}
	for _, e := range list {
		if !e.IsDir() {
			if b.names = append(b.names, e.Name()); len(b.names) == batchFiles {
				if err := flush(); err != nil {
					return err
				}
			}
			continue
		}
		if err := flush(); err != nil {
			return err
		}
		sub, err := openDir(int(dir.Fd()), e.Name())
		if err == unix.ENOENT {
			b.gone = append(b.gone, path+e.Name())
			continue
		}
		if err != nil {
			return fmt.Errorf("read directory %q: %w", "./"+path+e.Name(), err)
		}
		if err := walk(ctx, &folder{File: sub}, path+e.Name()+"/", give); err != nil {
			return err
		}
	}
	return flush()
}

// listDir lists a directory in the archive's order.
func listDir(ctx context.Context, dir *folder) (list []os.DirEntry, err error) {
	for err == nil && ctx.Err() == nil {
		var more []os.DirEntry
		more, err = dir.ReadDir(1 << 12)
		list = append(list, more...)
	}
	if err != io.EOF {
		return nil, cmp.Or(ctx.Err(), err)
	}
	slices.SortFunc(list, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, nil
}

// encode fills the batch: what is small and has one name becomes tar, the rest
// is left for the ordering goroutine.
func (b *batch) encode() error {
	var out bytes.Buffer
	var p part
	w := tar.NewWriter(&out)
	cut := func() {
		if _ = w.Flush(); out.Len()+len(p.content.Skipped) > 0 { // into memory
			p.tar = out.Bytes()
			b.parts = append(b.parts, p)
			out, p = bytes.Buffer{}, part{}
			w = tar.NewWriter(&out)
		}
	}
	names := b.names
	if b.self {
		names = append([]string{""}, names...)
	}
	for _, name := range names {
		e, err := b.read(name, &p.content)
		if err == unix.ENOENT {
			b.gone = append(b.gone, b.path+name)
			continue
		}
		if err != nil {
			return fmt.Errorf("read %q: %w", "./"+b.path+name, err)
		}
		switch {
		case e == nil:
		case e.late():
			cut()
			b.parts = append(b.parts, part{later: e})
		default:
			if err := e.write(w, &p.content); err != nil {
				return fmt.Errorf("read %q: %w", "./"+b.path+name, err)
			}
		}
	}
	cut()
	return nil
}
