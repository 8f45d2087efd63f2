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
func (a Archive) Show(ctx context.Context, prefix string) (events []audit.Event, lines [][]byte, err error) {
	want := strings.ToUpper(prefix)
	days, err := a.Source.Days(ctx)
	if err != nil {
		return nil, nil, err
	}
	from, to := spanOf(want)
	var found []Key
	var ids []string
	for _, day := range days {
		if day.Add(24*time.Hour).Before(from) || day.After(to) && len(ids) == 0 {
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
	slices.SortFunc(found, func(a, b Key) int { return int(a.Seq - b.Seq) })
	if lines, err = a.Source.Lines(ctx, found); err != nil {
		return nil, nil, err
	}
	for i, line := range lines {
		e, err := found[i].event(line)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", found[i], err)
		}
		events = append(events, e)
	}
	return events, lines, nil
}

func ended(keys []Key) bool {
	return slices.ContainsFunc(keys, func(k Key) bool { return k.Outcome != audit.Pending })
}

// spanOf is when operations can have begun whose ids begin with prefix. A day is
// added on both sides: an id and its event are not made at the same moment.
func spanOf(prefix string) (from, to time.Time) {
	const length = 26
	first, err := ulid.ParseStrict(prefix + strings.Repeat("0", max(length-len(prefix), 0)))
	last, err2 := ulid.ParseStrict(prefix + strings.Repeat("Z", max(length-len(prefix), 0)))
	if err2 != nil && err == nil { // the first character of an id is at most 7
		return first.Timestamp().Add(-24 * time.Hour), time.Unix(1<<40, 0)
	}
	if err != nil || err2 != nil {
		return time.Time{}, time.Unix(1<<40, 0)
	}
	return first.Timestamp().Add(-24 * time.Hour), last.Timestamp().Add(24 * time.Hour)
}
