package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// counting counts the lines that are read.
type counting struct {
	Loose
	lines *atomic.Int64
}

func (c counting) Lines(ctx context.Context, keys []Key) ([][]byte, error) {
	c.lines.Add(int64(len(keys)))
	return c.Loose.Lines(ctx, keys)
}

// world is a store with logs, whose events have the times that they are given.
type world struct {
	t      *testing.T
	server *s3lab.Server
	bucket *S3
	lines  atomic.Int64
	n      int
}

func newWorld(t *testing.T) *world {
	server := s3lab.Start(t, s3lab.Options{})
	w := &world{t: t, server: server}
	w.bucket = open(t, server, server.Root, server.Bucket("audit", false)+"/team")
	return w
}

func (w *world) archive() Archive { return Archive{counting{Loose{w.bucket}, &w.lines}} }

func (w *world) log() *audit.Log {
	w.n++
	return &audit.Log{Path: filepath.Join(w.t.TempDir(), fmt.Sprint(w.n), "audit.jsonl")}
}

// event records one at a time and returns its operation's id.
func (w *world) event(l *audit.Log, id string, at time.Time, operation string, o audit.Outcome) string {
	w.t.Helper()
	add := l.Append
	if id == "" {
		id, add = ulid.MustNewDefault(at).String(), l.Begin
	}
	details, _ := json.Marshal(map[string]string{"project": "shop"})
	if _, err := add(w.t.Context(), audit.Event{ID: id, Timestamp: at, Operation: operation, Outcome: o, User: "ana", Details: details}, 0); err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) ship(logs ...*audit.Log) {
	w.t.Helper()
	for _, l := range logs {
		if _, err := (&Shipper{Log: l, Sink: Objects{w.bucket}}).Ship(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) list(q Query) (out []string) {
	w.t.Helper()
	if err := w.archive().History(w.t.Context(), q, func(r audit.Record, _ []byte) error {
		out = append(out, fmt.Sprintf("%s %s %s", r.ID, r.Operation, r.Outcome))
		if r.Unfinished != (!q.Raw && r.Outcome == audit.Pending) {
			w.t.Errorf("%s is unfinished: %t", r.ID, r.Unfinished)
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return out
}

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// What the key rules out is not read; the rest is merged as audit merges it.
func TestHistory(t *testing.T) {
	w := newWorld(t)
	a, b := w.log(), w.log()
	one := w.event(a, "", noon, "destroy", audit.Pending)
	w.event(a, one, noon.Add(time.Minute), "destroy", audit.Success)
	two := w.event(b, "", noon.Add(11*time.Hour), "prune", audit.Pending)
	w.event(b, two, noon.Add(14*time.Hour), "prune", audit.Failed) // the next day
	three := w.event(a, "", noon.Add(72*time.Hour), "destroy", audit.Pending)
	w.event(a, three, noon.Add(72*time.Hour-time.Second), "destroy", audit.Partial) // the clock was set back
	four := w.event(b, "", noon.Add(96*time.Hour), "destroy", audit.Pending)        // unfinished
	w.ship(a, b)
	all := []string{four + " destroy pending", three + " destroy partial", two + " prune failed", one + " destroy success"}
	for name, c := range map[string]struct {
		q    Query
		want []string
		read int64
	}{
		"all":        {Query{}, all, 4},
		"limit":      {Query{Limit: 2}, all[:2], 2},
		"operation":  {Query{Operation: []string{"prune"}}, all[2:3], 1},
		"outcome":    {Query{Outcome: []string{"success", "failed"}}, all[2:], 2},
		"unfinished": {Query{Outcome: []string{"pending"}}, all[:1], 1},
		"since":      {Query{Since: noon.Add(48 * time.Hour)}, all[:2], 2},
		"until":      {Query{Until: noon.Add(12 * time.Hour)}, all[3:], 1}, // two ended after that
		"between":    {Query{Since: noon.Add(13 * time.Hour), Until: noon.Add(80 * time.Hour)}, all[1:3], 2},
		"none":       {Query{Operation: []string{"x"}}, nil, 0},
		"match":      {Query{Match: func(e audit.Event, _ []byte) bool { return e.Outcome == audit.Success }}, all[3:], 4},
		"raw":        {Query{Raw: true, Limit: 3}, []string{all[0], three + " destroy pending", all[1]}, 3},
	} {
		w.lines.Store(0)
		if got := w.list(c.q); !slices.Equal(got, c.want) || w.lines.Load() != c.read {
			t.Errorf("%s: read %d for %q, want %d and %q", name, w.lines.Load(), got, c.read, c.want)
		}
	}
	w.lines.Store(0)
	ids, err := w.archive().IDs(t.Context(), 2)
	if err != nil || !slices.Equal(ids, []string{four, three}) || w.lines.Load() != 0 {
		t.Errorf("%q, %v, read %d", ids, err, w.lines.Load())
	}
	heads, err := w.archive().Heads(t.Context())
	for i, l := range []*audit.Log{a, b} {
		h, _ := l.Last()
		if err != nil || len(heads) != 2 || !slices.Contains(heads, h) {
			t.Errorf("head %d: %v, %v", i, heads, err)
		}
	}
	for _, prefix := range []string{two, strings.ToLower(two[:10])} {
		w.lines.Store(0)
		events, lines, err := w.archive().Show(t.Context(), prefix, func(k Key) { t.Error(k) })
		if err != nil || len(events) != 2 || len(lines) != 2 || events[0].Outcome != audit.Pending || events[1].Outcome != audit.Failed || w.lines.Load() != 2 {
			t.Errorf("%s: %v, %v, read %d", prefix, events, err, w.lines.Load())
		}
	}
	var ambiguous *audit.AmbiguousError
	if _, _, err := w.archive().Show(t.Context(), "01", func(k Key) { t.Error(k) }); !errors.As(err, &ambiguous) || len(ambiguous.IDs) != 4 {
		t.Error(err)
	}
	if _, _, err := w.archive().Show(t.Context(), "01ZZ", func(k Key) { t.Error(k) }); !errors.Is(err, audit.ErrNotFound) {
		t.Error(err)
	}
	if got := w.list(Query{Limit: 1, Outcome: []string{"pending"}}); len(got) != 1 {
		t.Error(got)
	}
}

// verdict is what Verify finds, in short.
func (w *world) verdict(heads ...audit.Head) (out []string) {
	w.t.Helper()
	r, err := w.archive().Verify(w.t.Context(), "s3://audit", heads)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range r.Findings {
		if !f.Problem {
			w.t.Errorf("no problem: %+v", f)
		}
		out = append(out, fmt.Sprintf("%s %d-%d", f.Class, f.Seq, f.ToSeq))
	}
	return out
}

// Two runners that restored one cache go on with one log in two ways: both are kept,
// both are found.
func TestForkIsTold(t *testing.T) {
	w := newWorld(t)
	a := w.log()
	w.event(a, "", noon, "destroy", audit.Success)
	w.event(a, "", noon.Add(time.Minute), "destroy", audit.Success)
	data, err := os.ReadFile(a.Path)
	if err != nil {
		t.Fatal(err)
	}
	w.ship(a)
	b := w.log()
	if err := os.MkdirAll(filepath.Dir(b.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.Path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	w.event(a, "", noon.Add(time.Hour), "destroy", audit.Success)
	w.event(b, "", noon.Add(time.Hour), "destroy", audit.Failed)
	w.event(b, "", noon.Add(25*time.Hour), "destroy", audit.Failed)
	w.ship(a, b)
	if got := w.verdict(); !slices.Equal(got, []string{"forked 3-3"}) {
		t.Error(got)
	}
	var told []int64
	if got := w.list(Query{Forked: func(_ string, seq int64) { told = append(told, seq) }}); len(got) != 5 || !slices.Equal(told, []int64{3}) {
		t.Error(got, told)
	}
}

// Every change to the objects is found, with its class; the rest of the log stands.
func TestTamperedStore(t *testing.T) {
	w := newWorld(t)
	a, b := w.log(), w.log()
	for i := range 6 {
		w.event(a, "", noon.Add(time.Duration(i)*7*time.Hour), "destroy", audit.Success)
	}
	w.event(b, "", noon, "prune", audit.Success)
	about := func() audit.Event {
		return audit.Event{ID: ulid.MustNewDefault(noon).String(), Timestamp: noon, Operation: audit.Rotate, Outcome: audit.Success, User: "ana"}
	}
	if _, err := b.Rotate(t.Context(), about(), about()); err != nil {
		t.Fatal(err)
	}
	w.ship(a, b)
	if got := w.verdict(); got != nil {
		t.Fatal(got)
	}
	head, err := a.Last()
	if err != nil {
		t.Fatal(err)
	}
	if got := w.verdict(head, audit.Head{Log: head.Log, Seq: 2, SHA256: strings.Repeat("1", 64)}); !slices.Equal(got, []string{"missing 2-2"}) {
		t.Error(got)
	}
	heads, _ := w.archive().Heads(t.Context())
	logs := map[bool]string{}
	for _, h := range heads {
		logs[h.Log == head.Log] = h.Log
	}
	path := func(log string, seq int) string {
		for key := range w.server.Objects("audit", "team") {
			if k, err := parseKey(strings.TrimPrefix(key, "team/")); err == nil && k.Log == log && k.Seq == int64(seq) {
				return filepath.Join(w.server.Dir, "data", "audit", key)
			}
		}
		t.Fatalf("no line %d of %s", seq, log)
		return ""
	}
	older := "" // the segment that the other log was rotated from
	for key := range w.server.Objects("audit", "team") {
		if k, _ := parseKey(strings.TrimPrefix(key, "team/")); k.Operation == "prune" {
			older = k.Log
		}
	}
	write := func(path string, data string) {
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		path  string
		spoil func(path string, data string)
		want  []string
	}{
		"a byte changed":          {path(head.Log, 3), func(p, d string) { write(p, strings.Replace(d, "ana", "bob", 1)) }, []string{"changed 3-3"}},
		"far too long":            {path(head.Log, 3), func(p, d string) { write(p, d+strings.Repeat(" ", maxLine)) }, []string{"changed 3-3"}},
		"emptied":                 {path(head.Log, 3), func(p, _ string) { write(p, "") }, []string{"changed 3-3"}},
		"the first one removed":   {path(head.Log, 1), func(p, _ string) { _ = os.Remove(p) }, []string{"missing 1-1"}},
		"one removed":             {path(head.Log, 4), func(p, _ string) { _ = os.Remove(p) }, []string{"missing 4-4"}},
		"moved to another number": {path(head.Log, 6), func(p, _ string) { _ = os.Rename(p, strings.Replace(p, "_0000000006_", "_0000000007_", 1)) }, []string{"changed 7-7", "missing 6-6"}},
		"another's line":          {path(head.Log, 5), func(p, _ string) { d, _ := os.ReadFile(path(head.Log, 4)); write(p, string(d)) }, []string{"changed 5-5"}},
		"an object added":         {path(head.Log, 5), func(p, _ string) { write(filepath.Join(filepath.Dir(p), "x.json"), "{}") }, []string{"inserted 0-0"}},
		"a forged line": {path(head.Log, 6), func(p, d string) {
			forged := strings.Replace(d, "ana", "bob", 1)
			key := filepath.Base(p)
			write(filepath.Join(filepath.Dir(p), strings.Replace(key, audit.Sum([]byte(d)), audit.Sum([]byte(forged)), 1)), forged)
		}, []string{"forked 6-6"}},
		"a line replaced": {path(head.Log, 4), func(p, d string) {
			forged := strings.Replace(d, "ana", "bob", 1)
			write(filepath.Join(filepath.Dir(p), strings.Replace(filepath.Base(p), audit.Sum([]byte(d)), audit.Sum([]byte(forged)), 1)), forged)
			_ = os.Remove(p)
		}, []string{"changed 5-5"}},
		"the end of a segment removed": {path(older, 2), func(p, _ string) { _ = os.Remove(p) }, []string{"missing 2-2"}},
	} {
		data, err := os.ReadFile(c.path)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Dir(c.path)
		before, _ := filepath.Glob(filepath.Join(dir, "*"))
		c.spoil(c.path, string(data))
		if got := w.verdict(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		spoilt := 0 // a reader goes on
		if got := w.list(Query{Operation: []string{"destroy"}, Spoilt: func(Key) { spoilt++ }}); len(got) < 5 || len(got) > 7 || len(got) == 5 && spoilt == 0 && !strings.Contains(name, "removed") {
			t.Errorf("%s: %d spoilt, %q", name, spoilt, got)
		}
		after, _ := filepath.Glob(filepath.Join(dir, "*"))
		for _, p := range after {
			if !slices.Contains(before, p) {
				_ = os.Remove(p)
			}
		}
		write(c.path, string(data))
		if got := w.verdict(); got != nil {
			t.Fatalf("%s: not put back: %q", name, got)
		}
	}
}

// What comes is shown once, by whichever log, and what was there before is not.
func TestFollow(t *testing.T) {
	w := newWorld(t)
	a, b := w.log(), w.log()
	now := time.Now()
	w.event(a, "", now.Add(-time.Minute), "destroy", audit.Success)
	w.ship(a)
	var shown []string
	rounds := 0
	done := errors.New("done")
	err := w.archive().Follow(t.Context(), time.Now, func() error {
		switch rounds++; rounds {
		case 1:
			w.event(a, "", now, "destroy", audit.Failed)
			w.ship(a)
		case 2:
			w.event(b, "", now.Add(-10*time.Minute), "prune", audit.Success) // it comes late
			w.ship(b)
		case 4:
			return done
		}
		return nil
	}, func(e audit.Event, _ []byte) error {
		shown = append(shown, e.Operation+" "+string(e.Outcome))
		return nil
	})
	if !errors.Is(err, done) || !slices.Equal(shown, []string{"destroy failed", "prune success"}) {
		t.Errorf("%v: %q", err, shown)
	}
}
