package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Follow calls visit with events as they come, oldest first, until ctx ends: those
// whose times are not older than behind when they come. The first look only notes
// what is there.
func (a Archive) Follow(ctx context.Context, now func() time.Time, poll func() error, visit func(e audit.Event, line []byte) error) error {
	loose, can := a.Source.(interface {
		KeysFrom(context.Context, time.Time) ([]Key, error)
	})
	if !can {
		return errors.New("this store cannot be followed")
	}
	seen := map[Key]bool{}
	for first := true; ; first = false {
		from := now().UTC().Add(-behind)
		var keys []Key
		for day := from; !day.After(now().UTC().Add(behind)); day = day.Truncate(24 * time.Hour).Add(24 * time.Hour) {
			some, err := loose.KeysFrom(ctx, day)
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
	lines, err := a.lines(ctx, keys)
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
