package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// What can be the matter with the sealed part of a store. All but the last two are
// problems.
const (
	SealRemoved   audit.Class = "seal removed"
	SealChanged   audit.Class = "seal changed" // or another one put in its place
	PackRemoved   audit.Class = "pack removed"
	PackRewritten audit.Class = "pack rewritten"
	PackAdded     audit.Class = "pack added" // that no seal names
	IndexRemoved  audit.Class = "index removed"
	IndexChanged  audit.Class = "index changed"
	ObjectChanged audit.Class = "object changed"
	ObjectAdded   audit.Class = "object added"
	NotSealed     audit.Class = "not sealed yet" // good to know
	Expired       audit.Class = "expired"        // good to know: lines that are in packs alone
)

// maxSeal is how long a seal may be. Ours have less than 3 KiB.
const maxSeal = 64 << 10

// readSeals reads all seals, in their order, and tells what is wrong with them. Those
// that cannot be read are left out.
func readSeals(ctx context.Context, from Reader, keys Keys) (seals []*Seal, findings []audit.Finding, err error) {
	var numbers []int64
	for o, err := range from.List(ctx, SealsDir, "") {
		if err != nil {
			return nil, nil, err
		}
		n, ok := parseSealKey(o.Key)
		if !ok {
			findings = append(findings, problem(ObjectAdded, o.Key, "its name is not one that a seal has"))
			continue
		}
		numbers = append(numbers, n)
	}
	got, errs, err := getSeals(ctx, from, numbers, keys)
	if err != nil {
		return nil, nil, err
	}
	return judged(numbers, got, errs, findings)
}

// getSeals reads seals at once. errs say why one is not a seal by the key.
func getSeals(ctx context.Context, from Getter, numbers []int64, keys Keys) (got []*Seal, errs []error, err error) {
	got, errs = make([]*Seal, len(numbers)), make([]error, len(numbers))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(parallel)
	for i, n := range numbers {
		work.Go(func() error {
			data, err := readAll(ctx, from, SealKey(n), maxSeal)
			if err != nil {
				return err
			}
			got[i], errs[i] = openSeal(data, keys)
			return nil
		})
	}
	return got, errs, work.Wait()
}

// judged looks at seals one after the other.
func judged(numbers []int64, got []*Seal, errs []error, findings []audit.Finding) (seals []*Seal, _ []audit.Finding, err error) {
	var last *Seal // the one before, as far as it could be read
	next := int64(1)
	for i, n := range numbers {
		key := SealKey(n)
		if n > next {
			findings = append(findings, problem(SealRemoved, SealKey(next), missing(next, n-1)))
			last = nil
		}
		s := got[i]
		switch {
		case errs[i] != nil:
			findings = append(findings, problem(SealChanged, key, errs[i].Error()))
		case s.Seal != n:
			findings = append(findings, problem(SealChanged, key, fmt.Sprintf("it is seal %d", s.Seal)))
			s = nil
		default:
			if text := s.follows(last, n == 1); text != "" {
				findings = append(findings, problem(SealChanged, key, text))
			}
		}
		if s != nil {
			seals = append(seals, s)
		}
		last, next = s, n+1
	}
	return seals, findings, nil
}

func missing(from, to int64) string {
	if from == to {
		return "it is missing"
	}
	return fmt.Sprintf("it is missing, and those up to %d", to)
}

// follows says why a seal cannot be the one behind another, or "". last is nil where
// that one is not known, or first is true.
func (s *Seal) follows(last *Seal, first bool) string {
	if _, err := s.tree(); err != nil {
		return err.Error()
	}
	before := int64(0)
	switch {
	case first:
		if s.Prev != strings.Repeat("0", 64) {
			return "it is the first one, and names one before it"
		}
	case last == nil:
		return ""
	default:
		before = last.Size
		if s.Prev != last.Sum {
			return "it does not name the one before it"
		}
		if s.Origin != last.Origin {
			return fmt.Sprintf("it is of %.80q, and the one before of %.80q", s.Origin, last.Origin)
		}
	}
	if s.Size != before+s.Lines {
		return fmt.Sprintf("it is over %d lines, where %d and %d are expected", s.Size, before, s.Lines)
	}
	return ""
}

func problem(class audit.Class, key, text string) audit.Finding {
	return audit.Finding{Class: class, Problem: true, File: key, Text: text}
}

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
// checkpoint, and objects with the lines in packs. What is in no pack, and whether
// lines follow one another in their logs, Archive.Verify tells.
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
	v := sealCheck{from: from, report: &r, days: map[time.Time][]string{}, lines: map[time.Time]int{}}
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
	days   map[time.Time][]string // keys of the packs of each day that are as they were sealed
	lines  map[time.Time]int      // how many they have
}

func (v *sealCheck) found(class audit.Class, key, text string) {
	v.report.Findings = append(v.report.Findings, problem(class, key, text))
}

