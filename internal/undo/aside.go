package undo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/trash"
)

// PlanKeep finds out what of an operation's inventory is to be set aside, and notes it
// for the pending event. before is what the inventory was made of.
func PlanKeep(ctx context.Context, k *trash.Keeper, o *record.Operation, before inventory.Snapshot) {
	inv := &o.Details.Inventory
	var going []inventory.Volume
	sizes := map[string]int64{}
	for _, res := range inv.Of(inventory.KindVolume, inventory.Removed) {
		v, there := before.Volume(res.Name)
		if !there || res.Host != "" { // the files behind a bind mount stay
			continue
		}
		going = append(going, v)
		if res.Size != nil {
			sizes[res.Name] = max(res.Size.Bytes, res.Size.Disk)
		}
	}
	inv.Keep = k.Plan(ctx, o.LockPath(), going, func(name string) int64 { return sizes[name] })
	o.Details.Kept = nil
	if inv.Keep == nil {
		return
	}
	until := k.Now().Add(inv.Keep.For).UTC().Truncate(time.Second).Format(time.RFC3339)
	for _, name := range inv.Keep.Volumes {
		o.Details.Kept = append(o.Details.Kept, record.Kept{Name: name, Until: until, Bytes: sizes[name]})
	}
}

// SetAside moves what the pending event names out of reach. After an error nothing
// is destroyed: the error is for the user, and end is how the operation ends.
//
// A crash in it leaves an unfinished operation, and each volume's data in one of
// two places: whoever settles it puts back what was moved.
func SetAside(ctx context.Context, k *trash.Keeper, o *record.Operation, b *record.Book, before inventory.Snapshot) (end record.Ended, told *fault.Fault) {
	var entries []trash.Entry
	for _, kept := range o.Details.Kept {
		v, _ := before.Volume(kept.Name)
		entries = append(entries, entryOf(v, kept, o, b))
	}
	ctx, cancel := toTheEnd(ctx)
	defer cancel()
	err := k.SetAside(ctx, o.ID, entries)
	if err == nil {
		return end, nil
	}
	told = &fault.Fault{
		Err: errors.New("the volumes could not be set aside, so nothing was destroyed: " + err.Error()), Try: b.Again("--keep-for", "0"),
		Code: fault.ExitRefused,
	}
	if errors.Is(err, trash.ErrUnsettled) {
		told = &fault.Fault{Err: told.Err, Try: b.Command("reconcile"), Code: fault.ExitRefused}
		return record.Ended{Outcome: audit.Pending, Affected: o.Details.Going(), Err: err}, told
	}
	o.Details.Kept = nil
	o.Abandon()
	return record.Ended{Outcome: audit.Failed, Affected: []string{}, Err: err}, told
}

// entryOf is what the trash notes of a volume.
func entryOf(v inventory.Volume, k record.Kept, o *record.Operation, b *record.Book) trash.Entry {
	until, _ := time.Parse(time.RFC3339, k.Until) // made above
	return trash.Entry{
		Operation: o.ID, Volume: v.Name, Driver: v.Driver, Labels: v.Labels, Created: v.Created.UTC().Format(time.RFC3339),
		Project: o.Details.Project, Log: b.Log.Path, User: b.User, Bytes: k.Bytes, Kept: b.Now().UTC(), Until: until,
	}
}

// PutBack puts the survivors back, and adds what it finds to the evidence. The
// details then name what really is in the trash. Without evidence all survived.
func PutBack(k *trash.Keeper, o *record.Operation, after *inventory.After) error {
	names := keptNames(o.Details.Kept)
	if len(names) == 0 || after != nil && !slices.ContainsFunc(names, func(name string) bool { _, there := after.Snapshot.Volume(name); return there }) {
		return nil // none is there
	}
	ctx, cancel := toTheEnd(context.Background())
	defer cancel()
	s, err := k.PutBack(ctx, o.ID, names)
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

// SettleKept moves what a dead operation has set aside, and the engine still has,
// to where it belongs. The details then name what is in the trash. A crash in it
// loses nothing: it can be done again.
func SettleKept(ctx context.Context, o *record.Operation, open trash.Open) (s trash.Settled, err error) {
	if len(o.Details.Kept) == 0 {
		return s, nil
	}
	shelf, err := open(ctx, o.LockPath(), nil)
	if err != nil {
		return s, fmt.Errorf("look for what was set aside: %w", err)
	}
	if s, err = trash.PutBack(ctx, shelf, o.ID, keptNames(o.Details.Kept)); err == nil {
		o.Details.Kept = only(o.Details.Kept, s.Kept)
	}
	return s, err
}
