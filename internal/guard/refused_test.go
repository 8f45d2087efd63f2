package guard

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/lab/fake"
	"github.com/contextcore/ccdestroy/internal/record"
)

// shelf is an engine with volumes that nothing uses.
type shelf struct {
	Engine
	volumes map[string]bool
}

func (s shelf) Describe(context.Context) (inventory.Engine, error) {
	return inventory.Engine{ID: "e1"}, nil
}

func (s shelf) Volume(_ context.Context, name string) (inventory.Volume, bool, error) {
	return inventory.Volume{Name: name, Driver: "local"}, s.volumes[name], nil
}

func (s shelf) Users(context.Context, string) ([]inventory.Container, error) { return nil, nil }

func (s shelf) Measure(context.Context, []inventory.Volume) map[string]inventory.Size { return nil }

// settle is how an operation on it is settled: by looking.
func (s shelf) settle(_ context.Context, o *record.Operation) (record.Ended, error) {
	end := record.Ended{Outcome: audit.Failed}
	for _, name := range o.Details.Going() {
		if !s.volumes[name] {
			end = record.Ended{Outcome: audit.Success, Affected: []string{name}}
		}
	}
	return end, nil
}

// store is where events are copied, unless it is down.
type store struct{ down bool }

func (s *store) Secure(context.Context, *audit.Log) error {
	if s.down {
		return errors.New("the store is down")
	}
	return nil
}

func (s *store) Follow(ctx context.Context, l *audit.Log) error { return s.Secure(ctx, l) }

// broken fails to append to the log as long as it is.
type broken struct {
	record.Recorder
	is bool
}

func (b *broken) Append(ctx context.Context, e audit.Event, room int64) (audit.Head, error) {
	if b.is {
		return audit.Head{}, errors.New("the disk is full")
	}
	return b.Recorder.Append(ctx, e, room)
}

// A call whose pending event is in the log, and not where it must be copied, is refused,
// and recorded as failed: at once, or, if that cannot be written either, before the
// next call. It is not taken for the later one that destroys the volume.
func TestRefusedCallIsNotTheNext(t *testing.T) {
	for _, unwritten := range []bool{false, true} {
		t.Run(fmt.Sprintf("unwritten=%t", unwritten), func(t *testing.T) {
			e, copies := shelf{volumes: map[string]bool{"a": true}}, &store{down: true}
			log := &audit.Log{Path: filepath.Join(fake.Dir(t), "audit.jsonl")}
			disk, ids := &broken{Recorder: log, is: unwritten}, 0
			b := &record.Book{
				Log: log, Recorder: disk, Copier: copies, Now: time.Now, Note: func(text string) { t.Log(text) }, Settlers: map[string]record.Settler{audit.Destroy: e.settle},
				NewID: func(time.Time) string { ids++; return fmt.Sprintf("01KB%022d", ids) },
			}
			g := &Guard{Engine: e, Book: b, Others: func() []*audit.Log { return nil }, Now: time.Now, Note: b.Note}
			rm := Request{Method: "DELETE", URI: "/volumes/a", Status: 204}
			if err := g.Before(t.Context(), rm); err == nil || !strings.Contains(err.Error(), "so nothing was destroyed: the store is down") {
				t.Fatalf("it is allowed: %v", err)
			}
			copies.down, disk.is = false, false
			if err := g.Before(t.Context(), rm); err != nil {
				t.Fatal(err)
			}
			delete(e.volumes, "a")
			g.After(t.Context(), rm)
			if _, err := b.Reconcile(t.Context(), false); err != nil {
				t.Fatal(err)
			}
			got := ""
			if _, err := log.Events(audit.Query{}, func(r audit.Record, _ []byte) error { // the newest first
				got = fmt.Sprintf("%s %s, %s", r.ID[len(r.ID)-1:], r.Outcome, got)
				return nil
			}); err != nil || got != "1 pending, 1 failed, 2 pending, 2 success, " {
				t.Error(err, got)
			}
		})
	}
}
