package store

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Findings about the sealed part of a store. All but the last two are problems.
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
	NotSealed     audit.Class = "not sealed yet" // a notice
	Expired       audit.Class = "expired"        // a notice: lines that are in packs alone
)

// maxSeal is how long a seal may be. Ours have less than 3 KiB.
const maxSeal = 64 << 10

// readSeals reads all seals in order, and reports what is wrong with them. It leaves out
// those that cannot be read.
func readSeals(ctx context.Context, from Reader, keys Keys) (seals []*Seal, findings []audit.Finding, err error) {
	var numbers []int64
	for o, err := range from.List(ctx, sealsDir, "") {
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

// getSeals reads seals in parallel. errs[i] says why the i-th is not a seal, or not one
// that the keys have signed.
func getSeals(ctx context.Context, from Getter, numbers []int64, keys Keys) (got []*Seal, errs []error, err error) {
	got, errs = make([]*Seal, len(numbers)), make([]error, len(numbers))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(parallel)
	for i, n := range numbers {
		work.Go(func() error {
			data, err := readAll(ctx, from, sealKey(n), maxSeal)
			if err != nil {
				return err
			}
			got[i], errs[i] = openSeal(data, keys)
			return nil
		})
	}
	return got, errs, work.Wait()
}

// judged checks each seal against the one before it.
func judged(numbers []int64, got []*Seal, errs []error, findings []audit.Finding) (seals []*Seal, _ []audit.Finding, err error) {
	var last *Seal // the one before, as far as it could be read
	next := int64(1)
	for i, n := range numbers {
		key := sealKey(n)
		if n > next {
			findings = append(findings, problem(SealRemoved, sealKey(next), missing(next, n-1)))
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

// follows says why a seal cannot follow last, or "". last is nil if it is not known, or
// if first is true.
func (s *Seal) follows(last *Seal, first bool) string {
	if _, err := s.tree(); err != nil {
		return err.Error()
	}
	before := int64(0)
	switch {
	case first:
		if s.Prev != noSum {
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

// BrokenError says why nothing can be built on the seals of a store: one of them, or a
// pack, is not what was sealed.
type BrokenError struct{ audit.Finding }

func (e *BrokenError) Error() string { return fmt.Sprintf("%s: %s: %s", e.File, e.Class, e.Text) }
