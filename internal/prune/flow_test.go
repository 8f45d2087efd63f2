package prune

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/lab/fake"
	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/trash"
)

// play is one prune.
type play struct {
	*fake.Process
	run     Run
	confirm string
	decline bool
	shown   []map[string]string
	done    Done
	err     error
	code    int
	notes   []string
}

func newWorld(t testing.TB, births bool) *fake.World {
	w := fake.New(t)
	w.Births, w.Engine.StableCreated = births, births
	for _, name := range []string{"a", "b", "c"} {
		w.Make(name)
	}
	w.Make("shop_d", "com.docker.compose.project=shop")
	w.Make("guarded", "ccdestroy.protect=true")
	w.Run("user", "", "", "used")
	return w
}

func (p *play) book() *record.Book {
	look := func(ctx context.Context, o *record.Operation) (record.Ended, error) {
		s, err := p.Snapshot(ctx, inventory.Scope{})
		o.Details.Engine.StableCreated = p.Engine.StableCreated
		return o.Details.Settle(inventory.Classify(o.Details.Inventory, inventory.Snapshot{}, inventory.After{Snapshot: s, Unseen: true}, nil)), err
	}
	return &record.Book{
		Log: p.Log, Recorder: p.Recorder(), User: "ana", Tool: "test", Now: p.Now, Note: func(text string) { p.notes = append(p.notes, text) },
		NewID:    func(at time.Time) string { return fmt.Sprintf("01KB%022d", at.Sub(fake.Epoch)/time.Second) },
		Settlers: map[string]record.Settler{audit.Prune: look},
	}
}

func prune(w *fake.World, confirm string, at func(*play, context.Context, fake.Step) error) *play {
	p := &play{Process: w.Process(), confirm: confirm}
	if at != nil {
		p.At = func(ctx context.Context, s fake.Step) error { return at(p, ctx, s) }
	}
	p.run = Run{Engine: p, Is: w.Engine, Book: p.book(), Confirm: p.ask, Signals: p.Signals}
	p.done, p.err = p.run.Do(context.Background())
	p.code = p.done.Code
	if p.err != nil && !errors.Is(p.err, record.ErrNothing) {
		p.code = fault.AsFault(p.err).Code
	}
	return p
}

// ask shows, and answers.
func (p *play) ask(ctx context.Context, o *record.Operation, _ []inventory.Change) error {
	o.Details.Confirmation = p.confirm
	shown := map[string]string{}
	for _, r := range o.Details.Of(inventory.KindVolume, inventory.Removed) {
		shown[r.Name] = r.Created
	}
	p.shown = append(p.shown, shown)
	if err := p.Do(ctx, "ask", func() error { return nil }); err != nil {
		return err
	}
	if p.decline {
		return fault.Declined("nothing was removed")
	}
	return nil
}

func (p *play) check() {
	p.T.Helper()
	p.Check()
	if p.Killed() {
		return
	}
	for _, d := range p.Process.Destroyed() {
		if was := p.shown[len(p.shown)-1][d.Name]; d.Birth <= p.Looked() && was != fake.Epoch.Add(time.Duration(d.Birth)*time.Second).Format(time.RFC3339) {
			p.T.Errorf("volume %s of %d was destroyed; shown were %v", d.Name, d.Birth, p.shown)
		}
	}
	want := map[audit.Outcome][]int{audit.Success: {0}, audit.Partial: {3, 143}, audit.Failed: {1}, audit.Cancelled: {4, 143}, audit.Pending: {1, 6, 143}, "": {0, 1, 6, 143}}[p.Outcome()]
	if !slices.Contains(want, p.code) && !(p.code == 1 && (p.err != nil || p.done.Err != nil)) {
		p.T.Errorf("exit %d with %q: %v", p.code, p.Outcome(), p.err)
	}
}

// What was pruned is told also where its outcome cannot be recorded.
func TestUnrecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := prune(newWorld(t, true), record.ByFlag, func(_ *play, _ context.Context, s fake.Step) error {
			if s.String() == "after append 1" {
				return fake.ErrFailed
			}
			return nil
		})
		if p.err != nil || p.done.ID == "" || !slices.Equal(p.done.Verdict.Lost, p.names()) || len(p.names()) != 4 || p.code != fault.ExitFailed || !strings.Contains(fmt.Sprint(p.done.Err), "could not be recorded") {
			t.Errorf("exit %d, %v: %+v", p.code, p.err, p.done)
		}
	})
}

// Why nothing was removed is told also where that cannot be recorded, and so is this.
func TestUnrecordedRefusal(t *testing.T) {
	need.That(t, "Linux", runtime.GOOS == "linux")
	w := fake.New(t)
	w.Root = fake.Dir(t)
	w.Make("a")
	p := &play{Process: w.Process(), confirm: record.ByFlag}
	p.At = func(_ context.Context, s fake.Step) error {
		if s.String() == "before trash set-aside 1" || s.String() == "before append 1" {
			return fake.ErrFailed
		}
		return nil
	}
	p.run = Run{
		Engine: p, Is: w.Engine, Book: p.book(), Confirm: p.ask, Signals: p.Signals, Budget: time.Minute,
		Keeper: &trash.Keeper{Open: p.Trash, For: time.Hour, Now: p.Now},
	}
	_, err := p.run.Do(context.Background())
	if err == nil || !strings.Contains(err.Error(), "could not be set aside") || !slices.ContainsFunc(p.notes, func(s string) bool { return strings.HasPrefix(s, "not recorded: ") }) {
		t.Errorf("%v, and it notes %q", err, p.notes)
	}
	p.Check()
}

