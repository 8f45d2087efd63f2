package year

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/store"
)

// bucket is the store while one of its days is sealed: the events of that day in
// memory, all else on the disk.
type bucket struct {
	dir   string
	day   time.Time
	keys  []string // sorted
	lines map[string][]byte
}

// Get is part of store.Bucket.
func (b *bucket) Get(_ context.Context, key string) (io.ReadCloser, error) {
	if line, ok := b.lines[key]; ok {
		return io.NopCloser(bytes.NewReader(line)), nil
	}
	f, err := os.Open(b.file(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, store.ErrNotThere
	}
	return f, err
}

// Range is part of store.Bucket. Sealing asks for no part.
func (b *bucket) Range(context.Context, string, int64, int64) ([]byte, error) {
	return nil, errors.ErrUnsupported
}

// List is part of store.Bucket.
func (b *bucket) List(_ context.Context, prefix, _ string) iter.Seq2[store.Object, error] {
	return func(yield func(store.Object, error) bool) {
		if isEvent(prefix) {
			for _, key := range b.keys {
				if !yield(store.Object{Key: key, Size: int64(len(b.lines[key]))}, nil) {
					return
				}
			}
			return
		}
		files, err := filepath.Glob(b.file(prefix) + "/*")
		if err != nil {
			yield(store.Object{}, err)
		}
		slices.Sort(files)
		for _, file := range files {
			if !yield(store.Object{Key: prefix + filepath.Base(file)}, nil) {
				return
			}
		}
	}
}

// Dirs is part of store.Bucket. There is but one day of events.
func (b *bucket) Dirs(_ context.Context, prefix string) ([]string, error) {
	return []string{prefix + "day=" + b.day.Format(time.DateOnly) + "/"}, nil
}

// file is where the object of a key lies.
func (b *bucket) file(key string) string { return filepath.Join(b.dir, filepath.FromSlash(key)) }

// Put is part of store.Bucket. It does not sync: what it makes can be made again.
func (b *bucket) Put(_ context.Context, key string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(b.file(key)), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(b.file(key), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if os.IsExist(err) {
		return store.ErrExists
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err2 := f.Close(); err == nil {
		err = err2
	}
	return err
}

// loose writes the objects of the events.
func (b *bucket) loose(ctx context.Context) error {
	for key, line := range b.lines {
		if err := b.Put(ctx, key, line); err != nil {
			return err
		}
	}
	return nil
}

// isEvent reports whether a key, or a prefix of some, is of events.
func isEvent(key string) bool { return strings.HasPrefix(key, store.EventsDir) }
