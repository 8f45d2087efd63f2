package teardown

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/trash"
)

// planKeep finds out what of the last look is set aside, and notes it for the
// pending event.
func (r *Run) planKeep(ctx context.Context, o *record.Operation) {
	inv := &o.Details.Inventory
	var going []inventory.Volume
	sizes := map[string]int64{}
	for _, res := range inv.Of(inventory.KindVolume, inventory.Removed) {
		v, there := r.before.Volume(res.Name)
		if !there || res.Host != "" { // of a view the files stay
			continue
		}
		going = append(going, v)
		if res.Size != nil {
			sizes[res.Name] = max(res.Size.Bytes, res.Size.Disk)
		}
	}
	inv.Keep = r.Keeper.Plan(ctx, o.LockPath(), going, func(name string) int64 { return sizes[name] })
	o.Details.Kept = nil
	if inv.Keep == nil {
		return
	}
	until := r.book.Now().Add(inv.Keep.For).UTC().Truncate(time.Second).Format(time.RFC3339)
	for _, name := range inv.Keep.Volumes {
		o.Details.Kept = append(o.Details.Kept, record.Kept{Name: name, Until: until, Bytes: sizes[name]})
	}
}

// setAside moves what the pending event names out of the child's reach. After an
// error nothing is destroyed.
//
// A crash in it leaves an unfinished operation, and each volume's data in one of
// two places: whoever settles it puts back what was moved.
func (r *Run) setAside(ctx context.Context, o *record.Operation) (end record.Ended, err error) {
	var entries []trash.Entry
	for _, k := range o.Details.Kept {
		v, _ := r.before.Volume(k.Name)
		entries = append(entries, entryOf(v, k, o, r.book))
	}
	err = r.Keeper.SetAside(context.WithoutCancel(ctx), o.ID, entries)
	if err == nil {
		return end, nil
	}
	r.unstarted = &fault.Fault{
		Err: errors.New("the volumes could not be set aside, so nothing was destroyed: " + err.Error()), Try: "--keep-for 0, which destroys them as Docker Compose does",
		Code: fault.ExitRefused,
	}
	if errors.Is(err, trash.ErrUnsettled) {
		r.unstarted = &fault.Fault{Err: r.unstarted, Try: "ccdestroy reconcile, which puts them back", Code: fault.ExitRefused}
		return record.Ended{Outcome: audit.Pending, Affected: o.Details.Going(), Err: err}, err
	}
	o.Details.Kept = nil
	o.Abandon()
	return record.Ended{Outcome: audit.Failed, Affected: []string{}, Err: err}, err
}

// entryOf is what the trash notes of a volume.
func entryOf(v inventory.Volume, k record.Kept, o *record.Operation, b *record.Book) trash.Entry {
	until, _ := time.Parse(time.RFC3339, k.Until) // made above
	return trash.Entry{
		Operation: o.ID, Volume: v.Name, Driver: v.Driver, Labels: v.Labels, Created: v.Created.UTC().Format(time.RFC3339),
		Project: o.Details.Project, Log: b.Log.Path, User: b.User, Bytes: k.Bytes, Kept: b.Now().UTC(), Until: until,
	}
}

// putBack puts the survivors back, and takes what it finds into the evidence. The
// details then name what really is in the trash.
func (r *Run) putBack(o *record.Operation, after *inventory.After) error {
	names := keptNames(o.Details.Kept)
	if len(names) == 0 || after != nil && !slices.ContainsFunc(names, func(name string) bool { _, there := after.Snapshot.Volume(name); return there }) {
		return nil // none is there
	}
	s, err := r.Keeper.PutBack(context.Background(), o.ID, names)
	if err != nil {
		return err
	}
	if after != nil {
		after.Same, after.Replaced = s.Same, s.Replaced
	}
	o.Details.Kept = only(o.Details.Kept, s.Kept)
	return nil
}

func keptNames(kept []record.Kept) (names []string) {
	for _, k := range kept {
		names = append(names, k.Name)
	}
	return names
}

func only(kept []record.Kept, names []string) (out []record.Kept) {
	for _, k := range kept {
		if slices.Contains(names, k.Name) {
			out = append(out, k)
		}
	}
	return out
}
