package export

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/lab/fake"
	"github.com/contextcore/ccdestroy/internal/record"
)

// actor is one process that exports or restores.
type actor struct {
	*fake.Process
	notes []string
	err   error

	saved    record.Export
	restored Done
	shown    []map[string]string // what was agreed to go, by name
	moved    bool                // another hand changed the world
	refused  string              // what Confirm says, in place of yes
}

// onHelper gives the fake's helper its type.
type onHelper struct{ *fake.Process }

func (e onHelper) Helper(ctx context.Context, name, lock string, volumes []string, readOnly bool) (Helper, error) {
	h, err := e.Process.Helper(ctx, name, lock, volumes, readOnly)
	if err != nil {
		return nil, err
	}
	return h, nil
}

func newWorld(t testing.TB) *fake.World {
	w := fake.New(t)
	w.Make("data", "com.docker.compose.project=shop", "com.docker.compose.volume=data")
	w.Make("uploads", "com.docker.compose.project=shop")
	w.Run("db", "shop", "db", "data")
	w.Run("web", "shop", "web", "uploads")
	w.Run("job", "shop", "job", "uploads")
	w.Halt("job")
	return w
}

func begin(w *fake.World, at func(*actor, context.Context, fake.Step) error) *actor {
	a := &actor{Process: w.Process()}
	if at != nil {
		a.At = func(ctx context.Context, s fake.Step) error { return at(a, ctx, s) }
	}
	return a
}

func (a *actor) note(text string) { a.notes = append(a.notes, text) }

func (a *actor) setting() Setting {
	return Setting{Engine: onHelper{a.Process}, Tool: "test", Now: a.Now, Note: a.note, Progress: func() Progress { return Quiet{} }}
}

func (a *actor) book() *record.Book {
	settle := Settler(a.setting())
	return &record.Book{
		Log: a.Log, Recorder: a.Recorder(), User: "ana", Tool: "test", Now: a.Now, Note: a.note, LockTimeout: time.Hour,
		NewID:    func(at time.Time) string { return fmt.Sprintf("01KB%022d", at.Sub(fake.Epoch)/time.Second) },
		Settlers: map[string]record.Settler{audit.Export: settle, audit.Restore: settle},
	}
}

// find selects the project's volumes.
func (a *actor) find(ctx context.Context) (inv inventory.Inventory, volumes []inventory.Volume, err error) {
	if inv.Engine, err = a.Describe(ctx); err != nil {
		return inv, nil, err
	}
	s, err := a.Snapshot(ctx, inventory.Scope{})
	inv.Project, inv.Dir = "shop", a.Dir()
	for _, v := range s.Volumes {
		if v.Name == "data" || v.Name == "uploads" || v.Name == "cache" {
			r := v.Resource()
			r.Fate = inventory.Kept
			inv.Resources, volumes = append(inv.Resources, r), append(volumes, v)
		}
	}
	return inv, volumes, err
}

func (a *actor) dir() string { return filepath.Join(a.Dir(), "exports") }

// export exports the project.
func (a *actor) export(pause bool) {
	run := Run{
		Writer: Writer{Setting: a.setting(), Dir: func(string) string { return a.dir() }, Live: !pause},
		Place:  record.Place{Path: a.Log.Path, Book: *a.book()}, Select: a.find, Pause: pause, Signals: a.Signals,
	}
	a.saved, a.err = run.Do(context.Background())
}

// finished are the whole exports that lie there, by the id of their operation.
func (a *actor) finished() map[string]*archive.Export {
	a.T.Helper()
	list, err := archive.List(a.dir())
	if err != nil {
		a.T.Errorf("%v", err)
	}
	out := map[string]*archive.Export{}
	for _, dir := range list {
		if e, err := archive.Open(dir); err == nil {
			out[e.Manifest.EventID] = e
		}
	}
	return out
}

// checkExport holds the record against what lies there.
func (a *actor) checkExport() {
	a.T.Helper()
	e, recorded := a.Event()
	found := a.finished()[e.ID]
	switch {
	case !recorded, e.Outcome == audit.Pending:
		return
	case (e.Outcome == audit.Success) != (found != nil):
		a.T.Errorf("%s, and there is an export: %t (%v)", e.Outcome, found != nil, a.err)
	case found == nil && e.ExportPath != "":
		a.T.Errorf("%s, and it names the export %s", e.Outcome, e.ExportPath)
	case found != nil && (e.ExportPath != found.Dir || found.Look() != nil):
		a.T.Errorf("it names the export %s, and there is %s: %v", e.ExportPath, found.Dir, found.Look())
	}
	if d, err := record.ParseDetails(e); err != nil || (d.Export != nil) != (e.Outcome == audit.Success) {
		a.T.Errorf("%s, details %+v, %v", e.Outcome, d.Export, err)
	}
	if len(a.Process.Destroyed()) > 0 {
		a.T.Errorf("an export has destroyed %v", a.Process.Destroyed())
	}
}

