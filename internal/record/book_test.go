package record

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/lab/fake"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// desk is a book with what it noted.
type desk struct {
	*Book
	t *testing.T

	mu    sync.Mutex // guards the next two
	ids   int
	notes []string
}

func newDesk(t *testing.T) *desk {
	d := deskFor(filepath.Join(fake.Dir(t), "logs", "audit.jsonl"))
	d.t = t
	return d
}

func deskFor(log string) *desk {
	d := &desk{}
	d.Book = &Book{
		Log: &audit.Log{Path: log}, User: "ana", Actor: []byte(`{"host":"lap"}`), Tool: "test",
		Program: []string{"ccdestroy"}, Now: func() time.Time { return noon }, LockTimeout: time.Minute, Settlers: map[string]Settler{audit.Destroy: d.fails},
		NewID: func(time.Time) string {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.ids++
			return fmt.Sprintf("01KB%022d", d.ids)
		},
		Note: func(text string) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.notes = append(d.notes, text)
		},
	}
	return d
}

// fails is a settler that finds that nothing went.
func (d *desk) fails(context.Context, *Operation) (Ended, error) {
	return Ended{Outcome: audit.Failed, Err: fmt.Errorf("it was cut off")}, nil
}

func (d *desk) noted() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.notes, "\n")
}

// open begins an operation on a project.
func (d *desk) open(project string) *Operation {
	d.t.Helper()
	o, err := d.Open(audit.Destroy)
	if err != nil {
		d.t.Fatal(err)
	}
	o.Details.Inventory = inventory.Inventory{Project: project, Engine: inventory.Engine{ID: "e1"}}
	return o
}

// pending begins one with a pending event and its project's lock.
func (d *desk) pending(project string) *Operation {
	d.t.Helper()
	o := d.open(project)
	if err := o.LockProject(context.Background(), "e1", project); err != nil {
		d.t.Fatal(err)
	}
	if err := o.Pend(context.Background()); err != nil {
		d.t.Fatal(err)
	}
	return o
}

// die is what becomes of an operation whose process is killed.
func die(o *Operation) {
	for _, l := range []*durable.Locked{o.lock, o.project} {
		if l != nil {
			_ = l.Leave()
		}
	}
}

// files are the lock files that there are.
func (d *desk) files() (names []string) {
	d.t.Helper()
	list, err := os.ReadDir(d.ops())
	if err != nil && !os.IsNotExist(err) {
		d.t.Fatal(err)
	}
	for _, entry := range list {
		names = append(names, entry.Name())
	}
	return names
}

// outcome is the newest one of an operation.
func (d *desk) outcome(id string) audit.Outcome {
	d.t.Helper()
	last, _, err := d.newest(id)
	if err != nil {
		d.t.Fatal(err)
	}
	return last.Outcome
}

// A command on a log names it where it would not find it.
func TestCommandOnALog(t *testing.T) {
	b := &Book{Log: &audit.Log{Path: "/w/the log.jsonl"}}
	for name, c := range map[string]struct {
		finds func(string) bool
		want  string
	}{
		"it is found": {func(path string) bool { return path == "/w/the log.jsonl" }, "ccdestroy reconcile"},
		"it is not":   {func(string) bool { return false }, "ccdestroy reconcile --log '/w/the log.jsonl'"},
		"nobody says": {nil, "ccdestroy reconcile --log '/w/the log.jsonl'"},
	} {
		b.Finds = c.finds
		if got := b.Command("reconcile"); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
