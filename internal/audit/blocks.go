package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// spanSize is how much of a file is read at a time; maxLine bounds the memory
// that one line may take. Our longest events (thousands of volumes) stay under
// 4 MiB. A longer line is never held: it is no event.
const (
	spanSize = 1 << 20
	maxLine  = 16 << 20
)

// span is a part of a file. The lines that begin in [from, to) belong to it.
type span struct{ from, to int64 }

// forward cuts a file of size bytes into spans, the first one first.
func forward(size int64) func(n int) (span, bool) {
	return func(n int) (span, bool) {
		from := int64(n) * spanSize
		return span{from, min(from+spanSize, size)}, from < size
	}
}

// backward cuts a file into spans, the last one first. The first span that it
// yields is small, since most readers want the last few lines.
func backward(size int64) func(n int) (span, bool) {
	const first = spanSize / 4
	return func(n int) (span, bool) {
		to := size
		if n > 0 {
			to = size - first - int64(n-1)*spanSize
		}
		from := to - spanSize
		if n == 0 {
			from = to - first
		}
		return span{max(from, 0), to}, to > 0
	}
}

// tailward is backward for readers that want the last line or two: its first span is
// smaller still.
func tailward(size int64) func(n int) (span, bool) {
	const first = spanSize / 64
	rest := backward(max(size-first, 0))
	return func(n int) (span, bool) {
		if n == 0 {
			return span{max(size-first, 0), size}, size > 0
		}
		return rest(n - 1)
	}
}

// rawLine is a line as it stands in the file.
type rawLine struct {
	data   []byte // without its LF; nil when the line is longer than maxLine
	offset int64  // of the first byte
	size   int64  // bytes, its LF not counted
	ended  bool   // an LF follows
}

// sum is the SHA-256 of the line without its LF.
func (l rawLine) sum(r io.ReaderAt) (sum [sha256.Size]byte, err error) {
	if l.size <= maxLine {
		return sha256.Sum256(l.data), nil
	}
	return sumOf(r, l.offset, l.offset+l.size)
}

