package store

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"
)

// Source has lines of a store, by the day of their keys.
type Source interface {
	// Days are those of which it has lines, oldest first.
	Days(ctx context.Context) ([]time.Time, error)
	// Keys are those of the lines of a day, sorted by their texts. None is no error.
	Keys(ctx context.Context, day time.Time) ([]Key, error)
	// Line is the content of one of these keys, whatever it is: whoever verifies
	// compares it with its key.
	Line(ctx context.Context, k Key) ([]byte, error)
}

// Loose is the Source of the lines that are objects of their own.
type Loose struct{ Reader }

// maxLine is how long a line of a log can be.
const maxLine = 16 << 20

// Days is part of Source.
func (l Loose) Days(ctx context.Context) (days []time.Time, err error) {
	dirs, err := l.Dirs(ctx, EventsDir)
	for _, dir := range dirs {
		if day, ok := DayOf(dir); ok {
			days = append(days, day)
		}
	}
	return days, err
}

// Keys is part of Source. What is no key is passed over: see Strange.
func (l Loose) Keys(ctx context.Context, day time.Time) (keys []Key, err error) {
	return l.between(ctx, day, day.Add(24*time.Hour))
}

// Parted is a Source that can begin with the newest lines of a day.
type Parted interface {
	// Parts are the keys of a day in several parts, the newest part first; each is
	// sorted as Keys are.
	Parts(ctx context.Context, day time.Time) iter.Seq2[[]Key, error]
}

// ages are those of the newest events that are looked for first, before the end of
// their day.
var ages = []time.Duration{10 * time.Minute, time.Hour, 6 * time.Hour}

// Parts is part of Parted: whoever wants the newest few need not list all of a busy
// day.
func (l Loose) Parts(ctx context.Context, day time.Time) iter.Seq2[[]Key, error] {
	return func(yield func([]Key, error) bool) {
		end := day.Add(24 * time.Hour)
		last := end
		if now := time.Now().UTC(); now.Before(end) {
			last = now
		}
		for _, age := range append(slices.Clone(ages), 48*time.Hour) {
			from := last.Add(-age)
			if from.Before(day) {
				from = day
			}
			keys, err := l.between(ctx, from, end)
			if !yield(keys, err) || err != nil || !from.After(day) {
				return
			}
			end = from
		}
	}
}

// between are the keys of a day from a time on and before another one.
func (l Loose) between(ctx context.Context, from, to time.Time) (keys []Key, err error) {
	after := EventsDir + dayDir(from) + from.UTC().Format(timeLayout)
	for o, err := range l.List(ctx, EventsDir+dayDir(from), after) {
		if err != nil {
			return nil, err
		}
		k, err := ParseKey(o.Key)
		switch {
		case err != nil:
		case !k.Time.Before(to):
			return keys, nil
		default:
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// KeysFrom are those of a day from a time on.
func (l Loose) KeysFrom(ctx context.Context, from time.Time) ([]Key, error) {
	return l.between(ctx, from, from.Truncate(24*time.Hour).Add(24*time.Hour))
}

// Strange are the objects of a day that have no key of a line.
func (l Loose) Strange(ctx context.Context, day time.Time) (names []string, err error) {
	for o, err := range l.List(ctx, EventsDir+dayDir(day), "") {
		if err != nil {
			return nil, err
		}
		if _, err := ParseKey(o.Key); err != nil {
			names = append(names, o.Key)
		}
	}
	return names, nil
}

// Line is part of Source.
func (l Loose) Line(ctx context.Context, k Key) ([]byte, error) {
	body, _, err := l.Get(ctx, k.String())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k, err)
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, maxLine+1)) // of a longer one a part, which is not what its key names
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k, err)
	}
	return data, nil
}

// Both is two sources as one. A line that both have counts once, and is read from
// the first.
type Both struct{ A, B Source }

// Days is part of Source.
func (b Both) Days(ctx context.Context) ([]time.Time, error) {
	days, err := b.A.Days(ctx)
	more, err2 := b.B.Days(ctx)
	days = append(days, more...)
	slices.SortFunc(days, time.Time.Compare)
	if err == nil {
		err = err2
	}
	return slices.CompactFunc(days, time.Time.Equal), err
}

// Keys is part of Source.
func (b Both) Keys(ctx context.Context, day time.Time) ([]Key, error) {
	keys, err := b.A.Keys(ctx, day)
	more, err2 := b.B.Keys(ctx, day)
	if err == nil {
		err = err2
	}
	keys = append(keys, more...)
	slices.SortFunc(keys, Key.compare)
	return slices.Compact(keys), err
}

// Line is part of Source.
func (b Both) Line(ctx context.Context, k Key) ([]byte, error) {
	line, err := b.A.Line(ctx, k)
	if err != nil {
		return b.B.Line(ctx, k)
	}
	return line, nil
}