// settled has a later run settle what was left.
func settled(p *play) {
	p.T.Helper()
	later := &play{Process: p.World.Process()}
	if r, err := later.book().Reconcile(context.Background(), false); err != nil || len(r.Obstacles)+r.Left > 0 {
		p.T.Errorf("%+v, %v", r, err)
	}
	p.CheckSettled()
	p.CheckSwept()
	p.CheckHistory()
}

// A prune that nobody disturbs.
func TestPrune(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		p := prune(w, record.ByFlag, nil)
		p.check()
		if got := p.names(); p.code != 0 || !slices.Equal(got, []string{"a", "b", "c", "shop_d"}) || !w.Has("guarded") || !w.Has("used") || p.Outcome() != audit.Success {
			t.Errorf("exit %d, %v, %s: %q", p.code, p.err, p.Outcome(), got)
		}
		settled(p)
	})
}

func (p *play) names() (names []string) {
	for _, d := range p.Process.Destroyed() {
		names = append(names, d.Name)
	}
	return names
}

// Where there is nothing to remove, it is shown, nothing is asked, and no trace is
// left. A "no" is recorded as such.
func TestNothingAndNo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := fake.New(t)
		w.Make("guarded", "ccdestroy.protect=true")
		p := prune(w, record.Typed, nil)
		if list, _ := os.ReadDir(w.Dir()); !errors.Is(p.err, record.ErrNothing) || len(p.shown) != 1 || len(list) > 0 {
			t.Errorf("%v, shown %d times, left %v", p.err, len(p.shown), list)
		}
		p = prune(newWorld(t, true), record.Typed, func(p *play, _ context.Context, s fake.Step) error { p.decline = true; return nil })
		p.check()
		if p.code != fault.ExitDeclined || p.Outcome() != audit.Cancelled || len(p.Process.Destroyed()) > 0 {
			t.Errorf("exit %d, %s", p.code, p.Outcome())
		}
	})
}

var disturbances = []struct {
	name string
	do   func(context.Context, *play) error
}{
	{"a volume appears", moves(func(w *fake.World) { w.Make("aa") })},
	{"a volume vanishes", moves(func(w *fake.World) { w.Remove("b") })},
	{"a volume is made again", moves(func(w *fake.World) { w.Remove("b"); w.Make("b") })},
	{"a volume is made again, protected", moves(func(w *fake.World) { w.Remove("b"); w.Make("b", "ccdestroy.protect=true") })},
	{"a volume comes into use", moves(func(w *fake.World) { w.Run("stranger", "", "", "b") })},
	{"a volume is let go of", moves(func(w *fake.World) { w.Free("used") })},
	{"a signal comes", func(ctx context.Context, p *play) error { p.Signal(ctx, syscall.SIGTERM); return nil }},
	{"a signal comes, and is noticed late", func(_ context.Context, p *play) error {
		select {
		case p.Signals <- syscall.SIGTERM:
		default:
		}
		return nil
	}},
	{"it fails", func(context.Context, *play) error { return fake.ErrFailed }},
	{"the engine does not answer in time", func(context.Context, *play) error { return inventory.ErrUnanswered }},
	{"it is killed", func(_ context.Context, p *play) error { p.Kill(); return nil }},
}

func moves(do func(*fake.World)) func(context.Context, *play) error {
	return func(_ context.Context, p *play) error { do(p.World); return nil }
}

// Every disturbance at every step, on an engine that tells volumes of one name
// apart and on one that does not.
func TestDisturbed(t *testing.T) {
	for _, births := range []bool{true, false} {
		for _, confirm := range []string{record.ByFlag, record.Typed} {
			var steps []fake.Step
			synctest.Test(t, func(t *testing.T) { steps = prune(newWorld(t, births), confirm, nil).Steps() })
			for _, d := range disturbances {
				for _, at := range steps {
					fake.Bubble(t, fmt.Sprintf("births %t, %s: %s %s", births, confirm, d.name, at), func(t testing.TB) {
						p := prune(newWorld(t, births), confirm, func(p *play, ctx context.Context, s fake.Step) error {
							if s == at {
								return d.do(ctx, p)
							}
							return nil
						})
						p.check()
						settled(p)
					})
				}
			}
		}
	}
}

// A volume of a project that another operation is changing stays, and so does one
// that was made again while others took their time.
func TestWhatStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		p := prune(w, record.ByFlag, func(p *play, _ context.Context, s fake.Step) error {
			switch s.String() {
			case "after begin 1":
				path := filepath.Join(w.Log.Path+".ops", "engine-1-shop")
				l, free, err := durable.Sharing{}.TryLock(path)
				if err != nil || !free {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = l.Remove() })
			case "after remove 1": // a large one
				time.Sleep(time.Minute)
				w.Remove("c")
				w.Make("c")
			}
			return nil
		})
		e, _ := p.Event()
		d, err := record.ParseDetails(e)
		if err != nil || p.code != fault.ExitPartial || !slices.Equal(e.DataAffected, []string{"a", "b"}) || !w.Has("c") || !w.Has("shop_d") || d.LostBytes != 14 {
			t.Errorf("exit %d, %v, %q, %d bytes", p.code, err, e.DataAffected, d.LostBytes)
		}
		if !strings.Contains(d.Error, `volume "shop_d": its project is being changed by another operation`) {
			t.Errorf("error %q", d.Error)
		}
		for _, r := range d.Resources {
			if r.Name == "c" && (r.Asked || r.Result != "" || r.Reason != "another hand removed it first") {
				t.Errorf("%+v", r)
			}
		}
	})
}
