package export

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/lab/fake"
	"github.com/contextcore/ccdestroy/internal/record"
)

// held is what the volumes held when they were exported.
var held = map[string]string{"data": "data1", "uploads": "uploads2"}

// oneExport is a directory with an export of such a world, made once.
func oneExport(t testing.TB) string {
	if exportOnce == "" {
		w := newWorld(t)
		a := begin(w, nil)
		a.export(true)
		if a.err != nil {
			t.Fatal(a.err)
		}
		dir, err := os.MkdirTemp("", "ccdestroy-export-*")
		if err == nil {
			err = os.CopyFS(dir, os.DirFS(a.dir()))
		}
		if err != nil {
			t.Fatal(err)
		}
		exportOnce = dir
	}
	return exportOnce
}

var exportOnce string

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(exportOnce)
	os.Exit(code)
}

// exported is a world with an export, in which data has changed since, uploads is
// gone, and nothing runs.
func exported(t testing.TB) *fake.World {
	w := newWorld(t)
	if err := os.CopyFS(filepath.Join(w.Dir(), "exports"), os.DirFS(oneExport(t))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"data", "uploads"} {
		w.Free(name)
	}
	w.Remove("uploads")
	w.Volume("data").Content["file"] = "changed"
	return w
}

// restore restores all.
func (a *actor) restore(o RestoreOptions) {
	var e *archive.Export
	for _, e = range a.finished() {
	}
	r := Restore{
		Setting: a.setting(), Book: a.book(), Export: e, Volumes: e.Manifest.Volumes, Options: o, Dir: a.Dir(), Confirm: a.confirm, Signals: a.Signals,
	}
	a.restored, a.err = r.Do(context.Background())
}

func over(a *actor) { a.restore(RestoreOptions{Overwrite: true}) }

// confirm says yes, and notes what to.
func (a *actor) confirm(ctx context.Context, o *record.Operation, _ []inventory.Change) error {
	shown := map[string]string{}
	for _, r := range o.Details.Of(inventory.KindVolume, inventory.Removed) {
		shown[r.Name] = r.Created
	}
	a.shown = append(a.shown, shown)
	if err := a.Do(ctx, "ask", func() error { return nil }); err != nil {
		return err
	}
	if a.refused != "" {
		return fault.Declined(a.refused)
	}
	return nil
}

// right are the volumes that hold what they held.
func (a *actor) right() (names []string) {
	for _, name := range []string{"data", "uploads"} {
		if v := a.Volume(name); v != nil && v.Content["file"] == held[name] {
			names = append(names, name)
		}
	}
	return names
}

// checkRestore holds the record against the volumes.
func (a *actor) checkRestore() {
	a.T.Helper()
	e, _ := a.Event()
	if right := a.right(); !a.moved && e.Outcome == audit.Success && len(right) < 2 {
		a.T.Errorf("%s, and %q are as they were (%v)", e.Outcome, right, a.err)
	}
	for _, d := range a.Process.Destroyed() {
		if len(a.shown) == 0 {
			a.T.Errorf("volume %s was destroyed, and nobody was asked", d.Name)
			return
		}
		born := fake.Epoch.Add(time.Duration(d.Birth) * time.Second).Format(time.RFC3339)
		if d.Birth <= a.Looked() && a.shown[len(a.shown)-1][d.Name] != born {
			a.T.Errorf("volume %s of %d was destroyed; shown were %v", d.Name, d.Birth, a.shown)
		}
	}
}

// Every disturbance at every step of a restore that replaces one volume and makes
// another, on an engine that tells volumes of one name apart, and on one that does
// not.
func TestRestoreDisturbed(t *testing.T) {
	disturb(t, "restore", exported, over, (*actor).checkRestore)
	disturb(t, "on an old engine", func(t testing.TB) *fake.World {
		w := exported(t)
		w.Births, w.Engine.StableCreated = false, false
		return w
	}, over, (*actor).checkRestore)
}

