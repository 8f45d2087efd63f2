package store

import (
	"context"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Heads are the newest lines of all logs, from the keys alone, sorted by log.
func (a Archive) Heads(ctx context.Context) (heads []audit.Head, err error) {
	days, err := a.Source.Days(ctx)
	if err != nil {
		return nil, err
	}
	last := map[string]audit.Head{}
	for _, day := range days {
		keys, err := dayKeys(ctx, a.Source, day)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			if k.Seq > last[k.Log].Seq {
				last[k.Log] = audit.Head{Log: k.Log, Seq: k.Seq, SHA256: k.Sum}
			}
		}
	}
	for _, h := range last {
		heads = append(heads, h)
	}
	slices.SortFunc(heads, func(a, b audit.Head) int { return strings.Compare(a.Log, b.Log) })
	return heads, nil
}
