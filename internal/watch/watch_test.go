package watch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// fake is an engine that goes away and comes back with other volumes. It fails
// the test where it is followed after ctx has ended.
type fake struct {
	t      *testing.T
	ids    []string   // of the engine, connection by connection
	lists  [][]listed // one for each time the volumes are listed
	events [][]Event  // one slice for each time it is followed
	cancel context.CancelFunc
}

// listed is a volume in a list; one called "!" says that a driver did not answer.
type listed = inventory.Volume

func (f *fake) Describe(context.Context) (inventory.Engine, error) {
	id := f.ids[0]
	f.ids = f.ids[1:]
	return inventory.Engine{ID: id, StableCreated: true}, nil
}

func (f *fake) Volumes(context.Context) (list []inventory.Volume, whole bool, err error) {
	if len(f.lists) == 0 {
		f.cancel()
		return nil, false, errors.New("nothing is left")
	}
	list, f.lists = f.lists[0], f.lists[1:]
	known := slices.DeleteFunc(slices.Clone(list), func(v listed) bool { return v.Name == "!" })
	return known, len(known) == len(list), nil
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

// v is a volume that was made at that second.
func v(name string, born int64) inventory.Volume {
	return inventory.Volume{Name: name, Driver: "local", Born: time.Unix(born, 0), Created: time.Unix(born, 0)}
}

func plugged(name string) inventory.Volume { return inventory.Volume{Name: name, Driver: "nfs"} }

func gone(name string) Event { return Event{Volume: name, Destroyed: true, At: time.Now()} }

// ledger notes what it is told to record. Losses of volumes in waits it leaves,
// and the first ones, since the disk is full.
type ledger struct {
	got   []string
	gaps  []time.Duration
	full  bool
	waits []string
}

func (l *ledger) Record(_ context.Context, losses []Loss, last bool) (left []Loss, err error) {
	if l.full && losses[0].Since.IsZero() {
		l.full = false
		return losses, errors.New("no space left on device")
	}
	for _, one := range losses {
		if slices.Contains(l.waits, one.Volume.Name) && !last {
			left = append(left, one)
			continue
		}
		how := map[bool]string{true: "seen", false: "missed"}[one.Since.IsZero()]
		if !one.Listed.IsZero() {
			how += " by an earlier one"
		}
		if one.Volume.Created.IsZero() {
			how += ", name alone"
		}
		l.got = append(l.got, fmt.Sprintf("%s %s", one.Volume.Name, how))
	}
	return left, nil
}

func (l *ledger) Gap(_ context.Context, _ inventory.Engine, from, to time.Time) error {
	l.gaps = append(l.gaps, to.Sub(from))
	return nil
}

// try runs a watch over a fake engine to its end, and returns what it said.
func try(t *testing.T, f *fake, l *ledger, path string) (said []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f.t, f.cancel = t, cancel
	w := Watch{Engine: f, Ledger: l, Memory: Memory{path}, Now: time.Now, Note: func(text string) { said = append(said, text) }}
	if err := w.Run(ctx); err != nil {
		t.Error(err)
	}
	return said
}

func TestWatch(t *testing.T) {
	type lists = [][]listed
	type events = [][]Event
	soon := v("a", 2)
	soon.Born = time.Now().Add(time.Hour)
	for _, c := range []struct {
		name   string
		ids    string
		lists  lists
		events events
		want   []string
		gaps   int
	}{
		{"seen", "e", lists{{v("a", 1)}, {v("a", 1)}}, events{{gone("a")}}, []string{"a seen"}, 0},
		{"made and destroyed", "e", lists{{}, {}, {}}, events{{{Volume: "b"}, gone("b")}}, []string{"b seen, name alone"}, 0},
		{"asked for again while it is there", "e", lists{{v("a", 1)}, {v("a", 1)}}, events{{{Volume: "a"}, gone("a")}}, []string{"a seen"}, 0},
		{"made, listed and destroyed", "ee", lists{{}, {}, {v("b", 1)}, {v("b", 1)}}, events{{{Volume: "b"}}, {gone("b")}}, []string{"b seen"}, 1},
		{"destroyed before it was followed", "e", lists{{v("a", 1)}, {}}, events{{gone("a")}}, []string{"a missed"}, 0},
		{"made and destroyed between the lists", "e", lists{{}, {}}, events{{gone("a")}}, []string{"a seen, name alone"}, 0},
		{"destroyed and made anew between the lists", "e", lists{{v("a", 1)}, {soon}, {soon}}, events{{gone("a"), {Volume: "a"}}}, []string{"a missed"}, 0},
		{"destroyed and made anew before its end is told", "e", lists{{soon}, {soon}}, events{{gone("a")}}, []string{"a seen, name alone"}, 0},
		{"in a gap", "ee", lists{{v("a", 1), v("b", 1)}, {v("a", 1), v("b", 1)}, {v("b", 1)}}, events{nil, nil}, []string{"a missed"}, 1},
		{"made anew in a gap", "ee", lists{{v("a", 1)}, {v("a", 1)}, {v("a", 2)}}, events{nil, nil}, []string{"a missed"}, 1},
		{"another engine", "ef", lists{{v("a", 1)}, {v("a", 1)}, {}}, events{nil, nil}, nil, 0},
		{"a driver is away in a gap", "ee", lists{{v("a", 1), plugged("p")}, {v("a", 1), plugged("p")}, {v("!", 1)}}, events{nil, nil}, []string{"a missed"}, 1},
		{"and back in the next", "eee", lists{{plugged("p")}, {plugged("p")}, {v("!", 1)}, {}}, events{nil, nil, nil}, []string{"p missed, name alone"}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &ledger{full: true}
			try(t, &fake{ids: strings.Split(c.ids, ""), lists: c.lists, events: c.events}, l, filepath.Join(t.TempDir(), "log.watch"))
			if !slices.Equal(l.got, c.want) || len(l.gaps) != c.gaps {
				t.Errorf("%q, %d gaps; want %q, %d", l.got, len(l.gaps), c.want, c.gaps)
			}
		})
	}
}

