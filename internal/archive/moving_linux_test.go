package archive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/lab/trees"
)

// Files that are written to, cut or removed while they are read are noticed.
func TestMoving(t *testing.T) {
	dir := tempDir(t)
	path := filepath.Join(dir, "file")
	for _, c := range []struct {
		name string
		do   func() error
		live bool
		want error
	}{
		{"grows", func() error { return os.WriteFile(path, make([]byte, 900<<10), 0o644) }, false, ErrChanged},
		{"grows, live", func() error { return os.WriteFile(path, make([]byte, 900<<10), 0o644) }, true, nil},
		{"shrinks", func() error { return os.Truncate(path, 300<<10) }, true, ErrChanged},
		{"is touched", func() error { return os.Chtimes(path, time.Now(), time.Unix(1, 0)) }, false, ErrChanged},
		{"rests", func() error { return nil }, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(path, make([]byte, 800<<10), 0o644); err != nil {
				t.Fatal(err)
			}
			done := false
			s := Source{Live: c.live, Read: func(int64) {
				if !done { // after the first piece
					done = true
					if err := c.do(); err != nil {
						t.Error(err)
					}
				}
			}}
			content, err := writeTree(context.Background(), dir, io.Discard, s)
			if !isError(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if noted := len(content.Skipped) == 1; c.want == nil && noted != (c.name == "grows, live") {
				t.Errorf("noted: %+v", content.Skipped)
			}
		})
	}
}

// A directory that goes while the tree is read is noticed.
func TestVanishing(t *testing.T) {
	for _, live := range []bool{false, true} {
		dir := memoryDir(t)
		if err := trees.Many(dir, 8_000); err != nil {
			t.Fatal(err)
		}
		done := false
		content, err := writeTree(context.Background(), dir, io.Discard, Source{Live: live, Read: func(int64) {
			if !done {
				done = true
				need.Run(t, "rm", "-r", filepath.Join(dir, "d006"), filepath.Join(dir, "d007"))
			}
		}})
		if live && (err != nil || content.Entries["file"] >= 8_000 || len(content.Skipped) == 0) || !live && !isError(err, ErrChanged) {
			t.Errorf("live %v: %v, %+v", live, err, content.Skipped)
		}
	}
}

// So is a large one, which is opened only when its turn comes, with a second
// name or without.
func TestLargeFileVanishing(t *testing.T) {
	for _, live := range []bool{false, true} {
		dir := memoryDir(t)
		for _, name := range []string{"a", "b", "c"} {
			if err := os.WriteFile(filepath.Join(dir, name), make([]byte, 4*smallFile), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Link(filepath.Join(dir, "c"), filepath.Join(dir, "d")); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		content, err := writeTree(t.Context(), dir, &out, Source{Live: live, Read: func(int64) {
			os.Remove(filepath.Join(dir, "b"))
			os.Remove(filepath.Join(dir, "c"))
		}})
		if !live {
			if !errors.Is(err, ErrChanged) {
				t.Error(err)
			}
			continue
		}
		if err != nil || content.Entries["file"] != 2 || len(content.Skipped) != 1 || !slices.Equal(content.Skipped[0].Names, []string{"./b", "./c"}) {
			t.Errorf("%v, %+v", err, content)
		}
		if _, err := plantTree(t.Context(), memoryDir(t), &out); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
	}
}

// Where a container swaps a device or a pipe in for a file that is about to be
// read, it is never opened: that alone can start a watchdog or rewind a tape.
func TestNothingButFilesIsOpened(t *testing.T) {
	around := memoryDir(t)
	volume, pipe := filepath.Join(around, "volume"), filepath.Join(around, "pipe")
	if err := errors.Join(os.Mkdir(volume, 0o755), unix.Mkfifo(pipe, 0o600), os.WriteFile(filepath.Join(volume, "large"), make([]byte, 2*smallFile), 0o644)); err != nil {
		t.Fatal(err)
	}
	watch, err := unix.InotifyInit1(unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(watch)
	if _, err := unix.InotifyAddWatch(watch, pipe, unix.IN_OPEN); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	swaps := make(chan int)
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			swap(ctx, pipe, filepath.Join(volume, "large"))
		}
		swaps <- n
	}()
	for range 3000 {
		_, _ = writeTree(ctx, volume, io.Discard, Source{Live: true})
	}
	cancel()
	if n := <-swaps; n < 10 {
		t.Errorf("only %d swaps: nothing was tested", n)
	}
	events := make([]byte, 4096)
	if n, err := unix.Read(watch, events); err != unix.EAGAIN {
		t.Errorf("the pipe was opened, %d bytes of events, %v", n, err)
	}
}

// A directory is left within a piece as well, by an export and by a comparison.
func TestDirectoryStops(t *testing.T) {
	dir := memoryDir(t)
	if err := os.WriteFile(filepath.Join(dir, "f"), bytes.Repeat([]byte("0123456789abcdef"), 1<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var after int64
	err := begun(t).Save(ctx, &Volume{Name: "v"}, 2, FromDir(dir, Source{Read: func(n int64) {
		if ctx.Err() != nil {
			after += n
		}
		cancel()
	}}))
	if !errors.Is(err, context.Canceled) || after > 0 {
		t.Errorf("%v, and %d bytes after the end", err, after)
	}
	e := exported(t, FromDir(dir, Source{}))
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	e.Read = func(int64) { cancel() }
	if _, err := e.CompareDir(ctx, e.Manifest.Volumes[0], dir); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
