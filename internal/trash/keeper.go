package trash

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Opened is the trash of an engine, and how to access it.
type Opened struct {
	Shelf
	Root string // the engine's data directory, as the engine names it
}

// Open finds a way to access the trash of an engine. lock is the path of the lock of
// the operation that needs it; volumes are examples of what it is needed for. An error
// says why there is none.
type Open func(ctx context.Context, lock string, volumes []inventory.Volume) (Opened, error)

// Keeper sets the volumes of one operation aside. Its methods are called one
// after the other.
type Keeper struct {
	Open Open
	For  time.Duration // how long; 0 keeps nothing
	Now  func() time.Time

	opened   Opened
	surveyed []string // names of the volumes that survey is about
	survey   Response
}

// Plan finds out which of the volumes can be kept. Sizes that are not known count
// as nothing. It is nil if nothing is to be kept.
func (k *Keeper) Plan(ctx context.Context, lock string, volumes []inventory.Volume, bytes func(name string) int64) *inventory.Keep {
	if k == nil || k.For <= 0 || len(volumes) == 0 {
		return nil
	}
	keep := &inventory.Keep{For: k.For}
	if err := k.look(ctx, lock, volumes); err != nil {
		keep.Why = err.Error()
		return keep
	}
	sum := int64(0)
	for _, v := range volumes {
		why := Refusal(v, k.opened.Root)
		for _, f := range k.survey.Found {
			if why == "" && f.Volume == v.Name {
				why = f.Error
			}
		}
		if why != "" {
			keep.Not = append(keep.Not, inventory.Unkept{Name: v.Name, Why: why})
			continue
		}
		keep.Volumes = append(keep.Volumes, v.Name)
		sum += bytes(v.Name)
	}
	if why := Fits(k.survey.Held, sum, k.survey.Space, k.Now()); why != "" && len(keep.Volumes) > 0 {
		keep.Why, keep.Volumes = why, nil
	}
	return keep
}

// look surveys the trash once for the same volumes: through a helper it costs a
// third of a second.
func (k *Keeper) look(ctx context.Context, lock string, volumes []inventory.Volume) (err error) {
	var names []string
	for _, v := range volumes {
		names = append(names, v.Name)
	}
	if k.opened.Shelf != nil && slices.Equal(names, k.surveyed) {
		return nil
	}
	if k.opened, err = k.Open(ctx, lock, volumes); err != nil {
		return err
	}
	r := Request{Action: DoSurvey}
	for _, v := range volumes {
		if Refusal(v, k.opened.Root) == "" {
			r.Items = append(r.Items, Item{Volume: v.Name})
		}
	}
	if k.survey, err = k.opened.Do(ctx, r); err != nil {
		k.opened = Opened{}
		return err
	}
	k.surveyed = names
	return nil
}

// Excess reports whether entries of the trash have to go, as far as was seen, when
// more bytes were set aside.
func (k *Keeper) Excess(more int64) bool {
	if k == nil || k.opened.Shelf == nil {
		return false
	}
	excess, _ := over(k.survey.Held, more, k.survey.Space, k.Now())
	return len(excess) > 0
}

// SetAside sets all of the entries aside, or none. If even taking them back
// failed, the error is ErrUnsettled.
func (k *Keeper) SetAside(ctx context.Context, operation string, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	_, err := k.opened.Do(ctx, Request{Action: DoSetAside, Entries: entries})
	if err == nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Volume)
	}
	if s, back := PutBack(ctx, k.opened, operation, names); back != nil || len(s.Kept) > 0 {
		return fmt.Errorf("%w: %w", ErrUnsettled, errors.Join(err, back))
	}
	return err
}

// ErrUnsettled says that volumes were set aside and could not be put back.
var ErrUnsettled = errors.New("not all volumes could be put back")

// PutBack puts back those of the volumes that still exist.
func (k *Keeper) PutBack(ctx context.Context, operation string, names []string) (Settled, error) {
	return PutBack(ctx, k.opened, operation, names)
}

// Settled is what happened to volumes that were set aside.
type Settled struct {
	Same     []string // they are there, with their data
	Replaced []string // others of these names are there
	Kept     []string // the data is in the trash
}

// PutBack puts back the volumes of an operation that the engine still has, and
// reports on all of them. An error says that this is not known for all, or that one
// stays where it is. It may be called again.
func PutBack(ctx context.Context, shelf Shelf, operation string, names []string) (s Settled, err error) {
	if len(names) == 0 {
		return s, nil
	}
	r := Request{Action: DoPutBack}
	for _, name := range names {
		r.Items = append(r.Items, Item{Operation: operation, Volume: name})
	}
	out, err := shelf.Do(ctx, r)
	if err != nil {
		return s, err
	}
	var errs []error
	for _, f := range out.Found {
		switch {
		case f.Where == InBoth:
			s.Kept, s.Replaced = append(s.Kept, f.Volume), append(s.Replaced, f.Volume)
		case f.Where == InTrash && !f.Made:
			s.Kept = append(s.Kept, f.Volume)
		case f.Same:
			s.Same = append(s.Same, f.Volume)
		case f.Where == InTrash, f.Error != "":
			errs = append(errs, fmt.Errorf("put volume %q back: %s", f.Volume, f.Error))
		}
	}
	return s, errors.Join(errs...)
}
