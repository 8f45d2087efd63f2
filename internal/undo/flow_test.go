package undo_test

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/lab/fake"
	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/prune"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/teardown"
	"github.com/contextcore/ccdestroy/internal/trash"
	"github.com/contextcore/ccdestroy/internal/undo"
)

// at is what happens at each step of a process.
type at func(p *fake.Process, s fake.Step) error

func process(w *fake.World, do at) *fake.Process {
	p := w.Process()
	if do != nil {
		p.At = func(_ context.Context, s fake.Step) error { return do(p, s) }
	}
	return p
}

// killedAt kills at one step.
func killedAt(step fake.Step) at {
	return func(p *fake.Process, s fake.Step) error {
		if s == step {
			p.Kill()
		}
		return nil
	}
}

// failsAt fails at one step.
func failsAt(step fake.Step) at {
	return func(_ *fake.Process, s fake.Step) error {
		if s == step {
			return fake.ErrFailed
		}
		return nil
	}
}

// signalled sends a signal at one step, and waits until it has arrived, or not.
func signalled(wait bool) func(fake.Step) at {
	return func(step fake.Step) at {
		return func(p *fake.Process, s fake.Step) error {
			if s != step {
				return nil
			}
			p.Signals <- syscall.SIGTERM
			for deadline := time.Now().Add(signalTime); wait && len(p.Signals) > 0 && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			return nil
		}
	}
}

// signalTime is how long a signal is waited for that may not be taken at all.
const signalTime = 50 * time.Millisecond

func book(p *fake.Process) *record.Book {
	log := *p.Log
	b := &record.Book{
		Log: &log, Recorder: p.Recorder(), User: "ana", Tool: "test", Now: p.Now, Note: func(string) {}, LockTimeout: time.Minute,
		NewID: func(at time.Time) string { return fmt.Sprintf("01KB%022d", at.Sub(fake.Epoch)/time.Second) },
	}
	destroy, aside := teardown.Settler(p, p, p.Trash), undo.Settler(p, p.Trash)
	b.Settlers = map[string]record.Settler{audit.Prune: destroy, audit.Undo: aside, audit.Purge: aside}
	return b
}

func world(t *testing.T) *fake.World {
	w := fake.New(t)
	w.Root = fake.Dir(t)
	w.Make("a", "keep=me")
	w.Make("b")
	w.Run("other", "", "", "used")
	return w
}

func pruned(w *fake.World, do at) *fake.Process {
	p := process(w, do)
	r := prune.Run{
		Engine: p, Is: w.Engine, Book: book(p), Keeper: &trash.Keeper{Open: p.Trash, For: time.Hour, Now: p.Now}, Signals: p.Signals,
		Confirm: func(context.Context, *record.Operation, []inventory.Change) error { return nil },
	}
	_, _ = r.Do(context.Background()) // what came of it is in the record
	return p
}

