package audit

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// End is how long the log is: where Since goes on from.
func (l *Log) End() (int64, error) {
	f, err := durable.OpenRead(l.Path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("stat %q: %w", l.Path, durable.Cause(err))
	}
	return info.Size(), nil
}

// Since calls visit with the events behind the first from bytes, oldest first,
// and returns where the next call goes on from: behind the last whole line. cut
// says that the log has become shorter, and is read from its beginning next
// time. Lines that are no events are passed over.
func (l *Log) Since(from int64, visit func(e Event, line []byte)) (next int64, cut bool, err error) {
	size, err := l.End()
	if errors.Is(err, fs.ErrNotExist) {
		return 0, from > 0, nil
	}
	if err != nil || size == from {
		return from, false, err
	}
	if size < from {
		return 0, true, nil
	}
	f, err := durable.OpenRead(l.Path)
	if err != nil {
		return from, false, err
	}
	defer f.Close()
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
			if _, err := line.parse(); err == nil {
				raw := append([]byte(nil), line.data...)
				e, _ := Parse(raw)
				visit(e, raw)
			}
		}
	}
	return next, false, nil
}
