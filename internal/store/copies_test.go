package store

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// hung is a sink that takes nothing until it is given up.
type hung struct{}

func (hung) Name() string { return "hung" }

func (hung) Send(ctx context.Context, _ []Line) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

// A sink that hangs keeps no other one from its lines, neither now nor while it rests,
// and nothing that does not need it from going ahead.
func TestCopiesApart(t *testing.T) {
	was := []time.Duration{followBudget, restBudget}
	followBudget, restBudget = 100*time.Millisecond, time.Hour
	t.Cleanup(func() { followBudget, restBudget = was[0], was[1] })
	dir := t.TempDir()
	l := &audit.Log{Path: filepath.Join(dir, "audit.jsonl")}
	m := &memory{name: "m", fail: -1}
	c := &Copies{To: []*Copy{{Sink: hung{}, Mode: Later, Alone: true}, {Sink: m, Mode: Require}}, State: filepath.Join(dir, "state")}
	recorded(t, l, 2)
	if err := c.Follow(t.Context(), l); err == nil || !strings.Contains(err.Error(), "not within 100ms: ship to hung") || len(m.lines) != 2 {
		t.Errorf("%v, %d lines", err, len(m.lines))
	}
	recorded(t, l, 1)
	if err := c.Follow(t.Context(), l); err != nil || len(m.lines) != 3 {
		t.Errorf("while it rests: %v, %d lines", err, len(m.lines))
	}
	recorded(t, l, 1)
	if err := c.Secure(t.Context(), l); err != nil || len(m.lines) != 4 {
		t.Errorf("before a deed: %v, %d lines", err, len(m.lines))
	}
	c.To[0].failed, restBudget = time.Time{}, 0
	m.fail, m.err = 0, errors.New("full")
	recorded(t, l, 1)
	if err := c.Follow(t.Context(), l); err == nil || err.Error() != "not within 100ms: ship to hung: context deadline exceeded; ship to m: full" {
		t.Errorf("both: %v", err)
	}
}

// slow takes lines, and what it has stays one of it alone as long as no two send at
// once.
type slow struct {
	mu    sync.Mutex // guards what follows
	lines []string
}

func (s *slow) Name() string { return "slow" }

func (s *slow) Send(_ context.Context, lines []Line) (int, error) {
	time.Sleep(time.Millisecond) // so that others come meanwhile
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range lines {
		s.lines = append(s.lines, string(line.Bytes))
	}
	return len(lines), nil
}

// Of several that ship alone each line is sent by one. Who waits for another one ends
// when its time is up.
func TestShipAlone(t *testing.T) {
	dir := t.TempDir()
	l := &audit.Log{Path: filepath.Join(dir, "audit.jsonl")}
	sink := &slow{}
	shipper := func() *Shipper { return &Shipper{Log: l, Sink: sink, State: filepath.Join(dir, "state"), Alone: true} }
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for range 5 {
				e := audit.Event{ID: ulid.Make().String(), Timestamp: time.Now(), Operation: "destroy", Outcome: audit.Success, User: "ana"}
				if _, err := l.Begin(t.Context(), e, 0); err != nil {
					t.Error(err)
				}
				if _, err := shipper().Ship(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	if want := chained(t, l); !slices.Equal(sink.lines, want) {
		t.Errorf("%d lines were sent of %d, or in another order", len(sink.lines), len(want))
	}
	unlock, err := shipper().cursor().lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := shipper().Ship(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "ship to slow") {
		t.Error(err)
	}
	unlock()
	if done, err := shipper().Ship(t.Context()); err != nil || done.Lines != 0 {
		t.Errorf("%+v, %v", done, err)
	}
}
