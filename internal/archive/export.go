package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/contextcore/ccdestroy/internal/durable"
)

const (
	manifestName = "manifest.json"
	sumsName     = "SHA256SUMS"
)

// Export is a finished export.
type Export struct {
	Dir      string
	Manifest Manifest
	Sum      string // SHA-256 of the manifest
	// Read is told of bytes of the tars as they are read; it may be nil.
	Read func(n int64)

	listed bool     // Dir comes from a log
	dirs   []string // below which it must then be
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Look finds, without reading them, archives that are missing or of another
// length.
func (e *Export) Look() error {
	root, err := e.root()
	if err != nil {
		return fmt.Errorf("open %q: %w", e.Dir, durable.Cause(err))
	}
	defer root.Close()
	for _, v := range e.Manifest.Volumes {
		info, err := root.Lstat(v.Archive.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%q is missing", v.Archive.Path)
		case err != nil:
			return fmt.Errorf("%q: %w", v.Archive.Path, durable.Cause(err))
		case !info.Mode().IsRegular():
			return fmt.Errorf("%q: %w", v.Archive.Path, durable.ErrNotRegular)
		case info.Size() != v.Archive.Size:
			return wrongLength(v, info.Size())
		}
	}
	return nil
}

func wrongLength(v Volume, is int64) error {
	return fmt.Errorf("%w: %q has %d bytes, and was written with %d", ErrDamaged, v.Archive.Path, is, v.Archive.Size)
}

// archive opens the file of a volume, if it has the right length.
func (e *Export) archive(v Volume) (*os.File, error) {
	f, err := e.file(v.Archive.Path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() != v.Archive.Size {
		err = wrongLength(v, info.Size())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// open opens the tar within an archive, to be read until the context ends.
func (e *Export) open(ctx context.Context, v Volume) (tar io.Reader, closeAll func(), err error) {
	f, err := e.archive(v)
	if err != nil {
		return nil, nil, err
	}
	u, err := unpack(f, v.Archive)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	u.read = e.Read
	return stopReader{ctx, u}, func() { u.Close(); f.Close() }, nil
}

// ToDir unpacks a volume into an empty directory of this host.
func (e *Export) ToDir(ctx context.Context, v Volume, dir string) error {
	tar, closeAll, err := e.open(ctx, v)
	if err != nil {
		return err
	}
	defer closeAll()
	_, err = plantTree(ctx, dir, tar)
	return err
}

// ToStream writes a volume as a tar below a directory's name, "vol0001/", as the
// engine's archive API takes it. When the context ends it stops within a piece of
// 256 KiB; a w that blocks is for the caller to unblock, since to close it here
// would look like the tar's end.
func (e *Export) ToStream(ctx context.Context, v Volume, w io.Writer, dir string) error {
	tar, closeAll, err := e.open(ctx, v)
	if err != nil {
		return err
	}
	defer closeAll()
	_, err = retar(tar, "./", stopWriter{ctx, w}, dir)
	return err
}

// CompareDir says how a directory differs from what the archive holds.
func (e *Export) CompareDir(ctx context.Context, v Volume, dir string) ([]string, error) {
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(ctx)
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, err := writeTree(ctx, dir, w, Source{Live: true})
		w.CloseWithError(err)
	}()
	defer func() { // nothing reads the directory any more when it returns
		cancel()
		r.Close()
		<-read
	}()
	return e.compare(ctx, v, readEntries(r, "./"), v.Method == ByArchive)
}

// CompareStream says how a volume, as the engine's archive API returns it,
// differs from what the archive holds, apart from what that API loses. When the
// context ends it closes r.
func (e *Export) CompareStream(ctx context.Context, v Volume, r io.ReadCloser, dir string) ([]string, error) {
	in, release := stoppable(ctx, r)
	defer release()
	return e.compare(ctx, v, readEntries(in, dir), true)
}

func (e *Export) compare(ctx context.Context, v Volume, got *entries, lossy bool) ([]string, error) {
	tar, closeAll, err := e.open(ctx, v)
	if err != nil {
		return nil, err
	}
	defer closeAll()
	return compare(readEntries(tar, "./"), got, lossy)
}
