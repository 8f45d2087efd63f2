package archive

import (
	"context"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Check reads an archive through and compares every hash. When the context ends
// it stops within a piece of 256 KiB.
func (e *Export) Check(ctx context.Context, v Volume) error {
	f, err := e.archive(v)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := verify(ctx, f, v.Archive, e.Read); err != nil {
		return fmt.Errorf("%q: %w", v.Archive.Path, err)
	}
	return nil
}

// verify reads an archive to its end and compares its hashes.
func verify(ctx context.Context, f io.Reader, a Archive, read func(int64)) error {
	u, err := unpack(f, a)
	if err != nil {
		return err
	}
	u.read = read
	defer u.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, stopReader{ctx, u}, make([]byte, piece))
	return err
}

// decodes reads an archive that was just written: it must decode to as many
// bytes, with the checksum that Zstandard keeps of them. That is enough against
// an error of the encoder or the disk; the hashes, which protect against everyone else, were
// taken of these bytes on their way.
func decodes(ctx context.Context, f io.Reader, a Archive) error {
	z, err := zstd.NewReader(f, zstd.WithDecoderMaxMemory(decoderMemory), zstd.WithDecoderLowmem(true))
	if err != nil {
		return fmt.Errorf("zstd: %w", err)
	}
	defer z.Close()
	n, err := z.WriteTo(stopWriter{ctx, io.Discard})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil && n != a.TarSize {
		err = fmt.Errorf("%d bytes instead of %d", n, a.TarSize)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}
