package watch

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/record"
)

// How far back a log is read at least, for operations that have no outcome; and
// after how many older operations in a row it has been read far enough. Clocks of
// several machines differ, so the first one is not the end.
const (
	unfinishedBytes = 1 << 20
	olderInRow      = 1000
)

// readTries is how often a log that is being written to is read again.
const readTries = 5

// errFarEnough ends the reading of a log.
var errFarEnough = errors.New("far enough")

// shelf holds what was read of logs, as long as they do not change.
type shelf map[string]reading

type reading struct {
	file  fileState
	since time.Time
	deeds []deed
	seen  map[string]bool // ids of the operations that were read
	whole bool            // all of the log was read
}

// fileState is what shows that a log was written to.
type fileState struct {
	size    int64
	changed time.Time
}

// deeds are the operations of a log that may account for losses since then. A log
// that cannot be read accounts for nothing.
//
// Whether an operation is running is checked before the log is seen not to have
// changed: its lock is released when its outcome is in the log. So if one
// is not running, its outcome was read if there is one.
func (s shelf) deeds(l *audit.Log, since time.Time, own bool) []deed {
	var deeds []deed
	for range readTries {
		file, err := stateOf(l)
		if err != nil {
			return nil
		}
		last, known := s[l.Path]
		if !known || last.file != file || since.Before(last.since) {
			last = read(l, since, own)
			last.file = file
		}
		beginning := last.beginning(l, own)
		deeds = slices.Concat(beginning, last.deeds)
		s[l.Path] = last
		dead := false
		for i, d := range deeds {
			if d.open() {
				deeds[i].atWork = record.Lives(l, *d.pending)
				dead = dead || !deeds[i].atWork
			}
		}
		if now, err := stateOf(l); err != nil || !dead || now == file {
			return deeds
		}
	}
	for i, d := range deeds { // what seems to be dead may have ended just now: the next call shows
		deeds[i].atWork = d.open()
	}
	return deeds
}

func stateOf(l *audit.Log) (fileState, error) {
	info, err := os.Stat(l.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return fileState{}, nil // not yet, or between two segments
	}
	if err != nil {
		return fileState{}, err
	}
	return fileState{info.Size(), info.ModTime()}, nil
}

// read reads a log from its end.
func read(l *audit.Log, since time.Time, own bool) reading {
	r := reading{since: since, seen: map[string]bool{}}
	bytes, older := 0, 0
	_, err := l.History(audit.Query{}, func(rec audit.Record, line []byte) error {
		if older++; !rec.Timestamp.Before(since) {
			older = 0
		}
		if bytes += len(line); older > olderInRow && bytes > unfinishedBytes {
			return errFarEnough
		}
		r.take(rec.Event, own)
		return nil
	})
	r.whole = err == nil
	return r
}

func (r *reading) take(e audit.Event, own bool) {
	r.seen[e.ID] = true
	if d, tells := deedOf(e, own); tells {
		r.deeds = append(r.deeds, d)
	}
}

// beginning are the operations that have a lock file, and no event yet. Those that
// have one, longer ago than was read, are read now.
func (r *reading) beginning(l *audit.Log, own bool) (all []deed) {
	for _, id := range record.Locks(l) {
		if r.seen[id] {
			continue
		}
		found := false
		match := func(e audit.Event, _ []byte) bool { return e.ID == id }
		if !r.whole {
			_, _ = l.History(audit.Query{Words: []string{id}, Limit: 1, Match: match}, func(rec audit.Record, _ []byte) error {
				found = true
				r.take(rec.Event, own)
				return nil
			})
		}
		if !found {
			e := audit.Event{ID: id, Outcome: audit.Pending}
			all = append(all, deed{id: id, from: opened(e), pending: &e, beginning: true})
		}
	}
	return all
}
