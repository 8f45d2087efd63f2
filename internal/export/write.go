package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// one restores one volume. gone says that one of that name was removed for it.
// A volume that was made here and could not be filled is removed again.
func (r *Restore) one(ctx context.Context, t *target, progress Progress) (gone bool, err error) {
	read, end := progress.Volume(t.volume.Name, t.from.Archive.TarSize)
	r.Export.Read = read
	defer func() { end(err) }()
	if err := r.stillSo(ctx, *t); err != nil {
		return false, err
	}
	if t.replace {
		if err := r.Engine.RemoveVolume(ctx, t.volume.Name); err != nil {
			return r.removed(t), err
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
	if t.made { // its data may be elsewhere, and be there already; or somebody else was faster
		empty, err := r.empty(ctx, t.volume)
		if err == nil && !empty {
			t.made, err = false, errors.New("it has content already, where its options lead or since another made it")
		}
		if err != nil {
			return gone, err
		}
	}
	differences, err := r.fill(ctx, *t)
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

// removed reports whether a volume that the engine did not remove, as it says, is
// gone all the same.
func (r *Restore) removed(t *target) bool {
	snap, err := r.Engine.Snapshot(context.Background(), inventory.Scope{})
	if err != nil {
		r.untold = fmt.Errorf("cannot tell whether volume %q was removed: %w", t.volume.Name, err)
		return false
	}
	is, there := snap.Volume(t.was.Name)
	return !there || r.another(t.was, is)
}

// another reports whether a volume is surely not the one that it was.
func (r *Restore) another(was, is inventory.Volume) bool {
	before := inventory.Inventory{Engine: r.engine, Resources: []inventory.Resource{asked(was.Resource())}}
	now := inventory.Inventory{Engine: r.engine, Resources: []inventory.Resource{asked(is.Resource())}}
	return len(inventory.Changes(before, now)) > 0
}

// stillSo looks once more right before a volume is changed: what is there must be
// what was looked at, and what was empty must be. The engine itself refuses to
// remove one that has come into use.
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
		empty, err := r.empty(ctx, is)
		if err == nil && !empty {
			err = errors.New("it has content now")
		}
		return err
	}
	return nil
}

// unmake removes a volume that was made here, unless another one has its name by
// now.
func (r *Restore) unmake(t *target) error {
	snap, err := r.Engine.Snapshot(context.Background(), inventory.Scope{})
	if err != nil {
		return err
	}
	if is, there := snap.Volume(t.volume.Name); !there || r.another(t.volume, is) {
		return nil
	}
	return r.Engine.RemoveVolume(context.Background(), t.volume.Name)
}

// fill writes the content and compares it with the archive.
func (r *Restore) fill(ctx context.Context, t target) ([]string, error) {
	var err error
	if t.volume.Here && direct(r.platform) {
		err = r.Export.ToDir(ctx, t.from, t.volume.Mountpoint)
	} else {
		err = r.helped(ctx, t.volume.Name, false, func(h Helper) error { return r.send(ctx, h, t.from) })
	}
	if err != nil {
		return nil, err
	}
	return r.differences(ctx, t.from, t.volume)
}

// differences tells how a volume differs from what the archive holds.
func (r *Restore) differences(ctx context.Context, from archive.Volume, is inventory.Volume) (out []string, err error) {
	r.Export.Read = nil
	if is.Here && direct(r.platform) {
		return r.Export.CompareDir(ctx, from, is.Mountpoint)
	}
	err = r.helped(ctx, is.Name, true, func(h Helper) error {
		got, err := h.Read(ctx, 0)
		if err != nil {
			return err
		}
		defer got.Close()
		out, err = r.Export.CompareStream(from, got, h.Dir(0))
		return err
	})
	return out, err
}

// send unpacks an archive through the helper.
func (r *Restore) send(ctx context.Context, h Helper, v archive.Volume) error {
	in, out := io.Pipe()
	sent := make(chan error, 1)
	go func() {
		err := r.Export.ToStream(v, out, h.Dir(0))
		out.CloseWithError(err)
		sent <- err
	}()
	err := h.Write(ctx, in)
	in.Close() // whatever the other side still has to say, nobody listens
	if mine := <-sent; mine != nil && !errors.Is(mine, io.ErrClosedPipe) {
		return mine
	}
	return err
}

// helped does something with a helper that has one volume.
func (r *Restore) helped(ctx context.Context, volume string, readOnly bool, do func(Helper) error) error {
	h, err := r.Engine.Helper(ctx, helperName(r.lock), r.lock, []string{volume}, readOnly)
	if err != nil {
		return err
	}
	return errors.Join(do(h), h.Remove(context.WithoutCancel(ctx)))
}

// empty reports whether a volume holds nothing.
func (r *Restore) empty(ctx context.Context, v inventory.Volume) (empty bool, err error) {
	if v.Here && direct(r.platform) {
		list, err := os.ReadDir(v.Mountpoint)
		return len(list) == 0, err
	}
	err = r.helped(ctx, v.Name, true, func(h Helper) error {
		in, err := h.Read(ctx, 0)
		if err != nil {
			return err
		}
		defer in.Close()
		empty, err = archive.Empty(in, h.Dir(0))
		return err
	})
	return empty, err
}
