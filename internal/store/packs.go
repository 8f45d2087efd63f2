package store

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// Packs is the Source of the lines in sealed packs. A pack that no seal names is
// passed over, and so is one that is not what its seal says: its lines are loose as
// well, or verifying tells of it.
//
// It checks what it reads against the seals. Of these it reads the newest first, and no
// more than it needs.
type Packs struct {
	From Reader
	By   Keys // one of which must have signed the seals; none takes any seal
	// Unsealed, where it is set, is told of seals and packs that are passed over, and
	// why. It may be called at once.
	Unsealed func(key string, err error)
	// Cache keeps indexes, and frames that were searched, where it is set.
	Cache *Cache

	mu     sync.Mutex                              // guards what follows
	listed map[time.Time][]string                  // keys of packs, by day; nil before they are listed
	unread []int64                                 // numbers of seals that were not read yet
	seals  map[string]*Seal                        // by the key of the pack
	opened []packedDay                             // the last ones, the newest use last
	soon   map[time.Time]func() ([]*packed, error) // days that Soon opens
}

// packedDay are the packs of a day.
type packedDay struct {
	day   time.Time
	packs []*packed
}

// keptDays is how many days are kept open: an operation can go on over midnight.
const keptDays = 2

// Days is part of Source.
func (p *Packs) Days(ctx context.Context) (days []time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.list(ctx); err != nil {
		return nil, err
	}
	for day := range p.listed {
		days = append(days, day)
	}
	slices.SortFunc(days, time.Time.Compare)
	return days, nil
}

// Keys is part of Source.
func (p *Packs) Keys(ctx context.Context, from, to time.Time) (keys []Key, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	packs, err := p.open(ctx, from.Truncate(oneDay))
	for _, pack := range packs {
		first, end := pack.between(from, to)
		keys = slices.Grow(keys, end-first)
		for line := first; line < end; line++ {
			keys = pack.parse(keys, line)
		}
	}
	sortKeys(keys)
	return keys, err
}

// with is searched.KeysWith for the lines in packs, and adds the lines of the operations
// that the other keys belong to. It leaves out an operation if none of its lines in the
// span can have one of each of the words, unless it began before the span: then a line
// further back may have them, and whoever reads that must know that it is not the last.
func (p *Packs) with(ctx context.Context, from, to time.Time, words [][]string, others []Key) (keys []Key, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	packs, err := p.open(ctx, from.Truncate(oneDay))
	ids := map[string]bool{}
	for _, k := range others {
		ids[string(appendEscaped(nil, k.ID, ""))] = true
	}
	for _, pack := range packs {
		first, end := pack.between(from, to)
		pack.ids(ids, first, end, words)
	}
	began := leastID(from.Add(beginning))
	for _, pack := range packs {
		first, end := pack.between(from, to)
		keys = pack.of(keys, ids, first, end, began)
	}
	sortKeys(keys)
	return keys, err
}

// beginning is how much later than the time of its first event the id of an operation
// may say that it began: a clock was set back.
const beginning = time.Minute

// leastID is the least id of an operation that began at a time; "" where none can
// have: anybody who can create objects can make a day of the year 1.
func leastID(t time.Time) string {
	var id ulid.ULID
	if id.SetTime(ulid.Timestamp(t)) != nil {
		return ""
	}
	return id.String()
}

// Lines is part of Source. It reads the frames that hold the lines, and reads ahead when
// it is asked for one frame after the other.
func (p *Packs) Lines(ctx context.Context, keys []Key) ([][]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := make([][]byte, len(keys))
	type places struct{ keys, lines []int } // which of keys, and where they are in the pack
	wanted := map[*packed]places{}
	for i, k := range keys {
		packs, err := p.open(ctx, k.Time.Truncate(oneDay))
		if err != nil {
			return nil, err
		}
		for _, pack := range packs {
			if n := pack.find(k); n >= 0 {
				of := wanted[pack]
				wanted[pack] = places{append(of.keys, i), append(of.lines, n)}
				break
			}
		}
	}
	for pack, of := range wanted {
		found, err := pack.lines(ctx, p.From, of.lines)
		if err != nil {
			return nil, err
		}
		for i, n := range of.keys {
			lines[n] = found[i]
		}
	}
	return lines, nil
}

// May reports whether a line can have one of each of the words, by the index of its
// pack. Of a line that is not in one it may.
func (p *Packs) May(k Key, words [][]string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, day := range p.opened {
		if !day.day.Equal(k.Time.Truncate(oneDay)) {
			continue
		}
		for _, pack := range day.packs {
			if n := pack.find(k); n >= 0 {
				return pack.may(n, words)
			}
		}
	}
	return true
}