func newest(t *testing.T, w *fake.World) (e audit.Event, d record.Details, left []record.Kept) {
	t.Helper()
	u := record.Undoing{Log: w.Log, Now: w.Now()}
	e, d, left, err := u.Newest(func(record.Details) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	return e, d, left
}

func undone(t *testing.T, w *fake.World, do at) (*fake.Process, undo.Done, error) {
	t.Helper()
	p := process(w, do)
	of, was, left := newest(t, w)
	r := undo.Run{Engine: p, Is: w.Engine, Open: p.Trash, Book: book(p), Of: of, Was: was, Kept: left, Signals: p.Signals}
	done, err := r.Do(context.Background())
	return p, done, err
}

func purged(w *fake.World, do at) *fake.Process {
	p := process(w, do)
	r := undo.Purge{
		Is: w.Engine, Open: p.Trash, Book: book(p), Meant: func(trash.Found) bool { return true }, Signals: p.Signals,
		Confirm: func(context.Context, *record.Operation) error { return nil },
	}
	_, _ = r.Do(context.Background())
	return p
}

// settled settles what was cut off.
func settled(t *testing.T, w *fake.World, was *fake.Process) {
	t.Helper()
	was.Check()
	later := w.Process()
	if did, err := book(later).Reconcile(context.Background(), false); err != nil || len(did.Obstacles) > 0 {
		t.Errorf("%v, %v", did.Obstacles, err)
	}
	later.Check()
	was.CheckSettled()
}

// holds are the names of the volumes and the trash, with the births of the data
// in each.
func holds(w *fake.World) map[int]string {
	out := map[int]string{}
	for birth, places := range w.Places() {
		out[birth] = strings.Split(places[0], "/")[0] + " " + filepath.Base(filepath.Dir(places[0]))
	}
	return out
}

// each runs a case with a disturbance at every step that it takes undisturbed.
func each(t *testing.T, run func(t *testing.T, do at) *fake.Process) {
	t.Helper()
	need.That(t, "Linux", linux)
	for name, disturb := range map[string]func(fake.Step) at{"killed": killedAt, "failing": failsAt, "signalled": signalled(true), "signalled late": signalled(false)} {
		steps := run(t, nil).Steps()
		if len(steps) < 10 {
			t.Fatalf("it took %v", steps)
		}
		for _, step := range steps {
			t.Run(fmt.Sprintf("%s %s", name, step), func(t *testing.T) { run(t, disturb(step)) })
		}
	}
}

// Whatever happens in a prune that keeps, nothing is lost, and the record says
// where it is.
func TestPruneKeeping(t *testing.T) {
	each(t, func(t *testing.T, do at) *fake.Process {
		w := world(t)
		before := w.Places()
		p := pruned(w, do)
		settled(t, w, p)
		surveyed := slices.ContainsFunc(p.Steps(), func(s fake.Step) bool { return s.Name == "trash set-aside" })
		if now := w.Places(); len(now) != len(before) && surveyed { // else nothing can be kept, and it said so
			t.Errorf("data is lost: %v of %v", now, before)
		}
		if do == nil && (p.Outcome() != audit.Success || len(p.Destroyed()) != 2) {
			t.Errorf("%s, %v", p.Outcome(), p.Destroyed())
		}
		return p
	})
}

// Whatever happens in an undo, nothing is lost, the record says what is back, and
// another undo brings back the rest.
func TestUndoDisturbed(t *testing.T) {
	each(t, func(t *testing.T, do at) *fake.Process {
		w := world(t)
		before := holds(w)
		pruned(w, nil)
		p, done, err := undone(t, w, do)
		if do == nil && (err != nil || done.Outcome != audit.Success || len(done.Back) != 2 || w.Volume("a").Labels["keep"] != "me") {
			t.Errorf("%+v, %v", done, err)
		}
		settled(t, w, p)
		e, began := p.Event()
		d, _ := record.ParseDetails(e)
		now := holds(w)
		for birth, place := range before {
			name := strings.Fields(place)[1]
			back := slices.ContainsFunc(d.Undone, func(k record.Kept) bool { return k.Name == name })
			if is := now[birth] == place; name != "used" && is != back && began {
				t.Errorf("%s: volume %s is back: %t, and recorded so: %t", e.Outcome, name, is, back)
			}
		}
		if _, _, left := newest(t, w); len(left) > 0 {
			if _, done, err := undone(t, w, nil); err != nil || done.Err != nil {
				t.Errorf("again: %v, %v", err, done.Err)
			}
		}
		if now := holds(w); !maps.Equal(now, before) {
			t.Errorf("at the end %v, and were %v", now, before)
		}
		return p
	})
}

// Whatever happens in a purge, the record says what is gone, and what is half gone
// is never brought back.
func TestPurgeDisturbed(t *testing.T) {
	each(t, func(t *testing.T, do at) *fake.Process {
		w := world(t)
		pruned(w, nil)
		before := holds(w)
		p := purged(w, do)
		settled(t, w, p)
		e, _ := p.Event()
		d, _ := record.ParseDetails(e)
		now := holds(w)
		for birth, place := range before {
			name := strings.Fields(place)[1]
			gone := slices.ContainsFunc(d.Purged, func(k record.Kept) bool { return k.Name == name })
			_, is := now[birth]
			half, _ := filepath.Glob(filepath.Join(w.Root, "ccdestroy-trash/v1/*", name, "_purge"))
			if (is || len(half) > 0) == gone || name == "used" && !is {
				t.Errorf("%s: volume %s is there: %t, and recorded as purged: %t", e.Outcome, name, is, gone)
			}
		}
		_, _, left := newest(t, w)
		if len(left)+len(d.Purged) != 2 { // what is half gone is refused when it is tried
			t.Errorf("%v can be undone, and purged are %v", left, d.Purged)
		}
		return p
	})
}

// What has content, or is in use, is not replaced, and nothing is lost by trying.
func TestUndoRefuses(t *testing.T) {
	need.That(t, "Linux", linux)
	for name, inTheWay := range map[string]func(*fake.World){
		"content": func(w *fake.World) { w.Make("a") },
		"in use":  func(w *fake.World) { w.Run("user", "", "", "a") },
	} {
		w := world(t)
		pruned(w, nil)
		inTheWay(w)
		before := holds(w)
		p, _, err := undone(t, w, nil)
		if err == nil || p.Outcome() != audit.Failed {
			t.Errorf("%s: %v, %s", name, err, p.Outcome())
		}
		if now := holds(w); !maps.Equal(now, before) {
			t.Errorf("%s: at the end %v, and were %v", name, now, before)
		}
	}
}

// Content that comes right before the move stays.
func TestUndoRaced(t *testing.T) {
	need.That(t, "Linux", linux)
	w := world(t)
	pruned(w, nil)
	before := holds(w)
	p, done, err := undone(t, w, func(_ *fake.Process, s fake.Step) error {
		if s.Name == "trash: put back" && s.N == 1 && !s.After {
			w.Write("a", "new")
		}
		return nil
	})
	if err != nil || done.Outcome != audit.Partial || len(done.Back) != 1 || done.Back[0].Name != "b" || done.Err == nil {
		t.Errorf("%+v, %v", done, err)
	}
	if now := holds(w); len(now) != len(before) || w.Written("a") != "new" {
		t.Errorf("at the end %v, and were %v; a holds %q", now, before, w.Written("a"))
	}
	p.Check()
}
