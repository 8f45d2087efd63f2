package audit

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// genesis is the prev of line 1.
var genesis = strings.Repeat("0", 64)

// tail is what a writer must know of the lines before its own.
type tail struct {
	size  int64
	prev  string    // SHA-256 of the last line, whatever it is; genesis when there is none
	head  Head      // of the last chained line; zero when no line is chained yet
	when  time.Time // of head: when it was recorded
	open  bool      // the last line has no LF: the next writer puts it there
	shut  bool      // head is of an event that closes the log
	begun bool      // head is of the first event, with which a rotation began the log
	torn  *tornTail
	loose *looseLines

	// continues is the loose end of the segments, where the file has no chained
	// event yet: its first one continues from there.
	continues *Link
}

// closed reports whether the log ends with an event that closes it. Lines that
// another program put behind that event open it again: the next event has to
// cover them.
func (t tail) closed() bool { return t.shut && !t.open && t.torn == nil && t.loose == nil }

// tornTail describes a last line that a crash cut short, as it is kept in
// details.recovered of the event that seals it.
type tornTail struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	After  string `json:"after"` // SHA-256 of the chained line before, as in looseLines
}

// looseLines describes the unchained lines since the last chained one. The
// event behind them keeps this in details.unchained, so that all of them are
// covered and not only the last, whose hash is its prev, and so that the chain
// continues from the last chained line.
type looseLines struct {
	Lines  int    `json:"lines"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // over all their bytes, LFs included
	After  string `json:"after"`  // SHA-256 of the last chained line before them; 64 zeros when there is none
}

// readTail reads from the end of the file back to the last chained line.
func readTail(f *os.File) (tail, error) {
	info, err := f.Stat()
	if err != nil {
		return tail{}, fmt.Errorf("stat log: %w", err)
	}
	t := tail{size: info.Size(), prev: genesis}
	from, to, last := t.size, t.size, true // from and to are those of the loose lines
	for l, err := range lastLines(f, t.size) {
		if err != nil {
			return tail{}, err
		}
		if last {
			if err := t.end(f, l); err != nil {
				return tail{}, err
			}
			last = false
		}
		p, err := l.parse()
		switch {
		case errors.Is(err, ErrVersion):
			return tail{}, err
		case err == nil && p.chained():
			t.head = Head{Log: text(p.fields[keyLog]), Seq: p.seq, SHA256: Sum(l.data)}
			t.when, t.shut = p.timestamp, p.rotates("closes", t.head.Log)
			t.begun = p.seq == 1 && p.rotates("continues", "")
			return t, t.cover(f, from, to)
		case err != nil && !l.ended:
			t.torn = &tornTail{Bytes: l.size, SHA256: t.prev}
			from, to = l.offset, l.offset
		default:
			from = l.offset
			if t.loose == nil {
				t.loose = &looseLines{}
			}
			t.loose.Lines++
		}
	}
	return t, t.cover(f, from, to)
}

// rotates reports whether the event is one of a rotation, with such a link, to
// the log with this id if one is given.
func (p *parsed) rotates(link, log string) bool {
	if p.outcome != Success || text(p.fields[keyOperation]) != Rotate {
		return false
	}
	k := linkIn(p.fields[keyDetails], link)
	return k != nil && (log == "" || k.Log == log)
}

// parse reads the line. One that is too long is malformed like any other.
func (l rawLine) parse() (parsed, error) {
	if l.size > maxLine {
		return parsed{}, errLineTooLong
	}
	return parse(l.data)
}

// event copies the line and reads the copy, which the event's details are a part
// of.
func (l rawLine) event() (e Event, raw []byte, err error) {
	if l.size > maxLine {
		return Event{}, nil, errLineTooLong
	}
	raw = bytes.Clone(l.data)
	e, err = Parse(raw)
	return e, raw, err
}

var errLineTooLong = errors.New("malformed: a line longer than 16 MiB")

// end takes in the last line of the file.
func (t *tail) end(f io.ReaderAt, l rawLine) error {
	sum, err := l.sum(f)
	t.prev, t.open = hex.EncodeToString(sum[:]), !l.ended
	return err
}

// cover completes what the next event says of the lines that are not chained.
func (t *tail) cover(f io.ReaderAt, from, to int64) error {
	after := t.head.SHA256
	if after == "" {
		after = genesis
	}
	if t.torn != nil {
		t.torn.After = after
	}
	if t.loose == nil {
		return nil
	}
	sum, err := sumOf(f, from, to)
	t.loose.Bytes, t.loose.SHA256, t.loose.After = to-from, hex.EncodeToString(sum[:]), after
	return err
}
