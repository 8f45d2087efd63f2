package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Archive is all logs of a store, read as one history by the times of its events.
type Archive struct{ Source Source }

// Query selects operations, or events.
type Query struct {
	Limit int  // at most so many, newest first; 0 means all
	Raw   bool // events; else operations, each by its last event
	// What the key answers: a line that it rules out is not read.
	Operation, Outcome []string
	Since, Until       time.Time
	// Words says of Match what a sealed pack can be searched for: of each of these
	// lists Match wants one as a whole JSON string in the line.
	Words [][]string
	// Match decides on the rest; nil takes all.
	Match func(e audit.Event, line []byte) bool
	// Forked, if it is set, is told of each log in which two of the lines that are looked
	// at have the same number, with the first such number.
	Forked func(log string, seq int64)
	// Spoilt, where it is set, is told of objects that do not hold what their keys
	// name. They are passed over.
	Spoilt func(k Key)
}

// afterUntil is how far beyond Query.Until History looks for the ends of operations that
// began before it.
const afterUntil = 7 * oneDay

// chunk is how many lines are read at a time; they are in memory together.
const chunk = 32

// History calls visit with what is selected, newest first, until it returns an error.
// Memory is bounded by the keys of one day and some frames of its packs.
func (a Archive) History(ctx context.Context, q Query, visit func(r audit.Record, line []byte) error) error {
	days, err := a.Source.Days(ctx)
	if err != nil {
		return err
	}
	r := reading{Archive: a, q: q, visit: visit, seen: map[string]bool{}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // what is got ready for nothing
	for i, day := range slices.Backward(days) {
		if day.Add(oneDay).Before(q.Since) {
			break
		}
		if !q.Until.IsZero() && day.After(q.Until.Add(afterUntil)) {
			continue
		}
		if q.Limit == 0 || i < len(days)-1 { // else the newest day will do, mostly
			soon(ctx, a.Source, days[max(0, i-aheadDays):i])
		}
		if more, err := r.day(ctx, day); err != nil || !more {
			return err
		}
	}
	return nil
}

// reading is one History.
type reading struct {
	Archive
	q     Query
	visit func(r audit.Record, line []byte) error
	seen  map[string]bool // operations whose last event was in a later day, or later in this one
	count int
}

func (r *reading) day(ctx context.Context, day time.Time) (more bool, err error) {
	get := r.Source.Keys
	if s, can := r.Source.(searched); can && len(r.q.Words) > 0 {
		get = func(ctx context.Context, from, to time.Time) ([]Key, error) {
			return s.KeysWith(ctx, from, to, r.q.Words)
		}
	}
	all := parts(ctx, day, get)
	if r.q.Limit == 0 {
		keys, err := get(ctx, day, day.Add(oneDay))
		all = func(yield func([]Key, error) bool) { yield(keys, err) }
	}
	for keys, err := range all {
		if err != nil {
			return false, err
		}
		if more, err := r.part(ctx, keys); err != nil || !more {
			return false, err
		}
	}
	r.forget(day)
	return true, nil
}

// forget drops operations that began on this day or later: no day before has events of
// theirs.
func (r *reading) forget(day time.Time) {
	for id := range r.seen {
		if began, ok := beganAt(id); ok && !began.Before(day) {
			delete(r.seen, id)
		}
	}
}

// part visits what is wanted among some keys of a day.
func (r *reading) part(ctx context.Context, keys []Key) (more bool, err error) {
	var wanted []Key
	may := func(Key) bool { return true }
	if s, can := r.Source.(searched); can && len(r.q.Words) > 0 {
		may = func(k Key) bool { return s.May(k, r.q.Words) }
	}
	r.tellForks(keys)
	last := lastOf(keys)
	for _, k := range slices.Backward(keys) {
		if !r.q.Raw && (r.seen[k.operation()] || last[k.operation()] != k) {
			continue
		}
		r.seen[k.operation()] = true
		if r.q.keyMatches(k) && may(k) {
			wanted = append(wanted, k)
		}
	}
	for len(wanted) > 0 {
		n := min(chunk, len(wanted))
		if r.q.Limit > 0 && r.q.Match == nil {
			n = min(n, r.q.Limit-r.count)
		}
		if more, err := r.read(ctx, wanted[:n]); err != nil || !more {
			return false, err
		}
		wanted = wanted[n:]
	}
	return true, nil
}

// tellForks looks for logs that went on in two ways.
func (r *reading) tellForks(keys []Key) {
	if r.q.Forked == nil {
		return
	}
	type place struct {
		log string
		seq int64
	}
	seen, told := map[place]bool{}, map[string]bool{}
	for _, k := range keys {
		at := place{k.Log, k.Seq}
		if seen[at] && !told[k.Log] {
			told[k.Log] = true
			r.q.Forked(k.Log, k.Seq)
		}
		seen[at] = true
	}
}

// operation names the operation of a key among all logs.
func (k Key) operation() string { return k.ID + "\x00" + k.Log }

// lastOf are the last events of the operations among some keys, by their numbers: a
// clock can be set back in an operation.
func lastOf(keys []Key) map[string]Key {
	last := make(map[string]Key, len(keys))
	for _, k := range keys {
		if old, known := last[k.operation()]; !known || k.Seq >= old.Seq {
			last[k.operation()] = k
		}
	}
	return last
}

// beganAt is when an operation began, by its id.
func beganAt(operation string) (time.Time, bool) {
	text, _, _ := strings.Cut(operation, "\x00")
	id, err := ulid.ParseStrict(text)
	return id.Timestamp().UTC(), err == nil
}

func (q Query) keyMatches(k Key) bool {
	return (len(q.Operation) == 0 || slices.Contains(q.Operation, k.Operation)) &&
		(len(q.Outcome) == 0 || slices.Contains(q.Outcome, string(k.Outcome))) &&
		(q.Since.IsZero() || !k.Time.Before(q.Since.Truncate(time.Microsecond))) && (q.Until.IsZero() || !k.Time.After(q.Until))
}

// read visits the lines of some keys, in their order.
func (r *reading) read(ctx context.Context, keys []Key) (more bool, err error) {
	lines, err := r.Source.Lines(ctx, keys)
	if err != nil {
		return false, err
	}
	for i, line := range lines {
		e, err := keys[i].event(line)
		if err != nil {
			if r.q.Spoilt != nil {
				r.q.Spoilt(keys[i])
			}
			continue // whoever can create objects must not be able to keep others from reading
		}
		if r.q.Match != nil && !r.q.Match(e, line) {
			continue
		}
		if err := r.visit(audit.Record{Event: e, Unfinished: !r.q.Raw && e.Outcome == audit.Pending}, line); err != nil {
			return false, err
		}
		if r.count++; r.count == r.q.Limit {
			return false, nil
		}
	}
	return true, nil
}

// IDs are those of the newest operations, for completion, from the keys alone.
func (a Archive) IDs(ctx context.Context, limit int) (ids []string, err error) {
	days, err := a.Source.Days(ctx)
	for _, day := range slices.Backward(days) {
		keys, err := dayKeys(ctx, a.Source, day)
		if err != nil {
			return ids, err
		}
		for _, k := range slices.Backward(keys) {
			if len(ids) == limit {
				return ids, nil
			}
			if !slices.Contains(ids, k.ID) {
				ids = append(ids, k.ID)
			}
		}
	}
	return ids, err
}
