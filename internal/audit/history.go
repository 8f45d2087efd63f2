package audit

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// Record is one operation: its events merged. Its Event is the last one.
type Record struct {
	Event
	Unfinished bool // no outcome event follows
}

// Query selects records.
type Query struct {
	Limit      int      // at most so many, newest first; 0 means all
	Operations []string // only these; empty means all
}

// Scanned is what a reading of the log came upon besides records.
type Scanned struct {
	Malformed int // lines that are no events
}

// History reads the newest records that match, newest first. It reads the file
// from its end and no further than it must.
func (l *Log) History(q Query) ([]Record, Scanned, error) {
	var found []Record
	seen := map[string]bool{} // ids of operations in found
	scanned, err := l.Backward(func(e Event, _ []byte) (more bool) {
		if seen[e.ID] {
			return true
		}
		if q.Limit > 0 && len(found) == q.Limit {
			return false
		}
		if !q.Match(e) {
			return true
		}
		seen[e.ID] = e.ID != "" // each line of the Python module is an operation
		found = append(found, Record{Event: e, Unfinished: e.Outcome == Pending})
		return true
	})
	return found, scanned, err
}

// Match reports whether the query selects the event, its limit aside.
func (q Query) Match(e Event) bool {
	return len(q.Operations) == 0 || slices.Contains(q.Operations, e.Operation)
}

// Backward calls visit with each event and its bytes, newest first, until visit
// returns false. Lines that are no events are counted. A line of a newer format
// version ends the reading with ErrVersion.
func (l *Log) Backward(visit func(e Event, raw []byte) (more bool)) (Scanned, error) {
	var scanned Scanned
	f, err := durable.OpenRead(l.Path)
	if err != nil {
		return scanned, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return scanned, fmt.Errorf("stat %q: %w", l.Path, durable.Cause(err))
	}
	back := newBackward(f, info.Size())
	for {
		line, err := back.next()
		if errors.Is(err, io.EOF) {
			return scanned, nil
		}
		if err != nil {
			return scanned, fmt.Errorf("%s: %w", l.Path, err)
		}
		if len(line.data) == 0 {
			continue
		}
		e, err := Parse(line.data)
		switch {
		case errors.Is(err, ErrVersion):
			return scanned, fmt.Errorf("%s: %w", l.Path, err)
		case err != nil:
			scanned.Malformed++
		case !visit(e, line.data):
			return scanned, nil
		}
	}
}

// ErrNotFound says that no operation has the id that was asked for.
var ErrNotFound = errors.New("no such operation")

// AmbiguousError names the operations that share a prefix.
type AmbiguousError struct {
	Prefix string
	IDs    []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q is the beginning of %d ids", e.Prefix, len(e.IDs))
}
