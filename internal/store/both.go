package store

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Both is the Source of all lines of a store, in packs and loose. One that is both counts
// once, and is read from its pack.
type Both struct {
	Packs *Packs
	Loose Loose

	mu     sync.Mutex         // guards packed
	packed map[time.Time]bool // days that are over, and that Days found in packs alone
}

// NewSource is the Source of all lines of a store. Of its seals those count that one
// of the keys has signed; without keys all do. unsealed is told of what does not, as
// Packs.Unsealed is.
func NewSource(from Reader, keys Keys, unsealed func(key string, err error)) *Both {
	return &Both{Packs: &Packs{From: from, By: keys, Unsealed: unsealed}, Loose: Loose{from}}
}

// Days is part of Source.
func (b *Both) Days(ctx context.Context) ([]time.Time, error) {
	days, err := b.Loose.Days(ctx)
	if err != nil {
		return nil, err
	}
	more, err := b.Packs.Days(ctx)
	if err != nil {
		return nil, err
	}
	packed := map[time.Time]bool{}
	for _, day := range more {
		if _, loose := slices.BinarySearchFunc(days, day, time.Time.Compare); !loose && day.Add(oneDay).Before(time.Now()) {
			packed[day] = true
		}
	}
	b.mu.Lock()
	b.packed = packed
	b.mu.Unlock()
	days = append(days, more...)
	slices.SortFunc(days, time.Time.Compare)
	return slices.CompactFunc(days, time.Time.Equal), nil
}

// onlyPacked reports whether Days found the day in packs alone: it is not asked for
// loose lines. A day that is not over can have some by now, whoever has packed it.
func (b *Both) onlyPacked(day time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.packed[day]
}

// Keys is part of Source.
func (b *Both) Keys(ctx context.Context, from, to time.Time) ([]Key, error) {
	loose, err := b.loose(ctx, from, to)
	if err != nil {
		return nil, err
	}
	keys, err := b.Packs.Keys(ctx, from, to)
	return merged(keys, loose), err
}

// KeysWith is part of searched. Nothing is known of loose lines: it has all of them,
// with the other lines of their operations.
func (b *Both) KeysWith(ctx context.Context, from, to time.Time, words [][]string) ([]Key, error) {
	loose, err := b.loose(ctx, from, to)
	if err != nil {
		return nil, err
	}
	keys, err := b.Packs.with(ctx, from, to, words, loose)
	return merged(keys, loose), err
}

func (b *Both) loose(ctx context.Context, from, to time.Time) ([]Key, error) {
	if b.onlyPacked(from.Truncate(oneDay)) {
		return nil, nil
	}
	return b.Loose.Keys(ctx, from, to)
}

func merged(keys, more []Key) []Key {
	switch {
	case len(keys) == 0:
		return more
	case len(more) == 0:
		return keys
	}
	keys = append(keys, more...)
	sortKeys(keys)
	return slices.Compact(keys)
}

// Lines is part of Source.
func (b *Both) Lines(ctx context.Context, keys []Key) ([][]byte, error) {
	lines, err := b.Packs.Lines(ctx, keys)
	if err != nil {
		return nil, err
	}
	var rest []Key
	var at []int
	for i, line := range lines {
		if line == nil {
			rest, at = append(rest, keys[i]), append(at, i)
		}
	}
	loose, err := b.Loose.Lines(ctx, rest)
	for i, line := range loose {
		lines[at[i]] = line
	}
	return lines, err
}

// Soon is that of Packs.
func (b *Both) Soon(ctx context.Context, day time.Time) { b.Packs.Soon(ctx, day) }

// May is part of searched: that of Packs.
func (b *Both) May(k Key, words [][]string) bool { return b.Packs.May(k, words) }

// Strange is that of Loose.
func (b *Both) Strange(ctx context.Context, day time.Time) ([]string, error) {
	if b.onlyPacked(day) {
		return nil, nil
	}
	return b.Loose.Strange(ctx, day)
}
