package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Packs is the Source of the lines in sealed packs. A pack that no seal names is
// passed over, and so is one that is not what its seal says: its lines are loose as
// well, or verifying tells of it.
//
// What it reads is checked against the seals, the newest of which are read first, and
// no more of them than are asked for.
type Packs struct {
	From Reader
	By   Keys // one of which must have signed the seals; none takes any seal
	// Unsealed, where it is set, is told of seals that are passed over, and why.
	Unsealed func(key string, err error)

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

// KeysWith is part of Searched. It leaves out operations none of whose lines there can have one of each of the
// words, but not those that began before: a line of theirs that can may be further
// back, and whether these here are their last ones must be known then.
func (p *Packs) KeysWith(ctx context.Context, from, to time.Time, words [][]string) (keys []Key, err error) {
	return p.with(ctx, from, to, words, nil)
}

// with is KeysWith, and the lines of the operations of some other keys.
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

// Lines is part of Source. It reads no more than the frames that have them, or the
// next ones as well where it is asked for one after the other.
func (p *Packs) Lines(ctx context.Context, keys []Key) ([][]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := make([][]byte, len(keys))
	wanted := map[*packed][]int{} // which of keys
	for i, k := range keys {
		packs, err := p.open(ctx, k.Time.Truncate(oneDay))
		if err != nil {
			return nil, err
		}
		for _, pack := range packs {
			if pack.find(k) >= 0 {
				wanted[pack] = append(wanted[pack], i)
				break
			}
		}
	}
	for pack, of := range wanted {
		at := make([]int, len(of))
		for i, n := range of {
			at[i] = pack.find(keys[n])
		}
		found, err := pack.lines(ctx, p.From, at)
		if err != nil {
			return nil, err
		}
		for i, n := range of {
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

// list looks which packs and seals there are.
func (p *Packs) list(ctx context.Context) error {
	if p.listed != nil {
		return nil
	}
	listed := map[time.Time][]string{}
	for o, err := range p.From.List(ctx, PacksDir, "") {
		if err != nil {
			return err
		}
		if day, _, err := ParsePackKey(o.Key); err == nil {
			listed[day] = append(listed[day], o.Key)
		}
	}
	if len(listed) > 0 {
		for o, err := range p.From.List(ctx, SealsDir, "") {
			if err != nil {
				return err
			}
			if n, ok := parseSealKey(o.Key); ok {
				p.unread = append(p.unread, n)
			}
		}
	}
	p.listed, p.seals = listed, map[string]*Seal{}
	return nil
}

// seal is the one of a pack, nil where there is none.
func (p *Packs) seal(ctx context.Context, pack string) (*Seal, error) {
	for n := 4; p.seals[pack] == nil && len(p.unread) > 0; n = min(2*n, 4*parallel) {
		numbers := p.unread[max(0, len(p.unread)-n):]
		got, errs, err := getSeals(ctx, p.From, numbers, p.By)
		if err != nil {
			return nil, err
		}
		p.unread = p.unread[:len(p.unread)-len(numbers)]
		for i, s := range got {
			if errs[i] == nil && s.Seal != numbers[i] {
				errs[i] = fmt.Errorf("it is seal %d", s.Seal)
			}
			if errs[i] == nil {
				p.seals[s.Pack] = s
			} else if p.Unsealed != nil {
				p.Unsealed(SealKey(numbers[i]), errs[i])
			}
		}
	}
	return p.seals[pack], nil
}

// open are the sealed packs of a day.
func (p *Packs) open(ctx context.Context, day time.Time) ([]*packed, error) {
	if i := slices.IndexFunc(p.opened, func(d packedDay) bool { return d.day.Equal(day) }); i >= 0 {
		return p.opened[i].packs, nil
	}
	if err := p.list(ctx); err != nil {
		return nil, err
	}
	packs, err := p.ready(day)
	if packs == nil || err != nil { // not got ready, or in vain
		seals, err := p.sealsOf(ctx, day)
		if err != nil {
			return nil, err
		}
		if packs, err = openAll(ctx, p.From, day, seals); err != nil {
			return nil, err
		}
	}
	p.opened = append(p.opened, packedDay{day, packs})
	if len(p.opened) > keptDays {
		p.opened = slices.Delete(p.opened, 0, 1)
	}
	return packs, nil
}

// Soon begins to open the packs of a day, which is asked for next but some.
func (p *Packs) Soon(ctx context.Context, day time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listed == nil || p.listed[day] == nil || p.soon[day] != nil {
		return
	}
	seals, err := p.sealsOf(ctx, day)
	if err != nil {
		return // open tries it again
	}
	var packs []*packed
	done := make(chan struct{})
	go func() {
		defer close(done)
		packs, err = openAll(ctx, p.From, day, seals)
	}()
	if p.soon == nil {
		p.soon = map[time.Time]func() ([]*packed, error){}
	}
	p.soon[day] = func() ([]*packed, error) { <-done; return packs, err }
}

// ready are the packs that Soon opened, once; none where it did not.
func (p *Packs) ready(day time.Time) ([]*packed, error) {
	get := p.soon[day]
	if get == nil {
		return nil, nil
	}
	delete(p.soon, day)
	return get()
}

// sealsOf are the seals of the packs of a day.
func (p *Packs) sealsOf(ctx context.Context, day time.Time) (seals []*Seal, err error) {
	for _, key := range p.listed[day] {
		s, err := p.seal(ctx, key)
		if err != nil {
			return nil, err
		}
		if s != nil {
			seals = append(seals, s)
		}
	}
	return seals, nil
}

func openAll(ctx context.Context, from Getter, day time.Time, seals []*Seal) (packs []*packed, err error) {
	for _, s := range seals {
		pack, err := openPacked(ctx, from, day, s)
		if err != nil {
			return nil, err
		}
		if pack != nil {
			packs = append(packs, pack)
		}
	}
	return packs, nil
}

// openPacked reads the index of a pack, or the whole pack where its index is not the
// one that was sealed. Where that is not either, it returns nil.
func openPacked(ctx context.Context, from Getter, day time.Time, s *Seal) (*packed, error) {
	data, err := unchanged(ctx, from, IndexKey(s.Pack), s.Index)
	if err != nil {
		return nil, err
	}
	if x, err := ParseIndex(data); err == nil {
		if names, err := x.names(); err == nil {
			return newPacked(s.Pack, day, x, names), nil
		}
	}
	if data, err = unchanged(ctx, from, s.Pack, s.PackSum); data == nil {
		return nil, err
	}
	lines, err := decodeSealed(data, day)
	if err != nil {
		return nil, nil
	}
	return wholePacked(s.Pack, day, lines), nil
}

// unchanged is the content of an object, nil where it is not what was sealed.
func unchanged(ctx context.Context, from Getter, key, sum string) ([]byte, error) {
	data, err := readAll(ctx, from, key, packLimit)
	switch {
	case errors.Is(err, ErrNotThere):
		return nil, nil
	case err != nil:
		return nil, err
	case audit.Sum(data) != sum:
		return nil, nil
	}
	return data, nil
}
