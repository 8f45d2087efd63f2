package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// genesis is the prev of line 1.
var genesis = strings.Repeat("0", 64)

// tail is what a writer must know of the lines before its own.
type tail struct {
	size  int64
	prev  string // SHA-256 of the last line, torn or not; genesis when there is none
	log   string // "" when no line is chained yet
	seq   int64  // of the last chained line; 0 when there is none
	open  bool   // the last line has no LF: the next writer puts it there
	torn  *tornTail
	loose *looseLines
}

// tornTail describes a last line that a crash cut short, as it is kept in
// details.recovered of the event that seals it.
type tornTail struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// looseLines describes the unchained lines since the last chained one. The
// event behind them keeps this in details.unchained, so that all of them are
// covered and not only the last, whose hash is its prev.
type looseLines struct {
	Lines  int    `json:"lines"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // over all their bytes, LFs included
}

// readTail reads from the end of the file back to the last chained line.
func readTail(f *os.File) (tail, error) {
	info, err := f.Stat()
	if err != nil {
		return tail{}, fmt.Errorf("stat log: %w", err)
	}
	t := tail{size: info.Size(), prev: genesis}
	back := newBackward(f, t.size)
	from, to := t.size, t.size // of the loose lines
	for last := true; ; last = false {
		l, err := back.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return tail{}, err
		}
		if last {
			t.prev, t.open = hash(l.data), !l.ended
		}
		e, err := Parse(l.data)
		switch {
		case errors.Is(err, ErrVersion):
			return tail{}, err
		case err == nil && e.Chained():
			t.log, t.seq = e.Log, e.Seq
			return t, t.sumLoose(f, from, to)
		case err != nil && !l.ended:
			t.torn = &tornTail{Bytes: int64(len(l.data)), SHA256: t.prev}
			from, to = l.offset, l.offset
		default:
			from = l.offset
			if t.loose == nil {
				t.loose = &looseLines{}
			}
			t.loose.Lines++
		}
	}
	return t, t.sumLoose(f, from, to)
}

func (t *tail) sumLoose(f io.ReaderAt, from, to int64) error {
	if t.loose == nil {
		return nil
	}
	sum := sha256.New()
	n, err := io.Copy(sum, io.NewSectionReader(f, from, to-from))
	if err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	t.loose.Bytes, t.loose.SHA256 = n, hex.EncodeToString(sum.Sum(nil))
	return nil
}

func hash(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}
