package trash

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// atOnce is how many volumes are moved side by side: each waits for the disk, and
// waits that overlap are one.
const atOnce = 8

// setAllAside sets all of the entries aside, or none: after an error those that were are
// taken back. If that fails as well, whoever settles the operation does it.
func (p Place) setAllAside(ctx context.Context, entries []Entry) error {
	err := p.begin(entries)
	if err == nil {
		err = p.sideBySide(ctx, entries)
	}
	if err == nil {
		return nil
	}
	for _, e := range slices.Backward(entries) {
		err = errors.Join(err, p.takeBack(e))
	}
	return err
}

// begin makes the directories that entries share durable. If two were written
// side by side, one would find them there, and not know that they are not durable.
func (p Place) begin(entries []Entry) error {
	for _, e := range entries {
		if err := valid(e.Operation, e.Volume); err != nil {
			return err
		}
	}
	var last string
	for _, e := range entries {
		if e.Operation == last {
			continue
		}
		last = e.Operation
		if err := durable.MkdirAll(filepath.Join(p.Root, trashDir, e.Operation), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// sideBySide sets entries aside until one fails. Those that were under way then may be
// set aside all the same.
func (p Place) sideBySide(ctx context.Context, entries []Entry) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(atOnce)
	if p.TestOnlyAt != nil { // one step after the other
		work.SetLimit(1)
	}
	for _, e := range entries {
		work.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return p.setAside(e)
		})
	}
	return work.Wait()
}

// takeBack undoes setAside, however far it got.
func (p Place) takeBack(e Entry) error {
	item := Item{Operation: e.Operation, Volume: e.Volume}
	if valid(e.Operation, e.Volume) != nil {
		return nil
	}
	f, err := p.look(item)
	switch {
	case err != nil:
		return err
	case f.Where == InTrash:
		if _, err := p.putBack(item); err != nil {
			return err
		}
	case f.Where == InBoth:
		return fmt.Errorf("volume %q holds other data now", e.Volume)
	}
	return p.drop(item)
}
