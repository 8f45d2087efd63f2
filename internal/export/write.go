package export

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// one restores one volume. gone says that one of that name was removed for it.
// A volume that was made here and could not be filled is removed again.
func (r *Restore) one(ctx context.Context, t *target, progress Progress) (gone bool, err error) {
	bar := progress.Volume(t.volume.Name, t.from.Archive.TarSize)
	r.Export.Read = bar.Read
	defer func() { bar.End(err) }()
	if err := r.stillSo(ctx, *t); err != nil {
		return false, err
	}
	if t.replace {
		if err := r.Engine.RemoveVolume(ctx, t.volume.Name); err != nil {
			return r.removed(t, err), err
		}
		gone = true
	}
	if !t.there || t.replace {
		made, err := r.Engine.CreateVolume(ctx, t.volume)
		if err != nil {
			return gone, err
		}
		t.volume, t.made = made, true
	}
	if t.made {
		if err := r.stillEmpty(ctx, t); err != nil {
			return gone, err
		}
	}
	differences, err := r.access.fill(ctx, r.Export, *t, bar)
	if err != nil && t.made {
		return gone, errors.Join(err, r.unmake(t))
	}
	if err != nil {
		return gone, fmt.Errorf("%w; it now holds a part", err)
	}
	for _, d := range differences {
		r.done.Differences = append(r.done.Differences, "volume "+t.volume.Name+": "+d)
	}
	r.done.Volumes = append(r.done.Volumes, t.volume.Name)
	return gone, nil
}

// removed reports whether a volume that the engine did not remove, for a reason,
// is gone nevertheless.
func (r *Restore) removed(t *target, reason error) bool {
	snap, err := r.now()
	if errors.Is(reason, inventory.ErrUnanswered) {
		err = reason
	}
	if err != nil {
		r.untold = fmt.Errorf("cannot tell whether volume %q was removed: %w", t.volume.Name, err)
		return false
	}
	is, there := snap.Volume(t.was.Name)
	return !there || r.another(t.was, is)
}

// another reports whether a volume is certainly not the one that it was.
func (r *Restore) another(was, is inventory.Volume) bool {
	before := inventory.Inventory{Engine: r.engine, Resources: []inventory.Resource{asked(was.Resource())}}
	now := inventory.Inventory{Engine: r.engine, Resources: []inventory.Resource{asked(is.Resource())}}
	return len(inventory.Changes(before, now)) > 0
}

// stillSo looks once more right before a volume is changed: it must still be
// the one that was looked at, and still empty if it was. The engine itself refuses to
// remove one that is in use by now.
func (r *Restore) stillSo(ctx context.Context, t target) error {
	snap, err := r.Engine.Snapshot(ctx, inventory.Scope{})
	if err != nil {
		return err
	}
	is, there := snap.Volume(t.volume.Name)
	users := writers(snap, t.volume.Name)
	switch {
	case there != t.there:
		return errors.New("it came or went meanwhile")
	case there && r.another(t.was, is):
		return errors.New("it is another one than before")
	case users != "":
		return errors.New("it is in use by " + users)
	case there && !t.replace:
		empty, err := r.access.empty(ctx, is)
		if err == nil && !empty {
			err = errors.New("it has content now")
		}
		return err
	}
	return nil
}

// stillEmpty refuses to write into a volume that was just made and has content
// nevertheless. With options its data is elsewhere, and was there before: the
// entry is removed again. Without, something else was faster, and the volume is its own.
func (r *Restore) stillEmpty(ctx context.Context, t *target) error {
	empty, err := r.access.empty(ctx, t.volume)
	switch {
	case err != nil:
		return errors.Join(err, r.unmake(t))
	case empty:
		return nil
	case len(t.volume.Options) > 0:
		return errors.Join(errors.New("where its options lead there is content already"), r.unmake(t))
	}
	t.made = false
	return errors.New("somebody else has made it and filled it meanwhile")
}

// unmake removes a volume that was made here, unless another one has its name by
// now.
func (r *Restore) unmake(t *target) error {
	snap, err := r.now()
	if err != nil {
		return err
	}
	is, there := snap.Volume(t.volume.Name)
	// Old engines report the last write as the creation time: our own writes change it.
	replaced, _ := inventory.Replaced(t.volume.Resource(), is.Resource(), inventory.Engine{StableCreated: r.stable})
	if !there || replaced {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastLimit)
	defer cancel()
	return r.Engine.RemoveVolume(ctx, t.volume.Name)
}

// lastLimit is how long a look may take, or a removal, that a signal does not stop.
const lastLimit = 30 * time.Second

func (r *Restore) now() (inventory.Snapshot, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lastLimit)
	defer cancel()
	return r.Engine.Snapshot(ctx, inventory.Scope{})
}
