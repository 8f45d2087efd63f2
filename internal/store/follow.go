package store

import (
	"context"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Follow calls visit with events as they come, oldest first, until ctx ends: those
// whose times are not older than behind when they come. The first look only notes
// what is there.
func (a Archive) Follow(ctx context.Context, now func() time.Time, poll func() error, visit func(e audit.Event, line []byte) error) error {
	seen := map[Key]bool{}
	for first := true; ; first = false {
		from := now().UTC().Add(-behind)
		var keys []Key
		for day := from; !day.After(now().UTC().Add(behind)); day = day.Truncate(oneDay).Add(oneDay) {
			some, err := a.Source.Keys(ctx, day, day.Truncate(oneDay).Add(oneDay))
			if err != nil {
				return err
			}
			keys = append(keys, some...)
		}
		fresh := slices.DeleteFunc(keys, func(k Key) bool { return seen[k] })
		for some := range slices.Chunk(fresh, chunk) {
			for _, k := range some {
				seen[k] = true
			}
			if first {
				continue
			}
			if err := a.show(ctx, some, visit); err != nil {
				return err
			}
		}
		for k := range seen {
			if k.Time.Before(from) {
				delete(seen, k)
			}
		}
		if err := poll(); err != nil {
			return err
		}
	}
}

// behind is how late an event may come to a store and still be shown by Follow.
const behind = 15 * time.Minute

func (a Archive) show(ctx context.Context, keys []Key, visit func(e audit.Event, line []byte) error) error {
	lines, err := a.Source.Lines(ctx, keys)
	if err != nil {
		return err
	}
	for i, line := range lines {
		e, err := keys[i].event(line)
		if err != nil {
			continue // verify tells of it
		}
		if err := visit(e, line); err != nil {
			return err
		}
	}
	return nil
}