// A "no" is recorded, and so is what stands in the way; nothing is changed.
func TestRestoreRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		options RestoreOptions
		at      func(*actor)
		want    string
		code    int
		outcome audit.Outcome
	}{
		"no":              {RestoreOptions{Overwrite: true}, func(a *actor) { a.refused = "nothing was restored" }, "nothing was restored", fault.ExitDeclined, audit.Cancelled},
		"content":         {RestoreOptions{}, nil, `volume "data" has content`, fault.ExitRefused, audit.Failed},
		"in use":          {RestoreOptions{Overwrite: true}, func(a *actor) { a.Run("psql", "", "", "data") }, `volume "data" is in use by psql`, fault.ExitRefused, audit.Failed},
		"protected":       {RestoreOptions{Overwrite: true, Protect: inventory.Patterns{"da*": {From: "a test"}}}, nil, `volume "data" is protected by the pattern da* of a test`, fault.ExitRefused, audit.Failed},
		"in use and made": {RestoreOptions{}, func(a *actor) { a.Free("data"); a.Remove("data"); a.Run("psql", "", "", "uploads"); a.empty("uploads") }, `volume "uploads" is in use by psql`, fault.ExitRefused, audit.Failed},
	} {
		fake.Bubble(t, name, func(t testing.TB) {
			a := begin(exported(t), nil)
			if c.at != nil {
				c.at(a)
			}
			a.restore(c.options)
			a.Check()
			if f := fault.AsFault(a.err); f.Code != c.code || !strings.Contains(f.Error(), c.want) || a.Outcome() != c.outcome || len(a.Process.Destroyed()) > 0 {
				t.Errorf("exit %d, %v, %s; destroyed %v", f.Code, a.err, a.Outcome(), a.Process.Destroyed())
			}
		})
	}
}

// So is one whose time of making has moved, on an engine that takes the last write
// for it.
func TestTakenBackFromAnOldEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := exported(t)
		w.Births, w.Engine.StableCreated = false, false
		a := begin(w, func(_ *actor, _ context.Context, s fake.Step) error {
			if s.String() != "before helper 7" { // by which uploads is written
				return nil
			}
			v := w.Volume("uploads")
			v.Created = v.Created.Add(time.Second)
			return fake.ErrFailed
		})
		over(a)
		a.Check()
		if a.err == nil || w.Has("uploads") {
			t.Errorf("uploads is there: %t; %v", w.Has("uploads"), a.err)
		}
	})
}

// empty takes all out of a volume.
func (a *actor) empty(volume string) { a.Volume(volume).Content = map[string]string{} }

// An empty volume that comes into use after it was looked at is not written into.
func TestRestoreIntoUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := exported(t)
		w.Make("uploads")
		a := begin(w, func(a *actor, _ context.Context, s fake.Step) error {
			if s.String() == "after begin 1" {
				w.Run("psql", "", "", "uploads")
			}
			return nil
		})
		a.empty("uploads")
		over(a)
		e, _ := a.Event()
		if a.err == nil || !strings.Contains(a.err.Error(), "it is in use by psql") || len(w.Volume("uploads").Content) > 0 || !slices.Equal(e.DataAffected, []string{"data"}) {
			t.Errorf("%v, %v, %q", a.err, w.Volume("uploads").Content, e.DataAffected)
		}
		a.settled()
	})
}

// A removal that fails, and yet has happened, is recorded as one; where the engine
// cannot be asked any more it is left to whoever settles it.
func TestRemovalToldWrongly(t *testing.T) {
	for _, away := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a := begin(exported(t), func(a *actor, _ context.Context, s fake.Step) error {
				switch {
				case s.String() == "after remove 1", away && s.Name == "snapshot" && a.count("remove") > 0:
					return fake.ErrFailed
				}
				return nil
			})
			over(a)
			a.Check()
			want := audit.Partial
			if away {
				want = audit.Pending
			}
			if a.err == nil || a.Outcome() != want {
				t.Errorf("away %t: %s, %v", away, a.Outcome(), a.err)
			}
			a.settled()
			if e, _ := a.Event(); !slices.Equal(e.DataAffected, []string{"data"}) || e.Outcome != audit.Partial {
				t.Errorf("away %t: %s of %q", away, e.Outcome, e.DataAffected)
			}
		})
	}
}

// count is how many steps of a name there were.
func (a *actor) count(name string) (n int) {
	for _, s := range a.Steps() {
		if s.Name == name {
			n++
		}
	}
	return n
}

// What a restore made, and could not fill, is taken back, unless another hand has
// put something else in its place.
func TestTakenBack(t *testing.T) {
	for _, remade := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := exported(t)
			a := begin(w, func(_ *actor, _ context.Context, s fake.Step) error {
				if s.String() != "before helper 7" { // by which uploads is written
					return nil
				}
				if remade {
					w.Remove("uploads")
					w.Make("uploads")
				}
				return fake.ErrFailed
			})
			over(a)
			a.Check()
			if a.err == nil || w.Has("uploads") != remade || a.Outcome() != audit.Partial {
				t.Errorf("remade %t: uploads is there: %t; %s, %v", remade, w.Has("uploads"), a.Outcome(), a.err)
			}
		})
	}
}
