package store

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// others looks for what no seal names.
func (v *sealCheck) others(ctx context.Context, seals []*Seal) error {
	known := map[string]bool{}
	for _, s := range seals {
		known[s.Pack], known[indexKey(s.Pack)] = true, true
	}
	for o, err := range v.from.List(ctx, packsDir, "") {
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

// other distinguishes a pack that an interrupted seal has left, or whose seal is gone,
// from one that somebody else made: every line of the former is sealed or loose as well.
func (v *sealCheck) other(ctx context.Context, key string) error {
	if of, is := strings.CutSuffix(key, ".index.json"); is {
		if _, err := parsePackKey(of + ".jsonl.zst"); err == nil {
			return v.otherIndex(ctx, key, of+".jsonl.zst")
		}
	}
	day, err := parsePackKey(key)
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
	in, err := keysIn(ctx, v.from, slices.Values(v.days[day]))
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

// otherIndex reports an index without its pack: an interrupted seal leaves none. If the
// pack is there, the finding on the pack covers both.
func (v *sealCheck) otherIndex(ctx context.Context, key, pack string) error {
	_, err := v.from.Range(ctx, pack, 0, 1)
	if errors.Is(err, ErrNotThere) {
		v.found(ObjectAdded, key, "an index without its pack, which was removed or never there")
		return nil
	}
	return err
}
