package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// maxAmbiguous is how many operations that share a prefix are named.
const maxAmbiguous = 20

// Show finds the one operation whose id begins with prefix, in any case, and returns
// all its events and their lines, oldest first. Ids begin with a time, which says
// where to look. It ends at the first outcome.
//
// Whoever can create events can make up an operation of the same id in another log:
// events of one log are side by side. spoilt is told of objects that do not hold what
// their keys name, which are passed over; without any other, that is the error.
func (a Archive) Show(ctx context.Context, prefix string, spoilt func(Key)) (events []audit.Event, lines [][]byte, err error) {
	want := strings.ToUpper(prefix)
	days, err := a.Source.Days(ctx)
	if err != nil {
		return nil, nil, err
	}
	from, to := spanOf(want)
	var found []Key
	var ids []string
	for _, day := range days {
		if day.Add(oneDay).Before(from) || day.After(to) && len(ids) == 0 {
			continue
		}
		if day.After(to) && ended(found) {
			break
		}
		keys, err := dayKeys(ctx, a.Source, day)
		if err != nil {
			return nil, nil, err
		}
		for _, k := range keys {
			if !strings.HasPrefix(k.ID, want) {
				continue
			}
			if !slices.Contains(ids, k.ID) {
				ids = append(ids, k.ID)
			}
			found = append(found, k)
		}
		if len(ids) > maxAmbiguous {
			break
		}
	}
	switch {
	case len(ids) == 0:
		return nil, nil, fmt.Errorf("%w: %q", audit.ErrNotFound, prefix)
	case len(ids) > 1:
		return nil, nil, &audit.AmbiguousError{Prefix: prefix, IDs: ids}
	}
	slices.SortFunc(found, Key.compareInLog)
	for some := range slices.Chunk(found, chunk) {
		got, err := a.Source.Lines(ctx, some)
		if err != nil {
			return nil, nil, err
		}
		for i, line := range got {
			e, err := some[i].event(line)
			if err != nil {
				spoilt(some[i])
				continue
			}
			events, lines = append(events, e), append(lines, line)
		}
	}
	if len(events) == 0 {
		return nil, nil, fmt.Errorf("%s: %w", found[0], errNotNamed)
	}
	return events, lines, nil
}

// ended reports whether there is an outcome in each log among keys.
func ended(keys []Key) bool {
	logs := map[string]bool{}
	for _, k := range keys {
		logs[k.Log] = logs[k.Log] || k.Outcome != audit.Pending
	}
	for _, one := range logs {
		if !one {
			return false
		}
	}
	return len(logs) > 0
}

// spanOf is the span in which operations whose ids begin with prefix can have begun. A day is
// added on both sides: an id and its event are not made at the same moment.
func spanOf(prefix string) (from, to time.Time) {
	first, err := ulid.ParseStrict(prefix + strings.Repeat("0", max(ulid.EncodedSize-len(prefix), 0)))
	last, err2 := ulid.ParseStrict(prefix + strings.Repeat("Z", max(ulid.EncodedSize-len(prefix), 0)))
	if err2 != nil && err == nil { // the first character of an id is at most 7
		return first.Timestamp().Add(-oneDay), time.Unix(1<<40, 0)
	}
	if err != nil || err2 != nil {
		return time.Time{}, time.Unix(1<<40, 0)
	}
	return first.Timestamp().Add(-oneDay), last.Timestamp().Add(oneDay)
}
