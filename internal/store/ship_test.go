package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// memory is a strict sink: it refuses what does not follow what it has, and can fail
// after so many lines.
type memory struct {
	name  string
	lines []string
	fail  int // after so many lines of a call; -1 never
	err   error
}

func (m *memory) Name() string { return m.name }

func (m *memory) Send(_ context.Context, lines []Line) (int, error) {
	for i, line := range lines {
		if i == m.fail {
			return i, m.err
		}
		m.lines = append(m.lines, string(line.Bytes))
	}
	return len(lines), nil
}

// recorded appends operations of one event to a log.
func recorded(t *testing.T, l *audit.Log, n int) {
	t.Helper()
	for i := range n {
		e := audit.Event{ID: fmt.Sprintf("ID%d%d", time.Now().UnixNano(), i), Timestamp: time.Now(), Operation: "destroy", Outcome: audit.Success, User: "ana"}
		if _, err := l.Begin(t.Context(), e, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// chained are the chained lines of a log, in all its segments.
func chained(t *testing.T, l *audit.Log) (lines []string) {
	t.Helper()
	if _, err := l.After(audit.Mark{}, func(_ audit.Event, line []byte, _ audit.Mark) error {
		lines = append(lines, string(line))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestShip(t *testing.T) {
	dir := t.TempDir()
	l := &audit.Log{Path: filepath.Join(dir, "audit.jsonl")}
	m := &memory{name: "m", fail: -1}
	s := &Shipper{Log: l, Sink: m, State: filepath.Join(dir, "state")}
	if done, err := s.Ship(t.Context()); err != nil || done != (Shipped{}) {
		t.Errorf("no log: %+v, %v", done, err)
	}
	recorded(t, l, 3)
	ship := func(want Shipped) {
		t.Helper()
		done, err := s.Ship(t.Context())
		if err != nil || done != want {
			t.Errorf("%+v, %v, want %+v", done, err, want)
		}
		if lines := chained(t, l); !slices.Equal(m.lines, lines) {
			t.Errorf("there are %d of %d lines, or others", len(m.lines), len(lines))
		}
	}
	ship(Shipped{Lines: 3})
	ship(Shipped{})
	recorded(t, l, 1)
	ship(Shipped{Lines: 1})

	// What is in between and is not chained stays behind, and is counted.
	f, err := os.OpenFile(l.Path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	seed := `{"timestamp":"2026-01-01T00:00:00+00:00","operation":"x","outcome":"success","user":"u","details":{},"data_affected":[],"export_path":null}`
	if _, err := f.WriteString(seed + "\nrubbish\n"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	recorded(t, l, 1)
	ship(Shipped{Lines: 1, Passed: 2})

	// On from one segment to the next, and over two at once.
	about := func() audit.Event {
		return audit.Event{ID: fmt.Sprint("R", time.Now().UnixNano()), Timestamp: time.Now(), Operation: audit.Rotate, Outcome: audit.Success, User: "ana"}
	}
	for range 2 {
		recorded(t, l, 2)
		if _, err := l.Rotate(t.Context(), about(), about()); err != nil {
			t.Fatal(err)
		}
	}
	lines := len(chained(t, l)) - len(m.lines)
	ship(Shipped{Lines: lines})
	ship(Shipped{})

	// A lost or foreign cursor repeats everything; a log that is not there any more
	// does no harm.
	if err := os.RemoveAll(s.State); err != nil {
		t.Fatal(err)
	}
	m.lines = nil
	ship(Shipped{Lines: len(chained(t, l)), Passed: 2})
	files, _ := filepath.Glob(filepath.Join(s.State, "*"))
	if len(files) != 1 {
		t.Fatal(files)
	}
	if err := os.WriteFile(files[0], []byte("{\"path\":\"/other\"}\nnonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.lines = nil
	ship(Shipped{Lines: len(chained(t, l)), Passed: 2})
}

// A sink that fails gets the rest later.
func TestShipFails(t *testing.T) {
	dir := t.TempDir()
	l := &audit.Log{Path: filepath.Join(dir, "audit.jsonl")}
	m := &memory{name: "m", fail: 5, err: errors.New("the sink is down")}
	s := &Shipper{Log: l, Sink: m, State: filepath.Join(dir, "state")}
	recorded(t, l, 2*batchLines+10)
	if done, err := s.Ship(t.Context()); err == nil || !strings.Contains(err.Error(), "ship to m: the sink is down") || done.Lines != 5 {
		t.Errorf("%+v, %v", done, err)
	}
	// An error of the sink that looks like a missing log is one of the sink.
	m.err, m.fail = fs.ErrNotExist, 0
	if done, err := s.Ship(t.Context()); !errors.Is(err, fs.ErrNotExist) || done.Lines != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	m.fail = -1
	if done, err := s.Ship(t.Context()); err != nil || done.Lines != 2*batchLines+5 {
		t.Errorf("%+v, %v", done, err)
	}
	if want := chained(t, l); !slices.Equal(m.lines, want) {
		t.Errorf("%d lines, want %d", len(m.lines), len(want))
	}
}

// The file of a cursor does not grow for ever.
func TestCursor(t *testing.T) {
	s := &Shipper{Log: &audit.Log{Path: "/x/audit.jsonl"}, Sink: &memory{name: "m"}, State: t.TempDir()}
	for i := range 2000 {
		s.cursor().set(audit.Mark{Log: "L", Seq: int64(i), SHA256: strings.Repeat("a", 64), Offset: int64(i)})
	}
	if m := s.cursor().get(); m.Seq != 1999 {
		t.Errorf("%+v", m)
	}
	info, err := os.Stat(s.cursor().file)
	if err != nil || info.Size() > cursorLimit+1000 {
		t.Errorf("%v, %v", info, err)
	}
	s.Sink = &memory{name: "other"}
	if m := s.cursor().get(); m != (audit.Mark{}) {
		t.Errorf("another sink's: %+v", m)
	}
	if data, _ := json.Marshal(s.cursor()); !strings.Contains(string(data), "/x/audit.jsonl") {
		t.Errorf("%s", data)
	}
}
