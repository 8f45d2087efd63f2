package archive

import (
	"context"
	"io"
)

// piece is how many bytes pass at most between two looks at whether to go on.
const piece = 256 << 10

// stopReader reads until the context ends, and then fails with its error.
type stopReader struct {
	ctx context.Context
	r   io.Reader
}

// Read reads a piece at most.
func (s stopReader) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(p[:min(len(p), piece)])
	if stopped := s.ctx.Err(); err != nil && stopped != nil {
		err = stopped // r was closed for that: see stoppable
	}
	return n, err
}

// stoppable reads until the context ends, also where r waits for bytes: it is
// closed then. release ends that.
func stoppable(ctx context.Context, r io.ReadCloser) (in io.Reader, release func() bool) {
	return stopReader{ctx, r}, context.AfterFunc(ctx, func() { _ = r.Close() })
}

// stopWriter writes until the context ends, and then fails with its error.
type stopWriter struct {
	ctx context.Context
	w   io.Writer
}

// Write writes piece by piece.
func (s stopWriter) Write(p []byte) (n int, err error) {
	for err == nil && n < len(p) {
		if err = s.ctx.Err(); err == nil {
			var m int
			m, err = s.w.Write(p[n:min(len(p), n+piece)])
			n += m
		}
	}
	return n, err
}
