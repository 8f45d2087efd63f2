package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// Source has lines of a store, by the times of their keys.
type Source interface {
	// Days are those of which it has lines, oldest first.
	Days(ctx context.Context) ([]time.Time, error)
	// Keys are those of the lines from a time on and before another one of the same
	// day, or its end, as Key.compare sorts them. None is no error.
	Keys(ctx context.Context, from, to time.Time) ([]Key, error)
	// Lines are the contents of keys, whatever they are: whoever verifies compares
	// them with their keys. nil stands for one that is not there. They are the
	// caller's.
	Lines(ctx context.Context, keys []Key) ([][]byte, error)
}

// searched is a Source that can look for words.
type searched interface {
	Source
	// KeysWith is Keys without operations that cannot have a line with one of each of
	// the words as a whole JSON string, as far as that is known without reading lines.
	KeysWith(ctx context.Context, from, to time.Time, words [][]string) ([]Key, error)
	// May reports whether the line of one of these keys can have them.
	May(k Key, words [][]string) bool
}

// soon tells a source which days are asked for next, so that it can prepare them in the
// meantime.
func soon(ctx context.Context, s Source, days []time.Time) {
	if s, can := s.(interface {
		Soon(ctx context.Context, day time.Time)
	}); can {
		for _, day := range days {
			s.Soon(ctx, day)
		}
	}
}

// aheadDays is how many days are prepared ahead: an index takes a round trip.
const aheadDays = 3

// oneDay is how long a day of a store is.
const oneDay = 24 * time.Hour

// dayKeys are all keys of a day.
func dayKeys(ctx context.Context, s Source, day time.Time) ([]Key, error) {
	return s.Keys(ctx, day, day.Add(oneDay))
}

// ages are those of the newest events that are looked for first, before the end of
// their day.
var ages = []time.Duration{10 * time.Minute, time.Hour, 6 * time.Hour}

// parts are the keys of a day in several parts, the newest part first: whoever wants
// the newest few need not list all of a busy day.
func parts(ctx context.Context, day time.Time, get func(ctx context.Context, from, to time.Time) ([]Key, error)) iter.Seq2[[]Key, error] {
	return func(yield func([]Key, error) bool) {
		end := day.Add(oneDay)
		last := end
		if now := time.Now().UTC(); now.Before(end) {
			last = now
		}
		for _, age := range append(slices.Clone(ages), 2*oneDay) {
			from := last.Add(-age)
			if from.Before(day) {
				from = day
			}
			keys, err := get(ctx, from, end)
			if !yield(keys, err) || err != nil || !from.After(day) {
				return
			}
			end = from
		}
	}
}

// Loose is the Source of the lines that are objects of their own.
type Loose struct{ Reader }

// maxLine is how long a line of a log can be.
const maxLine = 16 << 20

// Days is part of Source.
func (l Loose) Days(ctx context.Context) (days []time.Time, err error) {
	dirs, err := l.Dirs(ctx, EventsDir)
	for _, dir := range dirs {
		if day, ok := dayOf(dir); ok {
			days = append(days, day)
		}
	}
	return days, err
}

// Keys is part of Source. What is no key is passed over: see Strange.
func (l Loose) Keys(ctx context.Context, from, to time.Time) (keys []Key, err error) {
	after := EventsDir + dayDir(from) + from.UTC().Format(timeLayout)
	for o, err := range l.List(ctx, EventsDir+dayDir(from), after) {
		if err != nil {
			return nil, err
		}
		k, err := parseKey(o.Key)
		if err == nil && !k.Time.Before(to) {
			break
		}
		if err == nil {
			keys = append(keys, k)
		}
	}
	sortKeys(keys)
	return keys, nil
}

// Strange are the objects of a day that have no key of a line.
func (l Loose) Strange(ctx context.Context, day time.Time) (names []string, err error) {
	for o, err := range l.List(ctx, EventsDir+dayDir(day), "") {
		if err != nil {
			return nil, err
		}
		if _, err := parseKey(o.Key); err != nil {
			names = append(names, o.Key)
		}
	}
	return names, nil
}

// Lines is part of Source.
func (l Loose) Lines(ctx context.Context, keys []Key) ([][]byte, error) {
	return readLines(ctx, l, keys)
}

// readLines reads the objects of keys, several at once: each takes a round trip. nil
// stands for one that is not there. Nothing is said of what they hold: see Key.event.
func readLines(ctx context.Context, from Getter, keys []Key) ([][]byte, error) {
	lines := make([][]byte, len(keys))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(parallel)
	for i, k := range keys {
		work.Go(func() (err error) {
			if lines[i], err = readAll(ctx, from, k.String(), maxLine); err != nil && !errors.Is(err, ErrNotThere) {
				return fmt.Errorf("%s: %w", k, err)
			}
			return nil
		})
	}
	return lines, work.Wait()
}

// sortKeys sorts keys that may be in their order already.
func sortKeys(keys []Key) {
	if !slices.IsSortedFunc(keys, Key.compare) {
		slices.SortFunc(keys, Key.compare)
	}
}
