package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// endless is the tar of a volume with one file of a tebibyte. It ends a context
// after some of it, and counts what is read all the same.
type endless struct {
	head   io.Reader
	cancel context.CancelFunc
	before int64 // bytes until then
	after  int64
	closed chan struct{}
}

func newEndless(t testing.TB, cancel context.CancelFunc) *endless {
	t.Helper()
	var head bytes.Buffer
	w := tar.NewWriter(&head)
	for _, h := range []*tar.Header{dir("./"), {Typeflag: tar.TypeReg, Name: "./f", Size: 1 << 40, Format: tar.FormatPAX}} {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	return &endless{head: &head, cancel: cancel, before: 4 << 20, closed: make(chan struct{})}
}

func (e *endless) Read(p []byte) (int, error) {
	if e.before <= 0 {
		e.after += int64(len(p))
	}
	if n, err := e.head.Read(p); err == nil {
		return n, nil
	}
	clear(p)
	if e.before -= int64(len(p)); e.before <= 0 {
		e.cancel()
	}
	return len(p), nil
}

func (e *endless) Close() error { close(e.closed); return nil }

// stalled gives nothing until it is closed.
type stalled struct{ reading, closed chan struct{} }

func newStalled() stalled { return stalled{make(chan struct{}), make(chan struct{})} }

func (s stalled) Read([]byte) (int, error) {
	close(s.reading)
	<-s.closed
	return 0, io.EOF // as if that were all
}

func (s stalled) Close() error { close(s.closed); return nil }

func begun(t testing.TB) *Draft {
	t.Helper()
	d, err := Begin(memoryDir(t), "shop", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A volume that never ends is left within a piece, and so is its room.
func TestEndlessVolume(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d, in := begun(t), newEndless(t, cancel)
	err := d.Save(ctx, &Volume{Name: "v"}, 2, FromStream(in, "./"))
	if !errors.Is(err, context.Canceled) || in.after > piece {
		t.Errorf("%v, and %d bytes read after the end", err, in.after)
	}
	<-in.closed
	if info, err := os.Stat(filepath.Join(d.Dir(), archivePath("v"))); err != nil || info.Size() != 0 {
		t.Errorf("%v, %v", info, err)
	}
}

// What the engine gives may stall: then it is closed.
func TestStalledVolume(t *testing.T) {
	e := exported(t, fromTar(stream(t, dir("./"))))
	for name, do := range map[string]func(context.Context, io.ReadCloser) error{
		"save": func(ctx context.Context, r io.ReadCloser) error {
			return begun(t).Save(ctx, &Volume{Name: "v"}, 2, FromStream(r, "vol0001/"))
		},
		"compare": func(ctx context.Context, r io.ReadCloser) error {
			_, err := e.CompareStream(ctx, e.Manifest.Volumes[0], r, "vol0001/")
			return err
		},
		"empty": func(ctx context.Context, r io.ReadCloser) error {
			_, err := Empty(ctx, r, "vol0001/")
			return err
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		in := newStalled()
		go func() {
			<-in.reading
			cancel()
		}()
		if err := do(ctx, in); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		<-in.closed
	}
}

// large is an export of one file of 32 MiB, of zeros.
func large(t testing.TB) *Export {
	t.Helper()
	const size = 32 << 20
	return exported(t, func(_ context.Context, w io.Writer) (Content, error) {
		out := tar.NewWriter(w)
		err := errors.Join(out.WriteHeader(dir("./")), out.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "./f", Size: size}))
		if err == nil {
			_, err = out.Write(make([]byte, size))
		}
		return Content{}, errors.Join(err, out.Close())
	})
}

// Everything that reads an archive stops within a piece.
func TestReadingStops(t *testing.T) {
	e := large(t)
	v := e.Manifest.Volumes[0]
	for name, do := range map[string]func(context.Context) error{
		"check":     func(ctx context.Context) error { return e.Check(ctx, v) },
		"to stream": func(ctx context.Context) error { return e.ToStream(ctx, v, io.Discard, "vol0001/") },
		"to dir":    func(ctx context.Context) error { return e.ToDir(ctx, v, memoryDir(t)) },
		"compare": func(ctx context.Context) error {
			_, err := e.CompareStream(ctx, v, newEndless(t, func() {}), "./")
			return err
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		var before, after int64
		e.Read = func(n int64) {
			if ctx.Err() != nil {
				after += n
			}
			if before += n; before > 1<<20 {
				cancel()
			}
		}
		err := do(ctx)
		if errors.Is(err, ErrNoDirect) {
			continue
		}
		if !errors.Is(err, context.Canceled) || after > 0 {
			t.Errorf("%s: %v, and %d bytes after the end", name, err, after)
		}
		cancel()
	}
}

// So does the reading again of what was just written.
func TestDecodingStops(t *testing.T) {
	e := large(t)
	v := e.Manifest.Volumes[0]
	f, err := e.archive(v)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := decodes(ctx, f, v.Archive); !errors.Is(err, context.Canceled) || errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}