// The time between two watches is a gap: what went meanwhile is recorded, and what
// an operation may have been destroying when the first one ended.
func TestWatchAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.watch")
	all := []listed{v("a", 1), v("b", 1), v("c", 1)}
	l := &ledger{waits: []string{"a"}}
	try(t, &fake{ids: []string{"e"}, lists: [][]listed{all, all}, events: [][]Event{{gone("a")}}}, l, path)
	if len(l.got)+len(l.gaps) > 0 {
		t.Fatalf("%q, %d gaps", l.got, len(l.gaps))
	}
	l.waits = nil
	try(t, &fake{ids: []string{"e"}, lists: [][]listed{{v("c", 1)}}, events: [][]Event{{gone("c")}}}, l, path)
	want := []string{"a seen by an earlier one", "b missed by an earlier one", "c seen"}
	if !slices.Equal(l.got, want) || len(l.gaps) != 1 || l.gaps[0] <= 0 {
		t.Errorf("%q, gaps %v; want %q", l.got, l.gaps, want)
	}
	l = &ledger{}
	said := try(t, &fake{ids: []string{"other"}, lists: [][]listed{{v("x", 1)}}, events: [][]Event{nil}}, l, path)
	if len(l.got)+len(l.gaps) > 0 || !strings.Contains(strings.Join(said, "\n"), "another engine answers now") {
		t.Errorf("%q, %d gaps; it said %q", l.got, len(l.gaps), said)
	}
	s, found, err := Memory{path}.Load()
	if !found || err != nil || s.engine.ID != "other" || len(s.known) != 1 || len(s.held) != 0 {
		t.Errorf("%+v, %v, %v", s, found, err)
	}
}

// What can be neither recorded nor remembered is told.
func TestWatchCannotRemember(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := &fake{t: t, ids: []string{"e"}, lists: [][]listed{{v("a", 1)}, {v("a", 1)}}, events: [][]Event{{gone("a")}}, cancel: cancel}
	w := Watch{Engine: f, Ledger: full{}, Memory: Memory{filepath.Join(t.TempDir(), "no", "log.watch")}, Now: time.Now, Note: func(string) {}}
	if err := w.Run(ctx); err == nil || !strings.Contains(err.Error(), "1 destroyed volumes are neither recorded nor remembered") {
		t.Error(err)
	}
}

type full struct{}

func (full) Record(_ context.Context, losses []Loss, _ bool) ([]Loss, error) {
	return losses, errors.New("no space left on device")
}

func (full) Gap(context.Context, inventory.Engine, time.Time, time.Time) error { return nil }

// A process that stood still does not say that it watched meanwhile.
func TestPulse(t *testing.T) {
	q := &queue{more: make(chan struct{}, 1)}
	start := time.Now()
	for _, c := range []struct {
		last, now time.Duration
		alive     time.Duration
		over      bool
	}{
		{0, pulse, pulse, false},
		{pulse, 4 * pulse, pulse, false}, // stopped for a while: what came is perhaps not read yet
		{4 * pulse, 5 * pulse, 5 * pulse, false},
		{5 * pulse, 5*pulse + 2*stalled, 5 * pulse, true},
	} {
		q.beat(start.Add(c.last), start.Add(c.now))
		if !q.alive.Equal(start.Add(c.alive)) || (q.over != nil) != c.over {
			t.Errorf("from %s to %s: alive at %s, %v", c.last, c.now, q.alive.Sub(start), q.over)
		}
	}
}
