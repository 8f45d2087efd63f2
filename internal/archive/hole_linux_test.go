package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"
)

// A file can be one hole of any length, of which an archive holds some bytes. What
// writes it, compares it or passes over it stops within it when the context ends.
func TestStopInHole(t *testing.T) {
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	if err := w.WriteHeader(dir("./")); err != nil {
		t.Fatal(err)
	}
	head, _, err := sparseHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "./hole", Mode: 0o600, Size: 1 << 46}, nil)
	if err != nil {
		t.Fatal(err)
	}
	data.Write(head)
	if err := errors.Join(w.WriteHeader(file("./x")), w.Close()); err != nil {
		t.Fatal(err)
	}
	volume := memoryDir(t)
	e := exported(t, fromTar(data.Bytes()))
	stopping := func(ctx context.Context) *entries {
		return readEntries(stopReader{ctx, bytes.NewReader(data.Bytes())}, "./")
	}
	for name, do := range map[string]func(ctx context.Context) error{
		"write": func(ctx context.Context) error { return e.ToDir(ctx, e.Manifest.Volumes[0], volume) },
		"compare": func(ctx context.Context) error {
			_, err := compare(stopping(ctx), stopping(ctx), false)
			return err
		},
		"send": func(ctx context.Context) error { return e.ToStream(ctx, e.Manifest.Volumes[0], io.Discard, "vol0001/") },
		"skip": func(ctx context.Context) error {
			in := stopping(ctx)
			for {
				if _, err := in.next(); err != nil {
					return err
				}
			}
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if err := do(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}
