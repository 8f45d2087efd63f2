package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// frameLines is how many lines a frame of a pack holds. A search decompresses whole
// frames: fewer lines make it faster, and the pack larger.
const frameLines = 64

// frameBytes is what a frame of long lines holds before the last one.
const frameBytes = 1 << 20

// Bounds of a pack, of what it decompresses to, which is no more, and of what a frame
// does. A day that has more goes into several packs.
const (
	packBytes  = 64 << 20 // without the last line
	packLimit  = packBytes + 32<<20
	frameLimit = 64 << 20
)

// errPack says that an object is not a pack.
var errPack = errors.New("not a pack")

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
	var names bytes.Buffer
	for len(lines) > 0 {
		var raw bytes.Buffer
		n := 0
		for n < min(frameLines, len(lines)) && raw.Len() < frameBytes {
			raw.Write(lines[n].Line)
			raw.WriteByte('\n')
			text := lines[n].Key.String()
			names.WriteString(text[strings.LastIndexByte(text, '/')+1:] + "\n")
			n++
		}
		start := len(pack)
		pack = w.EncodeAll(raw.Bytes(), pack)
		x.Frames = append(x.Frames, Frame{
			Size: int64(len(pack) - start), Sum: audit.Sum(pack[start:]), Lines: n, From: lines[0].Key.Time, To: lines[n-1].Key.Time, Words: wordsOf(raw.Bytes()),
		})
		lines = lines[n:]
	}
	x.Names = w.EncodeAll(names.Bytes(), nil)
	x.Pack = audit.Sum(pack)
	return pack, x, nil
}

// unpacker decompresses frames.
var unpacker = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(frameLimit))
	if err != nil {
		panic(err) // of these options
	}
	return d
})

// decodePack calls visit with each line of a pack without its LF. The line is
// visit's to keep.
func decodePack(r io.Reader, visit func(line []byte) error) error {
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
			return fmt.Errorf("%w: %w", errPack, err)
		}
		if err := visit(line); err != nil {
			return err
		}
	}
}

// decodeSealed reads a whole pack of a day and checks that it holds what a pack may:
// lines of the day, in the order of their keys, each once.
func decodeSealed(pack []byte, day time.Time) (lines []sealed, err error) {
	last, size := "", 0
	err = decodePack(bytes.NewReader(pack), func(line []byte) error {
		if size += len(line) + 1; size > packLimit {
			return fmt.Errorf("%w: it holds more than %d bytes", errPack, packLimit)
		}
		e, err := audit.Parse(line)
		if err != nil {
			return fmt.Errorf("%w: line %d: %w", errPack, len(lines)+1, err)
		}
		key, err := KeyOf(e, line)
		if err != nil {
			return fmt.Errorf("%w: line %d: %w", errPack, len(lines)+1, err)
		}
		text := key.String()
		if text <= last || !strings.HasPrefix(text, EventsDir+dayDir(day)) {
			return fmt.Errorf("%w: line %d is not in its place", errPack, len(lines)+1)
		}
		last, lines = text, append(lines, sealed{key, line})
		return nil
	})
	return lines, err
}

// readPack reads the pack of a seal, and its lines. A *BrokenError says that it is not
// what was sealed, ErrNotThere that it is gone.
func readPack(ctx context.Context, from Getter, s *Seal) (data []byte, lines []sealed, err error) {
	data, err = readAll(ctx, from, s.Pack, packLimit)
	if err != nil {
		return nil, nil, err
	}
	if audit.Sum(data) != s.PackSum {
		return nil, nil, &BrokenError{problem(PackRewritten, s.Pack, "it is not the one that was sealed")}
	}
	lines, err = decodeSealed(data, s.day())
	if err != nil {
		return nil, nil, &BrokenError{problem(PackRewritten, s.Pack, err.Error())}
	}
	return data, lines, nil
}

// keysIn are the keys of all lines in the packs of some seals.
func keysIn(ctx context.Context, from Getter, seals iter.Seq[*Seal]) (map[string]bool, error) {
	keys := map[string]bool{}
	for seal := range seals {
		_, lines, err := readPack(ctx, from, seal)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			keys[l.Key.String()] = true
		}
	}
	return keys, nil
}
