package watch

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// learn takes over a list that was asked for at that time.
func (w *Watch) learn(list []inventory.Volume, asked time.Time) {
	w.known, w.listed = map[string]inventory.Volume{}, time.Time{}
	for _, v := range list {
		w.known[v.Name] = v
	}
	w.seen, w.dirty = asked, true
}

// catchUp finds what was destroyed while nobody watched. It is called when the engine
// already reports events.
//
// A crash between the record of the gap and the next save makes the gap recorded
// once more, longer.
func (w *Watch) catchUp(ctx context.Context) error {
	engine, err := w.Engine.Describe(ctx)
	if err != nil {
		return err
	}
	asked := w.Now()
	list, whole, err := w.Engine.Volumes(ctx)
	if err != nil {
		return err
	}
	switch {
	case w.followed && engine.ID != w.engine.ID:
		w.Note("another engine answers now: the list of volumes is begun anew")
		w.known = nil
	case w.followed:
		if err := w.Ledger.Gap(context.WithoutCancel(ctx), engine, w.seen, w.Now()); err != nil {
			return err
		}
	}
	w.engine, w.followed = engine, true
	lost, hidden := w.lostFrom(list, whole, w.Now())
	w.hold(lost)
	w.missed = map[string]int{}
	for _, l := range lost {
		w.missed[l.Volume.Name]++
	}
	w.learn(append(list, hidden...), asked)
	return nil
}

// lostFrom compares what is known with a list. hidden are the volumes that are
// not in it and may exist nevertheless.
func (w *Watch) lostFrom(list []inventory.Volume, whole bool, now time.Time) (lost []Loss, hidden []inventory.Volume) {
	is := map[string]inventory.Volume{}
	for _, v := range list {
		is[v.Name] = v
	}
	for name, was := range w.known {
		switch v, there := is[name]; {
		case !there && !whole && was.Driver != "local":
			hidden = append(hidden, was)
		case !there || w.remade(was, v):
			lost = append(lost, Loss{Volume: was, At: now, Since: w.seen, Listed: w.listed})
		}
	}
	slices.SortFunc(lost, func(a, b Loss) int { return strings.Compare(a.Volume.Name, b.Volume.Name) })
	return lost, hidden
}

func (w *Watch) remade(was, is inventory.Volume) bool {
	if !was.Born.IsZero() && !is.Born.IsZero() {
		return !was.Born.Equal(is.Born)
	}
	return w.engine.StableCreated && !was.Created.IsZero() && is.Created.After(was.Created)
}

// take takes in events. created says that there are volumes of which only the
// name is known.
func (w *Watch) take(events []Event) (created bool) {
	var lost []Loss
	for _, e := range events {
		v, known := w.known[e.Volume]
		switch successor := known && w.younger(v, e.At); {
		case !e.Destroyed && known: // the engine reports every request, even if there is nothing to create
		case !e.Destroyed:
			created = true
			w.known[e.Volume] = inventory.Volume{Name: e.Volume}
			delete(w.missed, e.Volume)
		case known && !successor:
			delete(w.known, e.Volume)
			lost = append(lost, Loss{Volume: v, At: e.At})
		case w.missed[e.Volume] > 0: // the comparison of lists has found it
			w.missed[e.Volume]--
		default: // it came and went between two lists
			lost = append(lost, Loss{Volume: inventory.Volume{Name: e.Volume}, At: e.At})
		}
	}
	w.hold(lost)
	w.dirty = w.dirty || len(events) > 0
	return created
}

// younger reports whether a volume was certainly created after an event: then the
// event is about another one of its name.
func (w *Watch) younger(v inventory.Volume, than time.Time) bool {
	if !v.Born.IsZero() {
		return v.Born.After(than)
	}
	return w.engine.StableCreated && v.Created.After(than)
}

// hold keeps losses, and has them looked at at once.
func (w *Watch) hold(lost []Loss) {
	for i := range lost {
		lost[i].Engine = w.engine
	}
	if len(lost) > 0 {
		w.held, w.next, w.pause, w.dirty = append(w.held, lost...), time.Time{}, 0, true
	}
}

// describe finds out about volumes of which only the name is known.
func (w *Watch) describe(ctx context.Context) error {
	list, _, err := w.Engine.Volumes(ctx)
	if err != nil {
		return err
	}
	for _, v := range list {
		if old, known := w.known[v.Name]; known && old.Created.IsZero() {
			w.known[v.Name] = v
			w.dirty = true
		}
	}
	return nil
}
