package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// indexGets counts the indexes that are read.
type indexGets struct {
	Reader
	n atomic.Int64
}

func (g *indexGets) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if strings.HasSuffix(key, ".index.json") {
		g.n.Add(1)
	}
	return g.Reader.Get(ctx, key)
}

func filesIn(t *testing.T, dir string) (paths []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		paths = append(paths, filepath.Join(dir, e.Name()))
	}
	return paths
}

// A search that is repeated reads no frame again; of what is read one frame after the
// other, not all are kept.
func TestCacheOfFrames(t *testing.T) {
	_, b, keys, id := sealedStore(t)
	cache := &Cache{Dir: t.TempDir(), Most: 1 << 20}
	search := func(q Query) (parts int64) {
		t.Helper()
		c := &tally{Reader: b}
		source := NewSource(c, keys, nil)
		source.Packs.Cache = cache
		n := 0
		if err := (Archive{source}).History(t.Context(), q, func(audit.Record, []byte) error { n++; return nil }); err != nil || n == 0 {
			t.Fatalf("%d: %v", n, err)
		}
		return c.parts.Load()
	}
	q := Query{Words: [][]string{{id}}, Match: func(e audit.Event, _ []byte) bool { return e.ID == id }}
	if first, again := search(q), search(q); first == 0 || again != 0 {
		t.Errorf("read %d parts of packs, and again %d", first, again)
	}
	search(Query{})
	if all := len(filesIn(t, cache.Dir)); all >= 10 { // two indexes, and four frames of each day
		t.Errorf("a list of all keeps %d files", all)
	}
}

// A store says the same with a cache, which spares reading indexes again. A file in
// it that is not what was sealed is as good as none, and so is a cache that cannot be
// written.
func TestCache(t *testing.T) {
	_, b, keys, id := sealedStore(t)
	want := everything(t, Archive{NewSource(b, keys, nil)}, id)
	dir := filepath.Join(t.TempDir(), "made", "indexes")
	read := func(what, dir string, gets int64) {
		t.Helper()
		from := &indexGets{Reader: b}
		source := NewSource(from, keys, func(key string, err error) { t.Errorf("%s: %s: %v", what, key, err) })
		source.Packs.Cache = &Cache{Dir: dir, Most: 1 << 20}
		n := 0
		if err := (Archive{source}).History(t.Context(), Query{Raw: true}, func(audit.Record, []byte) error { n++; return nil }); err != nil || n != 405 {
			t.Errorf("%s: %d events: %v", what, n, err)
		}
		if from.n.Load() != gets {
			t.Errorf("%s: read %d indexes, want %d", what, from.n.Load(), gets)
		}
		if got := everything(t, Archive{source}, id); !slices.Equal(got, want) {
			t.Errorf("%s: not the same as without a cache", what)
		}
	}
	read("empty", dir, 2)
	read("filled", dir, 0)
	var indexes, frames []string
	for _, path := range filesIn(t, dir) {
		data, err := os.ReadFile(path)
		info, err2 := os.Stat(path)
		if err := errors.Join(err, err2); err != nil || info.Mode() != 0o600 {
			t.Fatalf("%v: %v", info, err)
		}
		if data[0] == '{' {
			indexes = append(indexes, path)
		} else {
			frames = append(frames, path)
		}
	}
	if len(indexes) != 2 || len(frames) == 0 {
		t.Fatalf("%d indexes, %d frames", len(indexes), len(frames))
	}
	if err := errors.Join(os.Truncate(indexes[0], 100), os.Remove(indexes[1]), os.Mkdir(indexes[1], 0o700), os.WriteFile(frames[0], []byte("else"), 0o600)); err != nil {
		t.Fatal(err)
	}
	read("spoilt", dir, 2)
	read("one file in the way", dir, 1)
	read("no directory", os.DevNull, 2)
}

// What was used longest ago goes, and what a crash left, until a quarter is free.
func TestCacheMakesRoom(t *testing.T) {
	dir := t.TempDir()
	c := &Cache{Dir: dir, Most: 1000}
	object := func(i int) (sum string, data []byte) {
		data = []byte(strings.Repeat(fmt.Sprintf("%02d", i), 50))
		return audit.Sum(data), data
	}
	kept := func(i int) bool {
		sum, _ := object(i)
		_, err := os.Stat(filepath.Join(dir, sum))
		return err == nil
	}
	use := func(c *Cache, i int) {
		t.Helper()
		sum, data := object(i)
		got, whole, err := c.get(sum, func() ([]byte, error) { return data, nil })
		if err != nil || !whole || string(got) != string(data) {
			t.Fatalf("%q, %t: %v", got, whole, err)
		}
	}
	age := func(name string, hours int) {
		t.Helper()
		at := time.Now().Add(-time.Duration(hours) * time.Hour)
		if err := os.Chtimes(filepath.Join(dir, name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "new-1"), make([]byte, 100), 0o600); err != nil {
		t.Fatal(err)
	}
	age("new-1", 99)
	for i := range 9 {
		use(c, i)
		sum, _ := object(i)
		age(sum, 50-i)
	}
	use(c, 0) // again: now it is the newest
	another := &Cache{Dir: dir, Most: 1000}
	use(another, 9) // the eleventh file of 100 bytes
	for i, want := range []bool{true, false, false, true, true, true, true, true, true, true} {
		if kept(i) != want {
			t.Errorf("object %d is kept: %t", i, kept(i))
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "new-1")); err == nil {
		t.Error("what a crash left is still there")
	}
}

// A sum comes from a seal, and anybody may have made that.
func TestCacheStaysInItsDirectory(t *testing.T) {
	dir := t.TempDir()
	c := &Cache{Dir: filepath.Join(dir, "indexes"), Most: 1000}
	for _, sum := range []string{"", "..", "../secret", strings.Repeat("../", 21) + "x", strings.Repeat("A", 64), strings.Repeat("0", 64)} {
		data, whole, err := c.get(sum, func() ([]byte, error) { return []byte("theirs"), nil })
		if err != nil || whole || string(data) != "theirs" {
			t.Errorf("%q: %q, %t: %v", sum, data, whole, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v: %v", left, err)
	}
}

// Files of other names stay, wherever the directory leads.
func TestCacheRemovesItsOwn(t *testing.T) {
	dir, at := t.TempDir(), filepath.Join(t.TempDir(), "indexes")
	theirs := []string{"letter", "new-letter", strings.Repeat("0", 63)}
	for _, name := range theirs {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, 1000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(dir, at); err != nil {
		t.Skip(err)
	}
	c := &Cache{Dir: at, Most: 100}
	for i := range 5 {
		data := []byte(strings.Repeat(fmt.Sprint(i), 40))
		if _, whole, err := c.get(audit.Sum(data), func() ([]byte, error) { return data, nil }); err != nil || !whole {
			t.Fatal(err)
		}
	}
	for _, name := range theirs {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) > len(theirs)+2 {
		t.Errorf("%v: %v", all, err)
	}
}
