package provider

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/lab/fake"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// down has Compose call the provider, in a world with one volume.
func down(t testing.TB, at func(*fake.Process, context.Context, fake.Step), leave Leave) (*fake.Process, error) {
	w := fake.New(t)
	w.Make("data", "com.docker.compose.project=shop", "com.docker.compose.volume=data")
	p := w.Process()
	p.At = func(ctx context.Context, s fake.Step) error {
		if at != nil {
			at(p, ctx, s)
		}
		return nil
	}
	c := &fake.Compose{Process: p, Is: inventory.Model{
		Project: "shop", Mode: inventory.Files, Dir: w.Dir(), Volumes: []inventory.Declared{{Key: "data", Name: "data"}},
	}}
	d := Down{
		Project: "shop", Caller: Caller{compose.Call{Argv: []string{"docker", "compose", "down", "--volumes"}}, os.Getpid()}, Engine: p,
		Resolver: func(compose.Args) teardown.Resolver { return c }, Options: inventory.Options{Volumes: true}, Dir: w.Dir(), Leave: leave, Signals: p.Signals,
		Place: record.Place{Path: w.Log.Path, Book: record.Book{
			Log: w.Log, Recorder: p.Recorder(), User: "ana", Tool: "test", Now: p.Now, Note: func(string) {}, LockTimeout: time.Minute,
			NewID: func(at time.Time) string { return fmt.Sprintf("01KB%022d", at.Sub(fake.Epoch)/time.Second) },
		}},
		LastExports: func(*record.Book, []string) map[string]inventory.LastExport { return nil },
	}
	_, err := d.Do(context.Background())
	return p, err
}

// Where nobody can be left behind to record the outcome, Compose stops, and the
// operation has failed: it is not unfinished.
func TestNobodyIsLeft(t *testing.T) {
	p, err := down(t, nil, func(string, string, Caller, []*os.File) error { return fs.ErrPermission })
	p.Check()
	e, begun := p.Event()
	if !errors.Is(err, fs.ErrPermission) || !begun || e.Outcome != audit.Failed || len(e.DataAffected) > 0 || !p.Has("data") {
		t.Errorf("%v: %s of %q", err, e.Outcome, e.DataAffected)
	}
	if left, _ := os.ReadDir(p.Log.Path + ".ops"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A signal at any step before the operation has begun makes Compose stop, and
// nothing is left unfinished.
func TestSignalStopsTheProvider(t *testing.T) {
	left := func(string, string, Caller, []*os.File) error { return errors.New("a process was left behind") }
	undisturbed, _ := down(t, nil, left)
	for _, step := range undisturbed.Steps() {
		fake.Bubble(t, step.String(), func(t testing.TB) {
			p, err := down(t, func(p *fake.Process, ctx context.Context, s fake.Step) {
				if s == step {
					p.Signal(ctx, syscall.SIGTERM)
				}
			}, left)
			p.Check()
			if e, begun := p.Event(); begun && e.Outcome == audit.Pending {
				t.Error("it is unfinished")
			}
			if before := !strings.Contains(step.String(), "begin") && !strings.Contains(step.String(), "append"); before && fault.AsFault(err).Code != 143 {
				t.Errorf("%v", err)
			}
		})
	}
}
