package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// SealReport is what VerifySeals found.
type SealReport struct {
	Seals    int64 // the number of the newest one
	Lines    int64 // that it is over
	Origin   string
	Signed   bool // the signatures were checked: there was a key
	Findings []audit.Finding
}

// Intact reports whether there is no problem.
func (r SealReport) Intact() bool {
	for _, f := range r.Findings {
		if f.Problem {
			return false
		}
	}
	return true
}

// VerifySeals reads all seals, all packs, and all objects of events that are in packs
// as well, and compares them: a seal with the one before and with the newest that was
// seen here, a pack and its index with the seal, the tree over all lines with each
// checkpoint, and objects with the lines in packs. Archive.Verify checks what is in no
// pack, and whether lines follow one another in their logs.
//
// One pack is in memory at a time.
func VerifySeals(ctx context.Context, from Reader, keys Keys, memory Memory) (r SealReport, err error) {
	r.Signed = len(keys) > 0
	seals, findings, err := readSeals(ctx, from, keys)
	if err != nil {
		return r, err
	}
	remembered, err := memory.check(from, seals)
	if err != nil {
		return r, err
	}
	r.Findings = append(findings, remembered...)
	v := sealCheck{from: from, report: &r, days: map[time.Time][]*Seal{}, lines: map[time.Time]int{}}
	var last *Seal
	for _, s := range seals {
		if err := v.seal(ctx, last, s); err != nil {
			return r, err
		}
		last = s
	}
	if last != nil {
		r.Seals, r.Lines, r.Origin = last.Seal, last.Size, last.Origin
	}
	if err := v.others(ctx, seals); err != nil {
		return r, err
	}
	if err := v.objects(ctx); err != nil {
		return r, err
	}
	if r.Intact() {
		return r, memory.note(from, last)
	}
	return r, nil
}

type sealCheck struct {
	from   Reader
	report *SealReport
	days   map[time.Time][]*Seal // of the packs of each day that are as they were sealed
	lines  map[time.Time]int     // how many they have
}

func (v *sealCheck) found(class audit.Class, key, text string) {
	v.report.Findings = append(v.report.Findings, problem(class, key, text))
}

// seal checks the pack and the index of a seal, and that the tree of the one before,
// with the lines of the pack, is the tree of the seal.
func (v *sealCheck) seal(ctx context.Context, last, s *Seal) error {
	data, lines, err := readPack(ctx, v.from, s)
	var broken *BrokenError
	switch {
	case errors.Is(err, ErrNotThere):
		v.found(PackRemoved, s.Pack, fmt.Sprintf("%s is over %d lines of it", sealKey(s.Seal), s.Lines))
		return nil
	case errors.As(err, &broken):
		v.report.Findings = append(v.report.Findings, broken.Finding)
		return nil
	case err != nil:
		return err
	}
	day := s.day()
	v.days[day] = append(v.days[day], s)
	v.lines[day] += len(lines)
	if err := v.index(ctx, s, data, lines); err != nil {
		return err
	}
	if before := s.Seal - 1; before > 0 && (last == nil || last.Seal != before) {
		return nil // the one before is missing, which readSeals has reported
	}
	if n, _, err := last.next(s.Origin, s.Pack, data, nil, lines); err != nil || n.Root != s.Root || n.Size != s.Size {
		v.found(PackRewritten, s.Pack, "its lines are not those of the seal")
	}
	return nil
}

func (v *sealCheck) index(ctx context.Context, s *Seal, pack []byte, lines []sealed) error {
	key := indexKey(s.Pack)
	data, err := readAll(ctx, v.from, key, packLimit)
	switch {
	case errors.Is(err, ErrNotThere):
		v.found(IndexRemoved, key, "searches take longer without it")
	case err != nil:
		return err
	case audit.Sum(data) != s.Index:
		v.found(IndexChanged, key, "searches take longer without the one that was sealed")
	default:
		if text := fits(data, s, pack, lines); text != "" {
			v.found(IndexChanged, key, text)
		}
	}
	return nil
}

// fits says how an index that was sealed contradicts its pack, or "".
func fits(index []byte, s *Seal, pack []byte, lines []sealed) string {
	x, err := parseIndex(index)
	if err != nil {
		return err.Error()
	}
	names, err := x.names()
	switch {
	case err != nil:
		return err.Error()
	case x.Pack != s.PackSum:
		return "it is of another pack"
	case !slices.EqualFunc(names, lines, func(name string, l sealed) bool { return EventsDir+dayDir(s.day())+name == l.Key.String() }):
		return "it does not name the lines of its pack"
	case !x.frames(pack):
		return "it does not have the frames of its pack"
	}
	return ""
}

// objects compares the objects of days that have packs with the lines in them.
func (v *sealCheck) objects(ctx context.Context) error {
	late, expired := 0, 0
	dirs, err := v.from.Dirs(ctx, EventsDir)
	if err != nil {
		return err
	}
	for _, day := range slices.SortedFunc(maps.Keys(v.days), time.Time.Compare) {
		if !slices.Contains(dirs, EventsDir+dayDir(day)) {
			expired += v.lines[day]
			continue
		}
		in, err := keysIn(ctx, v.from, slices.Values(v.days[day]))
		if err != nil {
			return err
		}
		var keys []Key
		for o, err := range v.from.List(ctx, EventsDir+dayDir(day), "") {
			if err != nil {
				return err
			}
			key, err := parseKey(o.Key)
			switch {
			case err != nil: // not one of an event
			case in[o.Key]:
				keys = append(keys, key)
				delete(in, o.Key)
			default:
				late++
			}
		}
		expired += len(in)
		if err := v.bodies(ctx, keys); err != nil {
			return err
		}
	}
	v.note(late, NotSealed, "events came after their days were sealed: the next ccdestroy store seal seals them")
	v.note(expired, Expired, "events of sealed days are in packs alone")
	return nil
}

func (v *sealCheck) note(n int, class audit.Class, text string) {
	if n > 0 {
		v.report.Findings = append(v.report.Findings, audit.Finding{Class: class, File: EventsDir, Text: fmt.Sprintf("%d %s", n, text)})
	}
}

// bodies compares objects with their keys, some at a time.
func (v *sealCheck) bodies(ctx context.Context, keys []Key) error {
	for some := range slices.Chunk(keys, bodiesAtOnce) {
		_, wrong, err := fetch(ctx, v.from, some)
		if err != nil {
			return err
		}
		v.report.Findings = append(v.report.Findings, wrong...)
	}
	return nil
}

// bodiesAtOnce is how many lines are in memory together.
const bodiesAtOnce = 1024