// settled has a later run settle what was left.
func (a *actor) settled() {
	a.T.Helper()
	later := begin(a.World, nil)
	r, err := later.book().Reconcile(context.Background(), false)
	if len(r.Obstacles) == 1 && strings.Contains(r.Obstacles[0].Error(), "cannot tell whether") && !a.Births {
		return // on an engine that tells no two volumes of one name apart
	}
	if err != nil || len(r.Obstacles)+r.Left > 0 {
		a.T.Errorf("%+v, %v", r, err)
	}
	if _, begun := a.Event(); begun && a.Killed() {
		a.CheckSwept() // already
	}
	_, _ = later.Snapshot(context.Background(), inventory.Scope{}) // a look sweeps helpers of what is over
	later.Check()
	a.CheckSettled()
	a.CheckSwept()
	a.CheckHistory()
}

// disturbance is something that happens at a step.
type disturbance struct {
	name string
	do   func(context.Context, *actor) error
}

var disturbances = []disturbance{
	{"a volume appears", moves(func(w *fake.World) { w.Make("cache") })},
	{"a volume vanishes", moves(func(w *fake.World) { w.Free("uploads"); w.Remove("uploads") })},
	{"a volume is made again", moves(func(w *fake.World) { w.Free("uploads"); w.Remove("uploads"); w.Make("uploads") })},
	{"a volume is made again, protected", moves(func(w *fake.World) {
		w.Free("uploads")
		w.Remove("uploads")
		w.Make("uploads", "ccdestroy.protect=true")
	})},
	{"a volume comes into use", moves(func(w *fake.World) { w.Run("stranger", "", "", "data") })},
	{"a container is stopped", moves(func(w *fake.World) { w.Halt("web") })},
	{"a signal comes", func(ctx context.Context, a *actor) error { a.Signal(ctx, syscall.SIGTERM); return nil }},
	{"a signal comes, and is noticed late", func(_ context.Context, a *actor) error {
		select {
		case a.Signals <- syscall.SIGTERM:
		default:
		}
		return nil
	}},
	{"it fails", func(context.Context, *actor) error { return fake.ErrFailed }},
	{"the engine does not answer in time", func(context.Context, *actor) error { return inventory.ErrUnanswered }},
	{"it is killed", func(_ context.Context, a *actor) error { a.Kill(); return nil }},
}

func moves(do func(*fake.World)) func(context.Context, *actor) error {
	return func(_ context.Context, a *actor) error {
		a.moved = true
		do(a.World)
		return nil
	}
}

// disturb runs every disturbance at every step of what do does.
func disturb(t *testing.T, name string, world func(testing.TB) *fake.World, do, check func(*actor)) {
	t.Helper()
	var steps []fake.Step
	fake.Bubble(t, name, func(t testing.TB) {
		a := begin(world(t), nil)
		do(a)
		a.Check()
		check(a)
		a.settled()
		steps = a.Steps()
		if a.err != nil || a.Outcome() != audit.Success {
			t.Errorf("undisturbed: %s, %v", a.Outcome(), a.err)
		}
	})
	for i, d := range disturbances {
		for j, at := range steps {
			if testing.Short() && (i+j)%9 != 0 {
				continue
			}
			fake.Bubble(t, fmt.Sprintf("%s: %s %s", name, d.name, at), func(t testing.TB) {
				a := begin(world(t), func(a *actor, ctx context.Context, s fake.Step) error {
					if s == at {
						return d.do(ctx, a)
					}
					return nil
				})
				do(a)
				a.Check()
				if !a.Killed() {
					check(a)
				}
				a.settled()
				check(a)
			})
		}
	}
}

// Every disturbance at every step of an export, live and with the services
// stopped.
func TestExportDisturbed(t *testing.T) {
	for _, pause := range []bool{true, false} {
		disturb(t, fmt.Sprintf("pause %t", pause), newWorld, func(a *actor) { a.export(pause) }, (*actor).checkExport)
	}
}
