package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// fake is an engine that goes away and comes back with other volumes. It fails
// the test where it is followed after ctx has ended.
type fake struct {
	t      *testing.T
	ids    []string             // of the engine, connection by connection
	lists  [][]inventory.Volume // one for each time the volumes are listed
	events [][]Event            // one slice for each time it is followed
	cancel context.CancelFunc   // called when there is nothing left
}

func (f *fake) Describe(context.Context) (inventory.Engine, error) {
	id := f.ids[0]
	f.ids = f.ids[1:]
	return inventory.Engine{ID: id, StableCreated: true}, nil
}

func (f *fake) Volumes(context.Context) ([]inventory.Volume, error) {
	if len(f.lists) == 0 {
		f.cancel()
		return nil, errors.New("nothing is left")
	}
	list := f.lists[0]
	f.lists = f.lists[1:]
	return list, nil
}

func (f *fake) Follow(ctx context.Context, ready func(), visit func(Event)) error {
	if ctx.Err() != nil {
		f.t.Error("followed after the end")
	}
	ready()
	for _, e := range f.events[0] {
		visit(e)
	}
	if f.events = f.events[1:]; len(f.events) == 0 {
		time.AfterFunc(2*collect, f.cancel)
		<-ctx.Done()
	}
	return errors.New("gone away")
}

func v(name string, born int64) inventory.Volume {
	return inventory.Volume{Name: name, Born: time.Unix(born, 0), Created: time.Unix(born, 0)}
}

func TestWatch(t *testing.T) {
	for _, c := range []struct {
		name   string
		ids    []string
		lists  [][]inventory.Volume
		events [][]Event
		want   []string
		gaps   int
	}{
		{"seen", []string{"e"}, [][]inventory.Volume{{v("a", 1)}, {v("a", 1)}}, [][]Event{{{Volume: "a", Destroyed: true}}}, []string{"a seen"}, 0},
		{"made and destroyed", []string{"e"}, [][]inventory.Volume{{}, {}, {}}, [][]Event{{{Volume: "b"}, {Volume: "b", Destroyed: true}}}, []string{"b seen"}, 0},
		{"destroyed before it was followed", []string{"e"}, [][]inventory.Volume{{v("a", 1)}, {}}, [][]Event{{{Volume: "a", Destroyed: true}}}, []string{"a missed"}, 0},
		{"in a gap", []string{"e", "e"}, [][]inventory.Volume{{v("a", 1), v("b", 1)}, {v("a", 1), v("b", 1)}, {v("b", 1)}}, [][]Event{nil, nil}, []string{"a missed"}, 1},
		{"made anew in a gap", []string{"e", "e"}, [][]inventory.Volume{{v("a", 1)}, {v("a", 1)}, {v("a", 2)}}, [][]Event{nil, nil}, []string{"a missed"}, 1},
		{"another engine", []string{"e", "f"}, [][]inventory.Volume{{v("a", 1)}, {v("a", 1)}, {}}, [][]Event{nil, nil}, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var got []string
			gaps, failing := 0, true
			w := Watch{
				Engine: &fake{t, c.ids, c.lists, c.events, cancel}, Now: time.Now, Note: func(string) {},
				Ledger: ledger{record: func(losses []Loss) error {
					if failing && losses[0].Since.IsZero() { // a full disk, at first
						failing = false
						return errors.New("no space left on device")
					}
					for _, l := range losses {
						got = append(got, fmt.Sprintf("%s %s", l.Volume.Name, map[bool]string{true: "seen", false: "missed"}[l.Since.IsZero()]))
					}
					return nil
				}, gap: func() { gaps++ }},
			}
			w.Run(ctx)
			if !slices.Equal(got, c.want) || gaps != c.gaps {
				t.Errorf("%q, %d gaps; want %q, %d", got, gaps, c.want, c.gaps)
			}
		})
	}
}

type ledger struct {
	record func([]Loss) error
	gap    func()
}

func (l ledger) Record(_ context.Context, _ inventory.Engine, losses []Loss) error {
	return l.record(losses)
}

func (l ledger) Gap(context.Context, inventory.Engine, time.Time, time.Time) error {
	l.gap()
	return nil
}
