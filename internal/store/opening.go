package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// list lists the packs and the seals, the first time that it is called.
func (p *Packs) list(ctx context.Context) error {
	if p.listed != nil {
		return nil
	}
	listed := map[time.Time][]string{}
	for o, err := range p.From.List(ctx, packsDir, "") {
		if err != nil {
			return err
		}
		if day, err := parsePackKey(o.Key); err == nil {
			listed[day] = append(listed[day], o.Key)
		}
	}
	if len(listed) > 0 {
		for o, err := range p.From.List(ctx, sealsDir, "") {
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
				p.Unsealed(sealKey(numbers[i]), errs[i])
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
		if packs, err = p.openAll(ctx, seals); err != nil {
			return nil, err
		}
	}
	p.opened = append(p.opened, packedDay{day, packs})
	if len(p.opened) > keptDays {
		p.opened = slices.Delete(p.opened, 0, 1)
	}
	return packs, nil
}

// Soon begins to open the packs of a day that is likely to be asked for soon.
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
		packs, err = p.openAll(ctx, seals)
	}()
	if p.soon == nil {
		p.soon = map[time.Time]func() ([]*packed, error){}
	}
	p.soon[day] = func() ([]*packed, error) { <-done; return packs, err }
}

// ready waits for the packs that Soon opens, and hands them over once; nil if it opens
// none of this day.
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

func (p *Packs) openAll(ctx context.Context, seals []*Seal) (packs []*packed, err error) {
	for _, s := range seals {
		pack, err := openPacked(ctx, p.From, p.Cache, s)
		switch {
		case err != nil:
			return nil, err
		case pack != nil:
			packs = append(packs, pack)
		case p.Unsealed != nil:
			p.Unsealed(s.Pack, errNotSealed)
		}
	}
	return packs, nil
}

var errNotSealed = errors.New("it is not what was sealed")

// openPacked reads the index of a pack, or the whole pack where its index is not the
// one that was sealed. Where that is not either, it returns nil.
func openPacked(ctx context.Context, from Getter, kept *Cache, s *Seal) (*packed, error) {
	x, whole, err := readIndex(ctx, from, kept, s)
	if err != nil {
		return nil, err
	}
	if whole {
		if names, err := x.names(); err == nil {
			pack := newPacked(s.Pack, s.day(), x, names)
			pack.cache = kept
			return pack, nil
		}
	}
	_, lines, err := readPack(ctx, from, s)
	switch {
	case errors.Is(err, ErrNotThere), errors.As(err, new(*BrokenError)):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return wholePacked(s.Pack, s.day(), lines), nil
}