// seal checks the pack and the index of a seal, and that the tree of the one before,
// with the lines of the pack, is the tree of the seal.
func (v *sealCheck) seal(ctx context.Context, last, s *Seal) error {
	day, _, err := ParsePackKey(s.Pack)
	if err != nil {
		return err // openSeal has parsed it
	}
	data, err := readAll(ctx, v.from, s.Pack, packLimit)
	if errors.Is(err, ErrNotThere) {
		v.found(PackRemoved, s.Pack, fmt.Sprintf("%s is over %d lines of it", SealKey(s.Seal), s.Lines))
		return nil
	}
	if err != nil {
		return err
	}
	if audit.Sum(data) != s.PackSum {
		v.found(PackRewritten, s.Pack, "it is not the one that was sealed")
		return nil
	}
	lines, err := decodeSealed(data, day)
	if err != nil {
		v.found(PackRewritten, s.Pack, err.Error())
		return nil
	}
	v.days[day] = append(v.days[day], s.Pack)
	v.lines[day] += len(lines)
	if err := v.index(ctx, s, data, day, lines); err != nil {
		return err
	}
	if before := s.Seal - 1; before > 0 && (last == nil || last.Seal != before) {
		return nil // the one before is missing, which is told
	}
	if n, _, err := last.next(s.Origin, s.Pack, data, nil, lines); err != nil || n.Root != s.Root || n.Size != s.Size {
		v.found(PackRewritten, s.Pack, "its lines are not those of the seal")
	}
	return nil
}

// sealed are the keys of all sealed lines of a day.
func (v *sealCheck) sealed(ctx context.Context, day time.Time) (map[string]bool, error) {
	keys := map[string]bool{}
	for _, pack := range v.days[day] {
		data, err := readAll(ctx, v.from, pack, packLimit)
		if err != nil {
			return nil, err
		}
		lines, err := decodeSealed(data, day)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			keys[l.Key.String()] = true
		}
	}
	return keys, nil
}

func (v *sealCheck) index(ctx context.Context, s *Seal, pack []byte, day time.Time, lines []sealed) error {
	key := IndexKey(s.Pack)
	data, err := readAll(ctx, v.from, key, packLimit)
	switch {
	case errors.Is(err, ErrNotThere):
		v.found(IndexRemoved, key, "searches take longer without it")
	case err != nil:
		return err
	case audit.Sum(data) != s.Index:
		v.found(IndexChanged, key, "searches take longer without the one that was sealed")
	default:
		if text := fits(data, s, pack, day, lines); text != "" {
			v.found(IndexChanged, key, text)
		}
	}
	return nil
}

// fits says what an index that was sealed gets wrong of its pack, or "".
func fits(index []byte, s *Seal, pack []byte, day time.Time, lines []sealed) string {
	x, err := ParseIndex(index)
	if err != nil {
		return err.Error()
	}
	names, err := x.names()
	switch {
	case err != nil:
		return err.Error()
	case x.Pack != s.PackSum:
		return "it is of another pack"
	case !slices.EqualFunc(names, lines, func(name string, l sealed) bool { return EventsDir+dayDir(day)+name == l.Key.String() }):
		return "it does not name the lines of its pack"
	case !x.frames(pack):
		return "it does not have the frames of its pack"
	}
	return ""
}

// others looks for what no seal names.
func (v *sealCheck) others(ctx context.Context, seals []*Seal) error {
	known := map[string]bool{}
	for _, s := range seals {
		known[s.Pack], known[IndexKey(s.Pack)] = true, true
	}
	for o, err := range v.from.List(ctx, PacksDir, "") {
		if err != nil {
			return err
		}
		if known[o.Key] {
			continue
		}
		if err := v.other(ctx, o.Key); err != nil {
			return err
		}
	}
	return nil
}

// other tells a pack that a seal which was cut off has left, or that lost its seal,
// from one that somebody made.
func (v *sealCheck) other(ctx context.Context, key string) error {
	if of, is := strings.CutSuffix(key, ".index.json"); is {
		if _, _, err := ParsePackKey(of + ".jsonl.zst"); err == nil {
			return v.otherIndex(ctx, key, of+".jsonl.zst")
		}
	}
	day, _, err := ParsePackKey(key)
	if err != nil {
		v.found(ObjectAdded, key, "its name is not one that a pack has")
		return nil
	}
	data, err := readAll(ctx, v.from, key, packLimit)
	if err != nil {
		return err
	}
	lines, err := decodeSealed(data, day)
	if err != nil {
		v.found(PackAdded, key, "no seal names it: "+err.Error())
		return nil
	}
	in, err := v.sealed(ctx, day)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if in[l.Key.String()] {
			continue
		}
		loose, err := readAll(ctx, v.from, l.Key.String(), maxLine)
		if errors.Is(err, ErrNotThere) || err == nil && !bytes.Equal(loose, l.Line) {
			v.found(PackAdded, key, "no seal names it, and it has lines that nothing else has")
			return nil
		}
		if err != nil {
			return err
		}
	}
	v.report.Findings = append(v.report.Findings, audit.Finding{Class: NotSealed, File: key, Text: "a pack without a seal: the next ccdestroy store seal goes on with it"})
	return nil
}

// otherIndex tells an index that lies beside its pack, which is told of, from one that
// somebody made: a seal that was cut off leaves none without a pack.
func (v *sealCheck) otherIndex(ctx context.Context, key, pack string) error {
	_, err := v.from.Range(ctx, pack, 0, 1)
	if errors.Is(err, ErrNotThere) {
		v.found(ObjectAdded, key, "an index without its pack, which was removed or never there")
		return nil
	}
	return err
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
		in, err := v.sealed(ctx, day)
		if err != nil {
			return err
		}
		var keys []Key
		for o, err := range v.from.List(ctx, EventsDir+dayDir(day), "") {
			if err != nil {
				return err
			}
			key, err := ParseKey(o.Key)
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

// bodies reads objects, some at a time.
func (v *sealCheck) bodies(ctx context.Context, keys []Key) error {
	for len(keys) > 0 {
		part := keys[:min(len(keys), 1024)]
		keys = keys[len(part):]
		_, wrong, err := fetch(ctx, v.from, part)
		if err != nil {
			return err
		}
		v.report.Findings = append(v.report.Findings, wrong...)
	}
	return nil
}
