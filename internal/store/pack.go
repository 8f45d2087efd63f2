package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// frameLines is how many lines a frame of a pack holds. A search decompresses whole
// frames: fewer lines make it faster, and the pack larger.
const frameLines = 64

// Bounds of a pack and of what it decompresses to. A day that has more goes into
// several packs.
const (
	packBytes  = 64 << 20 // without the last line
	packLimit  = packBytes + 32<<20
	frameLimit = 64 << 20
)

// ErrPack says that an object is not a pack.
var ErrPack = errors.New("not a pack")

// sealed is a line and its key.
type sealed struct {
	Key  Key
	Line []byte
}

// encodePack makes a pack of lines, and its index. Each frame can be decompressed
// alone, and zstd takes them all as one stream.
func encodePack(lines []sealed) (pack []byte, x Index, err error) {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, x, err
	}
	defer w.Close()
	x = Index{V: 1, Lines: len(lines)}
	for first := 0; first < len(lines); first += frameLines {
		part := lines[first:min(first+frameLines, len(lines))]
		var raw bytes.Buffer
		for _, l := range part {
			raw.Write(l.Line)
			raw.WriteByte('\n')
		}
		start := len(pack)
		pack = w.EncodeAll(raw.Bytes(), pack)
		x.Frames = append(x.Frames, Frame{
			Size: int64(len(pack) - start), Lines: len(part), From: part[0].Key.Time, To: part[len(part)-1].Key.Time, Words: wordsOf(raw.Bytes()),
		})
	}
	x.Pack = audit.Sum(pack)
	return pack, x, nil
}

// DecodePack calls visit with each line of a pack, or of frames of one, without its
// LF. The line is visit's to keep.
func DecodePack(r io.Reader, visit func(line []byte) error) error {
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(frameLimit), zstd.WithDecoderMaxWindow(frameLimit))
	if err != nil {
		return err
	}
	defer d.Close()
	lines := newLines(d)
	for {
		line, err := lines.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", ErrPack, err)
		}
		if err := visit(line); err != nil {
			return err
		}
	}
}

// decodeSealed reads a whole pack of a day and checks that it holds what a pack may:
// lines of the day, in the order of their keys, each once.
func decodeSealed(pack []byte, day time.Time) (lines []sealed, err error) {
	last := ""
	err = DecodePack(bytes.NewReader(pack), func(line []byte) error {
		e, err := audit.Parse(line)
		if err != nil {
			return fmt.Errorf("%w: line %d: %w", ErrPack, len(lines)+1, err)
		}
		key, err := KeyOf(e, line)
		if err != nil {
			return fmt.Errorf("%w: line %d: %w", ErrPack, len(lines)+1, err)
		}
		text := key.String()
		if text <= last || !strings.HasPrefix(text, EventsDir+dayDir(day)) {
			return fmt.Errorf("%w: line %d is not in its place", ErrPack, len(lines)+1)
		}
		last, lines = text, append(lines, sealed{key, line})
		return nil
	})
	return lines, err
}
