package audit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// firstOf is the first chained event of the file at path.
func firstOf(path string) (first Event, err error) {
	err = inFile(path, func(f *os.File, size int64) error {
		first, err = firstChained(f, size)
		return err
	})
	return first, err
}

// tailOf is the end of the file at path.
func tailOf(path string) (t tail, err error) {
	err = inFile(path, func(f *os.File, _ int64) error {
		t, err = readTail(f)
		return err
	})
	return t, err
}

func inFile(path string, do func(f *os.File, size int64) error) error {
	f, size, err := openSized(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := do(f, size); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// firstSpan is how much of a file is read to find its first event.
const firstSpan = 32 << 10

// firstChained is the first chained event of a file; one without a log when
// there is none. An event of a newer format version before it is ErrVersion.
func firstChained(r io.ReaderAt, size int64) (first Event, err error) {
	var newer error
	err = eachLine(r, size, func(l rawLine) (more bool) {
		e, _, err := l.event()
		switch {
		case errors.Is(err, ErrVersion):
			newer = err
		case err == nil && e.Chained():
			first = e
		}
		return first.Log == "" && newer == nil
	})
	return first, errors.Join(err, newer)
}

// firstDay is when the first event of a file was recorded, chained or not.
func firstDay(r io.ReaderAt, size int64) (day time.Time, err error) {
	err = eachLine(r, size, func(l rawLine) (more bool) {
		if e, _, err := l.event(); err == nil {
			day = e.Timestamp
		}
		return day.IsZero()
	})
	return day, err
}

// eachLine calls visit with the lines of a file, the first one first, until it
// returns false.
func eachLine(r io.ReaderAt, size int64, visit func(rawLine) (more bool)) error {
	rd := &reader{r: r, size: size}
	for from, n := int64(0), int64(firstSpan); from < size; from, n = from+n, spanSize {
		b, err := rd.read(span{from, min(from+n, size)})
		if err != nil {
			return err
		}
		for l := range b.lines {
			if !visit(l) {
				return nil
			}
		}
	}
	return nil
}
