package audit

import (
	"errors"
	"fmt"
	"io/fs"
)

// End is how long the log is: where Since goes on from.
func (l *Log) End() (int64, error) {
	f, size, err := openSized(l.Path)
	if err != nil {
		return 0, err
	}
	return size, f.Close()
}

// Since calls visit with the events behind the first from bytes, oldest first,
// and returns where the next call goes on from: behind the last whole line. cut
// says that the log has become shorter, and is read from its beginning next
// time. Lines that are no events are passed over.
func (l *Log) Since(from int64, visit func(e Event, line []byte)) (next int64, cut bool, err error) {
	f, size, err := openSized(l.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, from > 0, nil
	}
	if err != nil {
		return from, false, err
	}
	defer f.Close()
	if size < from {
		return 0, true, nil
	}
	rd := &reader{r: f, size: size}
	for next = from; next < size; {
		b, err := rd.read(span{next, min(next+spanSize, size)})
		if err != nil {
			return next, false, fmt.Errorf("%s: %w", l.Path, err)
		}
		next = min(next+spanSize, size)
		for line := range b.lines {
			if !line.ended {
				return line.offset, false, nil // still being written, perhaps
			}
			if e, raw, err := line.event(); err == nil {
				visit(e, raw)
			}
		}
	}
	return next, false, nil
}
