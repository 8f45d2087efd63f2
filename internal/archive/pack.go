package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/zstd"
)

// window is how far back a match may lie. A larger one takes memory, and at this
// level hardly compresses better.
const window = 1 << 20

// decoderMemory bounds what an archive can make a reader allocate.
const decoderMemory = 64 << 20

// pack compresses what write writes, a tar, into w, on so many cores, and hashes
// both in the same pass.
func pack(w io.Writer, cores int, write func(io.Writer) error) (Archive, error) {
	a := Archive{MediaType: MediaType}
	packed := &counter{w: w, hash: sha256.New()}
	z, err := zstd.NewWriter(packed, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(cores), zstd.WithWindowSize(window))
	if err != nil {
		return a, fmt.Errorf("zstd: %w", err)
	}
	tar := &counter{w: io.Discard, hash: sha256.New()}
	beside := goWrite(tar)
	err = write(io.MultiWriter(beside, z))
	beside.close()
	if err := errors.Join(err, z.Close()); err != nil {
		return a, err
	}
	a.Size, a.SHA256 = packed.n, packed.sum()
	a.TarSize, a.TarSHA256 = tar.n, tar.sum()
	return a, nil
}

// counter counts and hashes what it passes on.
type counter struct {
	w    io.Writer
	hash hash.Hash
	n    int64
}

// Write passes p on.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.hash.Write(p[:n])
	return n, err
}

func (c *counter) sum() string { return hex.EncodeToString(c.hash.Sum(nil)) }

// besideWriter writes in a goroutine of its own, a few buffers behind.
type besideWriter struct {
	full, empty chan []byte
	buf         []byte // owned by the caller of Write
	done        chan struct{}
}

const (
	besideBuffer = 256 << 10
	besideCount  = 8
)

// goWrite is for writers that cannot fail.
func goWrite(w io.Writer) *besideWriter {
	b := &besideWriter{full: make(chan []byte, besideCount), empty: make(chan []byte, besideCount), done: make(chan struct{})}
	for range besideCount {
		b.empty <- make([]byte, 0, besideBuffer)
	}
	b.buf = <-b.empty
	go func() {
		defer close(b.done)
		for p := range b.full {
			_, _ = w.Write(p)
			b.empty <- p[:0]
		}
	}()
	return b
}

// Write copies p.
func (b *besideWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		room := min(len(p), cap(b.buf)-len(b.buf))
		b.buf = append(b.buf, p[:room]...)
		p = p[room:]
		if len(b.buf) == cap(b.buf) {
			b.full <- b.buf
			b.buf = <-b.empty
		}
	}
	return n, nil
}

// close waits until all is written.
func (b *besideWriter) close() {
	b.full <- b.buf
	close(b.full)
	<-b.done
}

// unpacker reads the tar within an archive, and at its end compares both hashes
// and lengths with the manifest's.
type unpacker struct {
	want   Archive
	packed *reader
	z      *zstd.Decoder
	tar    *counter
	beside *besideWriter
	n      int64       // bytes of the tar that were read
	read   func(int64) // told of what was read; may be nil
	err    error       // returned again by every further Read
}

// reader counts and hashes what is read through it.
type reader struct {
	r io.Reader
	counter
}

// Read reads from r.
func (r *reader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	_, _ = r.Write(p[:n])
	return n, err
}

// ErrDamaged says that an archive is not what the manifest says.
var ErrDamaged = errors.New("the archive is damaged")

func unpack(file io.Reader, want Archive) (*unpacker, error) {
	u := &unpacker{want: want, tar: &counter{w: io.Discard, hash: sha256.New()}}
	u.packed = &reader{r: file, counter: counter{w: io.Discard, hash: sha256.New()}}
	z, err := zstd.NewReader(u.packed, zstd.WithDecoderMaxMemory(decoderMemory), zstd.WithDecoderMaxWindow(8*window), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	u.z, u.beside = z, goWrite(u.tar)
	return u, nil
}

// Read returns the tar's bytes. Only io.EOF says that all of it was as written.
func (u *unpacker) Read(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	n, err := u.z.Read(p)
	_, _ = u.beside.Write(p[:n])
	if u.n += int64(n); u.n > u.want.TarSize {
		u.err = fmt.Errorf("%w: there is more in it than the %d bytes that were written", ErrDamaged, u.want.TarSize)
		return 0, u.err
	}
	if u.read != nil {
		u.read(int64(n))
	}
	switch {
	case err == io.EOF:
		u.err = u.end()
	case err != nil:
		u.err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return n, u.err
}

func (u *unpacker) end() error {
	u.beside.close()
	u.beside = nil
	switch {
	case u.packed.n != u.want.Size, u.tar.n != u.want.TarSize:
		return fmt.Errorf("%w: it has %d bytes with %d within, and was written with %d and %d", ErrDamaged, u.packed.n, u.tar.n, u.want.Size, u.want.TarSize)
	case u.packed.sum() != u.want.SHA256:
		return fmt.Errorf("%w: its SHA-256 is %s, and was %s", ErrDamaged, u.packed.sum(), u.want.SHA256)
	case u.tar.sum() != u.want.TarSHA256:
		return fmt.Errorf("%w: the SHA-256 of the tar within is %s, and was %s", ErrDamaged, u.tar.sum(), u.want.TarSHA256)
	}
	return io.EOF
}

// Close frees what decoding took.
func (u *unpacker) Close() error {
	u.z.Close()
	if u.beside != nil {
		u.beside.close()
		u.beside = nil
	}
	return nil
}
