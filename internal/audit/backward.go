package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// blockSize is how much is read from the end at a time; maxLine bounds the
// memory that one line may take. Our longest events (thousands of volumes) stay
// under 4 MiB.
const (
	blockSize = 64 << 10
	maxLine   = 16 << 20
)

var errLineTooLong = errors.New("a line is longer than 16 MiB")

// backward yields the lines of a file from the last to the first.
type backward struct {
	r   io.ReaderAt
	pos int64  // file offset of buf[0]
	buf []byte // bytes read and not yet returned; they end where the last returned line began
}

func newBackward(r io.ReaderAt, size int64) *backward {
	return &backward{r: r, pos: size}
}

// rawLine is a line as it stands in the file.
type rawLine struct {
	data   []byte // without its LF; valid until the next call
	offset int64  // of the first byte
	ended  bool   // whether an LF follows
}

// next returns the line before the last one returned, or io.EOF.
func (b *backward) next() (rawLine, error) {
	if b.pos == 0 && len(b.buf) == 0 {
		return rawLine{}, io.EOF
	}
	if len(b.buf) == 0 {
		if err := b.more(); err != nil {
			return rawLine{}, err
		}
	}
	ended := b.buf[len(b.buf)-1] == '\n'
	body := len(b.buf)
	if ended {
		body--
	}
	for {
		if i := bytes.LastIndexByte(b.buf[:body], '\n'); i >= 0 || b.pos == 0 {
			l := rawLine{data: b.buf[i+1 : body], offset: b.pos + int64(i+1), ended: ended}
			b.buf = b.buf[:i+1]
			return l, nil
		}
		if body > maxLine {
			return rawLine{}, errLineTooLong
		}
		grown := len(b.buf)
		if err := b.more(); err != nil {
			return rawLine{}, err
		}
		body += len(b.buf) - grown
	}
}

// more puts the block before buf in front of it. Its size grows with buf, so
// that a long line is copied a constant number of times.
func (b *backward) more() error {
	n := min(b.pos, int64(max(blockSize, len(b.buf))))
	block := make([]byte, n, n+int64(len(b.buf)))
	if _, err := b.r.ReadAt(block, b.pos-n); err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	b.buf = append(block, b.buf...)
	b.pos -= n
	return nil
}
