package record

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// reconcile settles what can be, and says so in one line.
func (d *desk) reconcile(force bool) (r Reconciled) {
	d.t.Helper()
	r, err := d.Reconcile(context.Background(), force)
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

// What is dead is settled, once, under the lock of its project, and leaves no lock
// file; what is at work is left alone.
func TestReconcile(t *testing.T) {
	d := newDesk(t)
	d.Settlers[audit.Destroy] = func(_ context.Context, o *Operation) (Ended, error) {
		if _, free, err := o.TryProject("e1", o.Details.Project); free || err != nil {
			t.Errorf("the project's lock is free: %t, %v", free, err)
		}
		if who := heldBy(d.projectLock("e1", o.Details.Project)); who.Operation != SettledLater || who.User != "ana" {
			t.Errorf("it is held by %s", who)
		}
		if !AtWork(d.Log, o.ID) {
			t.Error("the operation's lock is free")
		}
		return Ended{Outcome: audit.Failed, Err: errors.New("nothing went")}, nil
	}
	dead := d.pending("shop")
	die(dead)
	alive := d.pending("other")
	if r := d.reconcile(false); r.Settled != 1 || r.Left != 1 || len(r.Obstacles) > 0 {
		t.Errorf("%+v", r)
	}
	if d.outcome(dead.ID) != audit.Failed || d.outcome(alive.ID) != audit.Pending {
		t.Errorf("%s, %s", d.outcome(dead.ID), d.outcome(alive.ID))
	}
	events, _, _ := d.Log.Show(dead.ID)
	details, err := ParseDetails(events[len(events)-1])
	if err != nil || details.Settled != SettledLater || details.Error != "nothing went" || details.StartedAt == "" {
		t.Errorf("%+v, %v", details, err)
	}
	if want := []string{alive.ID, "e1-other"}; !slices.Equal(d.files(), want) {
		t.Errorf("left %q, want %q", d.files(), want)
	}
	alive.Close()
	for range 2 { // Close leaves it unfinished
		d.reconcile(false)
	}
	if events, _, _ := d.Log.Show(alive.ID); len(events) != 2 || len(d.files()) > 0 {
		t.Errorf("%d events, left %q", len(events), d.files())
	}
}

// Before an operation looks, what is dead is settled: of its own project under
// the lock that it holds, of others under theirs.
func TestSettledBeforeTheLook(t *testing.T) {
	d := newDesk(t)
	mine, others, busy := d.pending("shop"), d.pending("other"), d.pending("busy")
	die(mine)
	die(others)
	_ = busy.lock.Leave() // its project is being changed by somebody else
	looked := false
	_, err := Life{Book: d.Book, Operation: audit.Destroy, EngineID: "e1", Project: "shop"}.Begin(t.Context(), looks(func() error {
		looked = true
		if d.outcome(mine.ID) != audit.Failed || d.outcome(others.ID) != audit.Failed || d.outcome(busy.ID) != audit.Pending {
			t.Errorf("%s, %s, %s", d.outcome(mine.ID), d.outcome(others.ID), d.outcome(busy.ID))
		}
		return ErrNothing
	}))
	if !errors.Is(err, ErrNothing) || !looked {
		t.Errorf("looked %t, %v", looked, err)
	}
	if want := busy.ID + " stays unfinished: another operation is changing its project"; !strings.Contains(d.noted(), want) {
		t.Errorf("noted %q, want %q", d.noted(), want)
	}
	if want := []string{busy.ID, "e1-busy"}; !slices.Equal(d.files(), want) {
		t.Errorf("left %q, want %q", d.files(), want)
	}
}

// What cannot be settled stays, and each obstacle is told once.
func TestObstacles(t *testing.T) {
	d := newDesk(t)
	asked := 0
	d.Settlers[audit.Destroy] = func(context.Context, *Operation) (Ended, error) { asked++; return Ended{}, ErrOtherEngine }
	d.Settlers[audit.Prune] = func(context.Context, *Operation) (Ended, error) {
		return Ended{Outcome: audit.Pending, Err: errors.New("cannot tell")}, nil
	}
	die(d.pending("shop"))
	prune, err := d.Open(audit.Prune)
	if err != nil {
		t.Fatal(err)
	}
	if err := prune.Pend(t.Context()); err != nil {
		t.Fatal(err)
	}
	die(prune)
	for range 2 {
		asked, d.notes = 0, nil
		r := d.reconcile(false)
		if len(r.Obstacles) != 2 || !errors.Is(r.Obstacles[0], ErrOtherEngine) || !strings.HasSuffix(r.Obstacles[1].Error(), "cannot tell") || asked != 1 || d.noted() != "" {
			t.Errorf("%+v; asked %d times; noted %q", r, asked, d.noted())
		}
	}
}

// What was cut off in the same project, and cannot be settled, or is at work
// without a lock for longer than is waited, stops the next operation before it
// looks. One that cannot be told apart does not, for it will never be.
func TestUnsettled(t *testing.T) {
	parent := actor.Actor{PID: os.Getppid(), Started: actor.StartOf(os.Getppid())}
	here := actor.ThisMachine(func(string) string { return "" })
	parent.Host, parent.BootID = here.Hostname, here.BootID
	for name, c := range map[string]struct {
		settler Settler
		actor   *actor.Actor
		want    string
		code    int
	}{
		"the engine is away": {func(context.Context, *Operation) (Ended, error) { return Ended{}, errors.New("no engine") }, nil, "which was cut off, cannot be settled now: no engine", 1},
		"cannot be told": {func(context.Context, *Operation) (Ended, error) {
			return Ended{Outcome: audit.Pending, Err: errors.New("cannot tell")}, nil
		}, nil, "nothing to do", 0},
		"another engine": {func(context.Context, *Operation) (Ended, error) { return Ended{}, ErrOtherEngine }, nil, "nothing to do", 0},
		"still at work":  {nil, &parent, "is still in use by the destroy by ana on ", 5},
	} {
		d := newDesk(t)
		if c.actor != nil && (parent.Started == "" || parent.BootID == "") {
			continue // this system does not tell
		}
		d.LockTimeout = 10 * time.Millisecond
		d.Settlers[audit.Destroy] = c.settler
		if c.settler == nil {
			d.Settlers[audit.Destroy] = d.fails
		}
		o := d.open("shop")
		if c.actor != nil {
			o.Details.Actor, _ = json.Marshal(c.actor)
		}
		if err := o.Pend(t.Context()); err != nil {
			t.Fatal(err)
		}
		die(o)
		looked := false
		_, err := Life{Book: d.Book, Operation: audit.Destroy, EngineID: "e1", Project: "shop"}.Begin(t.Context(), looks(func() error { looked = true; return ErrNothing }))
		if err == nil || !strings.Contains(err.Error(), c.want) || looked != (c.code == 0) || c.code > 0 && fault.AsFault(err).Code != c.code {
			t.Errorf("%s: looked %t, %v", name, looked, err)
		}
	}
}

// Leftovers of lock files go: of an operation that never began, and of one that is
// over. One whose log cannot be read stays.
func TestLeftovers(t *testing.T) {
	for name, sweep := range map[string]func(*desk){
		"reconcile":          func(d *desk) { d.reconcile(false) },
		"the next operation": func(d *desk) { _ = d.settleDead(context.Background(), nil) },
	} {
		d := newDesk(t)
		die(d.open("shop"))
		over := d.pending("shop")
		if err := over.End(t.Context(), Ended{Outcome: audit.Success}); err != nil {
			t.Fatal(err)
		}
		die(over)
		sweep(d)
		if left := d.files(); !slices.Equal(left, []string{"e1-shop"}) || d.noted() != "" { // a project's keeps nobody out
			t.Errorf("%s: left %q, noted %q", name, left, d.noted())
		}
		// A power cut in the first event: half a line, and the lock file.
		die(d.open("shop"))
		f, err := os.OpenFile(d.Log.Path, os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteString(`{"v":1,"log":"x","seq":3,"prev":"`)
			f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		sweep(d)
		if left := d.files(); !slices.Equal(left, []string{"e1-shop"}) || d.noted() != "" {
			t.Errorf("%s, after a power cut: left %q, noted %q", name, left, d.noted())
		}
		die(d.pending("shop"))
		if err := os.Rename(d.Log.Path, d.Log.Path+".away"); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(d.Log.Path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := d.settleDead(t.Context(), nil); err != nil {
			t.Error(err)
		}
		if len(d.files()) != 2 || !strings.Contains(d.noted(), "stays unfinished") {
			t.Errorf("%s, without a log: left %q, noted %q", name, d.files(), d.noted())
		}
	}
}

// Of an operation without a lock file nothing shows whether it is at work: it is
// settled by force alone, and not twice.
func TestForce(t *testing.T) {
	d := newDesk(t)
	old := d.pending("shop")
	old.ended = true
	old.Close() // which removes the file, as if there never had been one
	if r := d.reconcile(false); len(r.Obstacles) != 1 || !strings.Contains(r.Obstacles[0].Error(), "reconcile --force") {
		t.Errorf("%+v", r)
	}
	stale, err := d.Log.Unfinished()
	if err != nil {
		t.Fatal(err)
	}
	if r := d.reconcile(true); r.Settled != 1 || len(r.Obstacles) > 0 || len(d.files()) > 0 {
		t.Errorf("%+v, left %q", r, d.files())
	}
	// Another one was faster, and has settled it since it was listed.
	if err := d.Book.reconcile(t.Context(), stale[0], true); !errors.Is(err, errOver) || len(d.files()) > 0 {
		t.Errorf("%v, left %q", err, d.files())
	}
	if events, _, _ := d.Log.Show(old.ID); len(events) != 2 {
		t.Errorf("%d events", len(events))
	}
}

// A script's own operation is the script's to end.
func TestScriptsAreLeftAlone(t *testing.T) {
	d := newDesk(t)
	if err := d.Tell(t.Context(), []Claim{{Operation: audit.Destroy, Outcome: "pending"}}, func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	o, err := d.Open("drop_database")
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Pend(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.Close()
	if r := d.reconcile(true); r.Settled != 0 || r.Left != 2 || len(r.Obstacles) > 0 || strings.Count(d.noted(), "record --id") != 2 {
		t.Errorf("%+v; %s", r, d.noted())
	}
	d.notes = nil
	if err := d.settleDead(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if d.noted() != "" || !slices.Equal(d.files(), []string{o.ID}) {
		t.Errorf("noted %q, left %q", d.noted(), d.files())
	}
}

// A process that is seen at work counts as such without a lock: Docker Compose,
// beside which nobody stands any more.
func TestStillRuns(t *testing.T) {
	d := newDesk(t)
	here := actor.ThisMachine(func(string) string { return "" })
	if here.Started == "" || here.BootID == "" {
		t.Skip("SKIPPED: this system does not tell when a process began")
	}
	o := d.pending("shop")
	parent := os.Getppid()
	o.Details.Actor, _ = json.Marshal(actor.Actor{Host: here.Hostname, BootID: here.BootID, PID: parent, Started: actor.StartOf(parent)})
	if err := o.Pend(t.Context()); err != nil {
		t.Fatal(err)
	}
	die(o)
	if r := d.reconcile(true); r.Left != 1 || r.Settled != 0 {
		t.Errorf("%+v", r)
	}
}

// The id of an operation in a log that somebody else wrote leads to no file but a
// lock's.
func TestHostileIDs(t *testing.T) {
	d := newDesk(t)
	d.pending("shop").Close()
	precious := filepath.Join(filepath.Dir(d.Log.Path), "precious")
	if err := os.WriteFile(precious, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"../precious", precious, "../new", "..", "x/y", "e1-shop"} {
		e := audit.Event{ID: id, Timestamp: noon, Operation: audit.Destroy, Outcome: audit.Pending, User: "eve", Details: []byte("{}")}
		if _, err := d.Log.Begin(t.Context(), e, 0); err != nil {
			t.Fatal(err)
		}
		if err := d.Book.reconcile(t.Context(), e, true); err == nil || !strings.Contains(err.Error(), "not an id") {
			t.Errorf("%q: %v", id, err)
		}
		if o, err := d.Adopt(id); o != nil || err == nil {
			t.Errorf("adopted %q", id)
		}
	}
	if data, err := os.ReadFile(precious); err != nil || string(data) != "data" {
		t.Errorf("%q, %v", data, err)
	}
	if list, _ := os.ReadDir(filepath.Dir(precious)); len(list) != 4 { // it, the log, its lock, its operations
		t.Errorf("%v", list)
	}
}

// What an unfinished operation's details say of its results, and an error that
// stood in the way of telling, do not stay when it is settled.
func TestSettledAnew(t *testing.T) {
	d := newDesk(t)
	o := d.pending("shop")
	o.Details.Unforeseen = []string{"bystander"}
	if err := o.End(t.Context(), Ended{Outcome: audit.Pending, Err: errors.New("cannot tell")}); err != nil {
		t.Fatal(err)
	}
	o.Close()
	d.Settlers[audit.Destroy] = func(_ context.Context, o *Operation) (Ended, error) {
		return o.Details.Settle(inventory.Verdict{}), nil
	}
	if r := d.reconcile(false); r.Settled != 1 {
		t.Fatalf("%+v", r)
	}
	last, _, _ := d.newest(o.ID)
	details, _ := ParseDetails(last)
	if last.Outcome != audit.Success || details.Error != "" || !slices.Equal(details.Unforeseen, []string{"bystander"}) {
		t.Errorf("%s, %q, %q", last.Outcome, details.Error, details.Unforeseen)
	}
}

// A recorder that fails, and yet has written, leaves an operation that is settled
// later; one that has not leaves nothing.
func TestFirstEventIsUnsure(t *testing.T) {
	for _, written := range []bool{true, false} {
		d := newDesk(t)
		d.Recorder = halfway{d.Log, written}
		o := d.open("shop")
		if err := o.Pend(t.Context()); err == nil {
			t.Fatal("it was recorded")
		}
		o.Close()
		d.Recorder = nil
		want := 0
		if written {
			want = 1
		}
		if r := d.reconcile(false); r.Settled != want || len(r.Obstacles) > 0 || len(d.files()) > 0 {
			t.Errorf("written %t: %+v, left %q", written, r, d.files())
		}
	}
}

// Adopt takes up what nobody holds, with its project, and nothing else.
func TestAdopt(t *testing.T) {
	d := newDesk(t)
	o := d.pending("shop")
	if got, err := d.Adopt(o.ID); got != nil || err != nil {
		t.Errorf("adopted one at work: %v", err)
	}
	_ = o.lock.Leave()
	if got, err := d.Adopt(o.ID); got != nil || err != nil {
		t.Errorf("adopted one whose project is being changed: %v", err)
	}
	_ = o.project.Leave()
	got, err := d.Adopt(o.ID)
	if err != nil || got == nil {
		t.Fatalf("%v, %v", got, err)
	}
	if _, free, _ := d.open("x").TryProject("e1", "shop"); free {
		t.Error("it is adopted without the lock of its project")
	}
	if err := d.SettleBeside(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	got.Close()
	for _, id := range []string{o.ID, "01KB0000000000000000009999"} {
		if again, err := d.Adopt(id); again != nil || err != nil {
			t.Errorf("adopted %s, which is over: %v", id, err)
		}
	}
	last, _, _ := d.newest(o.ID)
	if details, _ := ParseDetails(last); details.Settled != SettledBeside || slices.Contains(d.files(), o.ID) {
		t.Errorf("settled by %q, left %q", details.Settled, d.files())
	}
}
