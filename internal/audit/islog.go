package audit

import (
	"bytes"
	"errors"
	"io"
)

// checkLog refuses a file that was never a log: one that holds no chained event
// and does not begin as a log does. What begins as one is
//
//   - an event of the Python module;
//   - an event that a crash cut short, or several, each sealed by a writer that
//     crashed in turn: nothing but these stands in the file then.
func checkLog(f io.ReaderAt, t tail) error {
	if t.head.Seq > 0 || t.size == 0 {
		return nil
	}
	rd := &reader{r: f, size: t.size}
	for at := int64(0); at < t.size; at += spanSize {
		b, err := rd.read(span{at, min(at+spanSize, t.size)})
		if err != nil {
			return err
		}
		for l := range b.lines {
			_, err := l.parse()
			switch {
			case err == nil || errors.Is(err, ErrVersion):
				return nil
			case l.size > maxLine || !couldBeTorn(l.data):
				return ErrNotLog
			}
		}
	}
	return nil
}

// couldBeTorn reports whether a line can be what a crash left of an event: its
// beginning, then zeros where the disk had not got further.
func couldBeTorn(line []byte) bool {
	const begin = `{"v":1,"log":"`
	line = bytes.TrimRight(line, "\x00")
	n := min(len(line), len(begin))
	return string(line[:n]) == begin[:n]
}