func sumOf(r io.ReaderAt, from, to int64) (sum [sha256.Size]byte, err error) {
	h := sha256.New()
	n, err := io.Copy(h, io.NewSectionReader(r, from, to-from))
	if err == nil && n != to-from {
		err = io.ErrUnexpectedEOF // the file was cut while it was being read
	}
	if err != nil {
		return sum, fmt.Errorf("read log: %w", err)
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// block is the lines of a span in memory.
type block struct {
	data   []byte // they follow each other, each with its LF but perhaps the file's last
	offset int64  // of data[0]
	long   rawLine
	isLong bool // long, which is not in data, follows
}

// openSized opens a file for reading, with its size: what is appended later is
// not looked at.
func openSized(path string) (f *os.File, size int64, err error) {
	f, err = durable.OpenOurs(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("stat %q: %w", path, durable.Cause(err))
	}
	return f, info.Size(), nil
}

// reader reads spans, into a buffer that each call overwrites. Each goroutine
// needs its own.
type reader struct {
	r    io.ReaderAt
	size int64 // of the file; what was appended since is not read
	buf  []byte
}

// read returns the lines that begin in the span.
func (r *reader) read(s span) (block, error) {
	start := max(s.from-1, 0) // the byte before tells whether a line begins at from
	if err := r.fill(start, s.to); err != nil {
		return block{}, err
	}
	b := block{data: r.buf, offset: start}
	if s.from > 0 {
		skip := bytes.IndexByte(b.data, '\n') + 1
		if skip == 0 || start+int64(skip) >= s.to {
			return block{}, nil // no line begins here
		}
		b.data, b.offset = b.data[skip:], start+int64(skip)
	}
	return b, r.finish(&b, s.to)
}

// fill reads [from, to) into the buffer.
func (r *reader) fill(from, to int64) error {
	r.buf = slices.Grow(r.buf[:0], int(to-from))[:to-from]
	return r.readAt(r.buf, from)
}

func (r *reader) readAt(p []byte, at int64) error {
	if n, err := r.r.ReadAt(p, at); n < len(p) {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // the file was cut while it was being read
		}
		return fmt.Errorf("read log: %w", err)
	}
	return nil
}

// finish reads on from at to the end of the block's last line.
func (r *reader) finish(b *block, at int64) error {
	last := bytes.LastIndexByte(b.data[:len(b.data)-1], '\n') + 1
	skipped := len(r.buf) - len(b.data)
	for b.data[len(b.data)-1] != '\n' && at < r.size {
		if len(b.data)-last > maxLine {
			return r.cutLong(b, last, at)
		}
		old := len(r.buf)
		n := int(min(spanSize/8, r.size-at))
		r.buf = slices.Grow(r.buf, n)[:old+n]
		if err := r.readAt(r.buf[old:], at); err != nil {
			return err
		}
		if i := bytes.IndexByte(r.buf[old:], '\n'); i >= 0 {
			r.buf = r.buf[:old+i+1]
		}
		at += int64(len(r.buf) - old)
		b.data = r.buf[skipped:]
	}
	if len(b.data)-last > maxLine+1 {
		return r.cutLong(b, last, at)
	}
	return nil
}

// cutLong takes the last line, which begins at data[last] and is read up to the
// file's offset at, out of the block, and finds its end without holding it.
func (r *reader) cutLong(b *block, last int, at int64) error {
	b.long, b.isLong = rawLine{offset: b.offset + int64(last)}, true
	ended := b.data[len(b.data)-1] == '\n'
	b.data = b.data[:last]
	chunk := make([]byte, spanSize)
	for !ended && at < r.size {
		chunk = chunk[:min(spanSize, r.size-at)]
		if err := r.readAt(chunk, at); err != nil {
			return err
		}
		i := bytes.IndexByte(chunk, '\n')
		if ended = i >= 0; ended {
			chunk = chunk[:i+1]
		}
		at += int64(len(chunk))
	}
	b.long.size, b.long.ended = at-b.long.offset, ended
	if ended {
		b.long.size--
	}
	return nil
}

// lines yields the lines of the block in their order.
func (b block) lines(yield func(rawLine) bool) {
	for at := 0; at < len(b.data); {
		l := rawLine{data: b.data[at:], offset: b.offset + int64(at)}
		if i := bytes.IndexByte(l.data, '\n'); i >= 0 {
			l.data, l.ended = l.data[:i], true
			at++
		}
		at += len(l.data)
		l.size = int64(len(l.data))
		if !yield(l) {
			return
		}
	}
	if b.isLong {
		yield(b.long)
	}
}

// reversed yields the lines of the block from the last to the first.
func (b block) reversed(yield func(rawLine) bool) {
	if b.isLong && !yield(b.long) {
		return
	}
	for end := len(b.data); end > 0; {
		l := rawLine{ended: b.data[end-1] == '\n'}
		if l.ended {
			end--
		}
		begin := bytes.LastIndexByte(b.data[:end], '\n') + 1
		l.data, l.offset, l.size = b.data[begin:end], b.offset+int64(begin), int64(end-begin)
		end = begin
		if !yield(l) {
			return
		}
	}
}

// lastLines yields the lines of the first size bytes of a file from the last to
// the first, one span at a time. An error ends it.
func lastLines(r io.ReaderAt, size int64) func(yield func(rawLine, error) bool) {
	return func(yield func(rawLine, error) bool) {
		rd, next := &reader{r: r, size: size}, tailward(size)
		for n := 0; ; n++ {
			s, ok := next(n)
			if !ok {
				return
			}
			b, err := rd.read(s)
			if err != nil {
				yield(rawLine{}, err)
				return
			}
			for l := range b.reversed {
				if !yield(l, nil) {
					return
				}
			}
		}
	}
}

// Sum is the SHA-256 of a line without its LF, in hex: what the next line's prev
// holds, and a head.
func Sum(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}
