package audit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Record is one operation: its events merged. Its Event is the last one.
type Record struct {
	Event
	Unfinished bool // no outcome event follows
}

// Query selects records.
type Query struct {
	Limit int // at most so many, newest first; 0 means all
	// Match decides on the last event of an operation and its line; nil takes
	// all.
	Match func(e Event, line []byte) bool
	// Words, where there are any: each event of an operation that Match takes
	// has one of them in it. Lines without need not be parsed.
	Words []string
	// Since is the time that every wanted event was recorded at or after; zero
	// means no limit. Match is called regardless.
	Since time.Time
}

// Scanned is what a reading of the log found besides records.
type Scanned struct {
	Malformed int    // lines that are not events, of those that were looked at
	Missing   string // name of a segment that was wanted and is not there: nothing older was read
}

// olderInRow is after how many events in a row from before Query.Since a reading
// ends. Clocks of several machines differ, so the first one is not the end.
const olderInRow = 1000

// History calls visit with the newest records that match, newest first, and the
// line of their last event, until visit returns an error. It reads the log from
// its end and only as far as it must: an older segment is opened when those
// after it were not enough.
func (l *Log) History(q Query, visit func(r Record, line []byte) error) (Scanned, error) {
	seen := map[string]bool{} // ids of operations whose last event was seen
	return l.each(q, func(e Event, raw []byte) (Record, bool) {
		if seen[e.ID] {
			return Record{}, false
		}
		seen[e.ID] = e.ID != "" // each line of the Python module is an operation
		return Record{Event: e, Unfinished: e.Outcome == Pending}, true
	}, visit)
}

// Events is History of single events.
func (l *Log) Events(q Query, visit func(r Record, line []byte) error) (Scanned, error) {
	return l.each(q, func(e Event, _ []byte) (Record, bool) { return Record{Event: e}, true }, visit)
}

func (l *Log) each(q Query, take func(Event, []byte) (Record, bool), visit func(Record, []byte) error) (Scanned, error) {
	count, older := 0, 0
	var failed error
	scanned, err := l.Backward(q.Words, func(e Event, line []byte) (more bool) {
		if older++; q.Since.IsZero() || !e.Timestamp.Before(q.Since) {
			older = 0
		}
		r, fresh := take(e, line)
		switch {
		case older > olderInRow, q.Limit > 0 && count == q.Limit && fresh:
			return false
		case !fresh || q.Match != nil && !q.Match(e, line):
			return true
		}
		count++
		failed = visit(r, line)
		return failed == nil
	})
	return scanned, errors.Join(err, failed)
}

// found is an event that a block holds, or what stands in its place: lines that
// are no events, or an error that ends the reading.
type found struct {
	Event
	raw       []byte
	malformed int
	err       error
}

// Backward calls visit with each event and its bytes, newest first, until visit
// returns false. Where words are given, events that hold none of them are passed
// over unread, as long as each word is made of letters, digits, "_" and "-": JSON
// spells others in several ways. Lines that are no events are counted. A line of a
// newer format version ends the reading with ErrVersion. It goes on from segment
// to segment, and ends before one that is missing.
func (l *Log) Backward(words []string, visit func(e Event, raw []byte) (more bool)) (Scanned, error) {
	var scanned Scanned
	words = searchable(words...)
	work := func(b block) ([]found, error) { return eventsIn(b, words), nil }
	err := l.newestFirst(func(g *segment) (more bool, err error) {
		more = true
		err = inOrder(g, g.size, backward(g.size), work, func(all []found) (bool, error) {
			for _, e := range all {
				switch {
				case e.err != nil:
					return false, e.err
				case e.malformed > 0:
					scanned.Malformed += e.malformed
				default:
					more = visit(e.Event, e.raw)
				}
				if !more {
					return false, nil
				}
			}
			return true, nil
		})
		if err != nil {
			err = fmt.Errorf("%s: %w", g.path, err)
		}
		return more, err
	})
	var missing *MissingError
	if errors.As(err, &missing) {
		scanned.Missing, err = missing.Name, nil
	}
	return scanned, err
}

// searchable is the words when each is spelled in one way in JSON, else none.
func searchable(words ...string) []string {
	if slices.ContainsFunc(words, func(w string) bool { return strings.ContainsFunc(w, spelledVariously) }) {
		return nil
	}
	return words
}

func spelledVariously(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-')
}

// eventsIn returns the events of a block, newest first, in memory of their own.
func eventsIn(b block, words []string) (all []found) {
	b.data = keep(b.data, words)
	for line := range b.reversed {
		if line.size == 0 {
			continue
		}
		e, raw, err := line.event()
		switch n := len(all) - 1; {
		case errors.Is(err, ErrVersion):
			return append(all, found{err: err})
		case err != nil && n >= 0 && all[n].malformed > 0:
			all[n].malformed++ // together: a file can be full of them
		case err != nil:
			all = append(all, found{malformed: 1})
		default:
			all = append(all, found{Event: e, raw: raw})
		}
	}
	return all
}

// keep moves the lines that may hold a word together, in place, and returns
// them. JSON can spell a letter as \u0061, so lines with such an escape stay.
func keep(data []byte, words []string) []byte {
	if len(words) == 0 {
		return data
	}
	needles := [][]byte{[]byte(`\u`)}
	for _, w := range words {
		needles = append(needles, []byte(w))
	}
	next := make([]int, len(needles)) // where each occurs next
	for i := range next {
		next[i] = index(data, needles[i], 0)
	}
	kept := data[:0]
	for at := 0; at < len(data); {
		hit := slices.Min(next)
		if hit == len(data) {
			break
		}
		begin := bytes.LastIndexByte(data[at:hit], '\n') + 1 + at
		end := index(data, []byte{'\n'}, hit)
		end = min(end+1, len(data))
		kept = append(kept, data[begin:end]...)
		for i := range next {
			if next[i] < end {
				next[i] = index(data, needles[i], end)
			}
		}
		at = end
	}
	return kept
}

// index is where needle occurs first in data[from:], len(data) when it does not.
func index(data, needle []byte, from int) int {
	if i := bytes.Index(data[from:], needle); i >= 0 {
		return from + i
	}
	return len(data)
}

// ErrNotFound says that no operation has the id that was asked for.
var ErrNotFound = errors.New("no such operation")

// AmbiguousError names the newest of the operations that share a prefix.
type AmbiguousError struct {
	Prefix string
	IDs    []string
}

func (e *AmbiguousError) Error() string {
	if len(e.IDs) > maxAmbiguous {
		return fmt.Sprintf("%q is the beginning of more than %d ids", e.Prefix, maxAmbiguous)
	}
	return fmt.Sprintf("%q is the beginning of %d ids", e.Prefix, len(e.IDs))
}
