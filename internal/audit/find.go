package audit

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxAmbiguous is how many operations that share a prefix are named.
const maxAmbiguous = 20

// Show finds the one operation whose id begins with prefix, in any case, and
// returns all its events and their lines, oldest first. All segments are read,
// since a prefix is only unique over all of them.
func (l *Log) Show(prefix string) (events []Event, lines [][]byte, err error) {
	want := strings.ToUpper(prefix)
	var ids []string
	scanned, err := l.Backward([]string{want}, func(e Event, raw []byte) bool {
		if e.ID == "" || !strings.HasPrefix(e.ID, want) {
			return true
		}
		events = append(events, e)
		lines = append(lines, raw)
		if !slices.Contains(ids, e.ID) {
			ids = append(ids, e.ID)
		}
		return len(ids) <= maxAmbiguous
	})
	switch {
	case err != nil:
		return nil, nil, err
	case len(ids) == 0 && scanned.Missing != "":
		return nil, nil, fmt.Errorf("%w: %q; %w", ErrNotFound, prefix, &MissingError{scanned.Missing})
	case len(ids) == 0:
		return nil, nil, fmt.Errorf("%w: %q", ErrNotFound, prefix)
	case len(ids) > 1:
		return nil, nil, &AmbiguousError{Prefix: prefix, IDs: ids}
	}
	slices.Reverse(events)
	slices.Reverse(lines)
	return events, lines, nil
}

// ErrEnded says that an operation already has its outcome: another event would
// contradict it.
var ErrEnded = errors.New("the operation has ended already")

// goesOn fails unless an event of this operation is in the first size bytes of the
// file, and the newest one is no outcome.
func goesOn(f io.ReaderAt, size int64, id string) error {
	var newest Outcome
	work := func(b block) ([]found, error) { return eventsIn(b, searchable(id)), nil }
	err := inOrder(f, size, tailward(size), work, func(all []found) (more bool, err error) {
		for _, e := range all {
			if e.err != nil {
				return false, e.err
			}
			if e.malformed == 0 && e.ID == id {
				newest = e.Outcome
				return false, nil
			}
		}
		return true, nil
	})
	switch {
	case err != nil:
		return err
	case newest == "":
		return fmt.Errorf("%w: %q has not begun here", ErrNotFound, id)
	case newest != Pending:
		return fmt.Errorf("%w: %s of %q", ErrEnded, newest, id)
	}
	return nil
}

// Unfinished returns the operations without an outcome, oldest first, each with
// its newest pending event, in all segments of the log.
func (l *Log) Unfinished() ([]Event, error) {
	done := map[string]bool{}
	newest := map[string]Event{}
	var order []string
	_, err := l.Backward(nil, func(e Event, _ []byte) bool {
		switch {
		case e.ID == "":
		case e.Outcome != Pending:
			done[e.ID] = true
		case !done[e.ID]:
			if _, known := newest[e.ID]; !known {
				order = append(order, e.ID)
				newest[e.ID] = e
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	slices.Reverse(order)
	var open []Event
	for _, id := range order {
		open = append(open, newest[id])
	}
	return open, nil
}
