//go:build unix

package command

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/lab/fake"
	"github.com/contextcore/ccdestroy/internal/record"
)

// play is one command.
type play struct {
	*fake.Process
	dir   string
	code  int
	err   error
	notes []string
}

// world has two volumes, one of a project with a container, and three paths.
func world(t testing.TB) (*fake.World, string) {
	w := fake.New(t)
	w.Make("data")
	w.Make("shop_data", "com.docker.compose.project=shop")
	w.Run("shop-db-1", "shop", "db", "shop_data")
	dir := filepath.Join(w.Dir(), "work")
	if err := os.MkdirAll(filepath.Join(dir, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", "full/one"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("seven b"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return w, dir
}

// run runs a command that leaves the file "ran" where it ran.
func run(t testing.TB, operation, script string, targets Targets, at func(*play, context.Context, fake.Step) error) *play {
	w, dir := world(t)
	p := &play{Process: w.Process(), dir: dir}
	p.Loose = true // it names files, and what is known by name alone
	if at != nil {
		p.At = func(ctx context.Context, s fake.Step) error { return at(p, ctx, s) }
	}
	argv := []string{"sh", "-c", ": > ran; " + script}
	if script == "" {
		argv = []string{"/no/such/command"}
	}
	for i, path := range targets.Paths {
		targets.Paths[i] = filepath.Join(dir, path)
	}
	r := Run{
		Book: p.book(), Operation: operation, Argv: argv, Affects: []string{"thing"}, Targets: targets, Engine: p,
		Dir: dir, Env: os.Environ(), Stdout: os.Stderr, Stderr: os.Stderr, Signals: p.Signals, Shared: func(os.Signal) bool { return false },
	}
	p.code, p.err = r.Do(context.Background())
	return p
}

func (p *play) book() *record.Book {
	return &record.Book{
		Log: p.Log, Recorder: p.Recorder(), User: "ana", Tool: "test", Now: p.Now, Note: func(text string) { p.notes = append(p.notes, text) },
		NewID: func(at time.Time) string { return fmt.Sprintf("01KB%022d", at.Sub(fake.Epoch)/time.Second) },
	}
}

func (p *play) ran() bool {
	_, err := os.Stat(filepath.Join(p.dir, "ran"))
	return err == nil
}

// What a command is said to destroy decides on the outcome of a destroy, and its
// own exit code on that of anything else.
func TestOutcomes(t *testing.T) {
	gone := func(names ...string) func(*play, context.Context, fake.Step) error {
		return func(p *play, _ context.Context, s fake.Step) error {
			if s.String() == "before snapshot 2" { // what the command has done
				for _, name := range names {
					p.Free(name)
					p.Remove(name)
				}
			}
			return nil
		}
	}
	volumes := Targets{Volumes: []string{"data"}, Projects: []string{"shop"}}
	for name, c := range map[string]struct {
		operation, script string
		targets           Targets
		at                func(*play, context.Context, fake.Step) error
		code              int
		outcome           audit.Outcome
		lost, remaining   int
	}{
		"all gone":                      {audit.Destroy, "exit 0", volumes, gone("data", "shop_data"), 0, audit.Success, 3, 0},
		"all gone, and it failed":       {audit.Destroy, "exit 3", volumes, gone("data", "shop_data"), 3, audit.Success, 3, 0},
		"some gone":                     {audit.Destroy, "exit 0", volumes, gone("data"), 0, audit.Partial, 1, 2},
		"none gone":                     {audit.Prune, "exit 0", volumes, nil, 0, audit.Failed, 0, 3},
		"none gone, and it failed":      {audit.Destroy, "exit 3", volumes, nil, 3, audit.Failed, 0, 3},
		"no target":                     {audit.Destroy, "exit 0", Targets{}, nil, 0, audit.Success, 1, 0},
		"nothing was there":             {audit.Destroy, "exit 0", Targets{Volumes: []string{"x"}}, nil, 0, audit.Success, 1, 0},
		"another operation":             {audit.Export, "exit 0", volumes, nil, 0, audit.Success, 1, 0},
		"another operation that failed": {audit.Export, "exit 9", volumes, nil, 9, audit.Failed, 0, 0},
		"a file":                        {audit.Destroy, "rm file", Targets{Paths: []string{"file"}}, nil, 0, audit.Success, 2, 0},
		"a directory that is emptied":   {audit.Destroy, "rm full/*", Targets{Paths: []string{"full"}}, nil, 0, audit.Success, 2, 0},
		"a file that is replaced":       {audit.Destroy, "mv full/one file", Targets{Paths: []string{"file"}}, nil, 0, audit.Success, 2, 0},
		"a file that stays":             {audit.Destroy, "rm -r full", Targets{Paths: []string{"file", "full"}}, nil, 0, audit.Partial, 1, 1},
		"it is not there":               {audit.Destroy, "", volumes, nil, exitNotFound, audit.Failed, 0, 3},
		"a signal ends it":              {audit.Export, "kill -TERM $$", volumes, nil, 143, audit.Cancelled, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := run(t, c.operation, c.script, c.targets, c.at)
			p.Check()
			e, _ := p.Event()
			d, err := record.ParseDetails(e)
			if err != nil || p.code != c.code || e.Outcome != c.outcome || len(e.DataAffected) != c.lost || len(d.Remaining) != c.remaining || (p.err != nil) != (c.script == "") {
				t.Errorf("exit %d, %v; %s of %q, remaining %q", p.code, p.err, e.Outcome, e.DataAffected, d.Remaining)
			}
			if d.ExitCode == nil || *d.ExitCode != c.code || d.RecordedBy != "run" || p.ran() != (c.script != "") {
				t.Errorf("%+v", d)
			}
			silent := c.code == 0 && c.remaining > 0 // the exit code says nothing of it
			if told := len(p.notes) == 1 && strings.Contains(p.notes[0], "recorded as "+string(c.outcome)+": ccdestroy audit show "+e.ID); told != silent || !silent && len(p.notes) > 0 {
				t.Errorf("notes %q", p.notes)
			}
		})
	}
}

// The pending event names what may go; without one the command does not run. What
// cannot be told afterwards stays unfinished, under the same names.
func TestEveryStep(t *testing.T) {
	targets := func() Targets { return Targets{Volumes: []string{"data"}, Paths: []string{"file"}} }
	steps := run(t, audit.Destroy, "rm file", targets(), nil).Steps()
	for _, what := range []string{"fails", "is killed", "a signal"} {
		for _, at := range steps {
			t.Run(fmt.Sprint(what, " ", at), func(t *testing.T) {
				p := run(t, audit.Destroy, "rm file", targets(), func(p *play, ctx context.Context, s fake.Step) error {
					switch {
					case s != at:
					case what == "fails":
						return fake.ErrFailed
					case what == "is killed":
						p.Kill()
					default:
						p.Signals <- syscall.SIGTERM
					}
					return nil
				})
				p.Check()
				e, recorded := p.Event()
				pending := slices.Index(p.Steps(), fake.Step{Name: "begin", N: 1, After: true}) >= 0
				if p.ran() && !pending {
					t.Errorf("it ran without a pending event")
				}
				if recorded && pending && e.Outcome == audit.Pending && !slices.Equal(e.DataAffected, []string{"thing", filepath.Join(p.dir, "file"), "data"}) {
					t.Errorf("the pending event names %q", e.DataAffected)
				}
				if !p.ran() && p.code == 0 {
					t.Errorf("it did not run, and the exit code is 0")
				}
				if what == "fails" && at.Name == "begin" && (p.code != fault.ExitNoRecord || p.ran()) {
					t.Errorf("without a record: exit %d, ran %t", p.code, p.ran())
				}
				if what == "fails" && at.Name == "append" && (p.code != 0 || !strings.Contains(strings.Join(p.notes, " "), "ccdestroy record --id "+e.ID)) {
					t.Errorf("without an outcome: exit %d, notes %q", p.code, p.notes)
				}
			})
		}
	}
}
