package audit

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
	"sync"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/durable"
)

func rotateEvent(id string) Event {
	return Event{ID: id, Timestamp: epoch, Operation: Rotate, Outcome: Success, User: "ana", Details: json.RawMessage(`{"tool":"ccdestroy test"}`)}
}

func rotate(t *testing.T, l *Log) Rotation {
	t.Helper()
	r, err := l.Rotate(context.Background(), rotateEvent("CLOSE"), rotateEvent("OPEN"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rotated is a log of three segments with two operations in each, and what was
// recorded, oldest first.
func rotated(t *testing.T) (l *Log, paths []string, ids []string) {
	t.Helper()
	l = newLog(t)
	l.Heads = &Heads{Dir: filepath.Join(t.TempDir(), "heads")}
	for i, id := range []string{"A", "B", "C", "D", "E", "F"} {
		add(t, l, event(id, Pending))
		add(t, l, event(id, Success))
		ids = append(ids, id, id)
		if i == 1 || i == 3 {
			paths = append(paths, rotate(t, l).Segment)
			ids = append(ids, "CLOSE", "OPEN")
		}
	}
	return l, append(paths, l.Path), ids
}

// idsOf are the ids of all events, oldest first, as a reader from the end has
// them.
func idsOf(t *testing.T, l *Log) (ids []string) {
	t.Helper()
	s, err := l.Backward(nil, func(e Event, _ []byte) bool {
		ids = append(ids, e.ID)
		return true
	})
	if err != nil || s != (Scanned{}) {
		t.Fatalf("%+v %v", s, err)
	}
	slices.Reverse(ids)
	return ids
}

func TestRotateFormat(t *testing.T) {
	l := &Log{Path: filepath.Join(t.TempDir(), "other.jsonl")}
	h := add(t, l, event("A", Success))
	r := rotate(t, l)
	name := "other-2026-11-23-" + h.Log + ".jsonl"
	if r.Segment != filepath.Join(filepath.Dir(l.Path), name) || r.Resumed {
		t.Fatalf("%+v", r)
	}
	old, now := content(t, &Log{Path: r.Segment}), content(t, l)
	closes := fmt.Sprintf(`{"tool":"ccdestroy test","closes":{"log":%q,"seq":1,"sha256":%q,"path":%q}}`, h.Log, h.SHA256, name)
	continues := fmt.Sprintf(`{"tool":"ccdestroy test","continues":{"log":%q,"seq":2,"sha256":%q,"path":%q}}`, h.Log, Sum([]byte(old[1])), name)
	if len(old) != 2 || len(now) != 1 || !strings.Contains(old[1], closes) || !strings.Contains(now[0], continues) {
		t.Errorf("%q\n%q", old, now)
	}
	e, err := Parse([]byte(now[0]))
	if err != nil || e.Seq != 1 || e.Prev != genesis || e.Log == h.Log || e.Operation != Rotate || r.Head != (Head{e.Log, 1, Sum([]byte(now[0]))}) {
		t.Errorf("%+v %v %+v", e, err, r)
	}
}

// Every reader goes on from segment to segment, and verify finds all intact.
func TestReadSegments(t *testing.T) {
	l, paths, ids := rotated(t)
	if got := idsOf(t, l); !slices.Equal(got, ids) {
		t.Errorf("%q", got)
	}
	records, _, err := history(l, Query{Match: func(e Event, _ []byte) bool { return e.Operation == Destroy }})
	if err != nil || len(records) != 6 || records[0].ID != "F" || records[5].ID != "A" || records[5].Unfinished {
		t.Errorf("%d records, %v", len(records), err)
	}
	if events, _, err := l.Show("a"); err != nil || len(events) != 2 || events[0].Outcome != Pending {
		t.Errorf("%v %v", events, err)
	}
	if open, err := l.Unfinished(); err != nil || len(open) != 0 {
		t.Errorf("%v %v", open, err)
	}
	var heads []Head
	for _, path := range paths {
		h, err := (&Log{Path: path}).Last()
		if err != nil {
			t.Fatal(err)
		}
		heads = append(heads, h)
	}
	if h, err := l.Last(); err != nil || h != heads[2] {
		t.Errorf("%v %v", h, err)
	}
	r, err := l.Verify(heads)
	if err != nil || !r.Intact() || len(r.Findings) > 0 || r.Head != heads[2] || r.Lines != 16 || r.Operations != 10 {
		t.Errorf("%q %v %+v", brief(r), err, r)
	}
	names := []string{filepath.Base(paths[0]), filepath.Base(paths[1]), "audit.jsonl"}
	if !slices.Equal(r.Files, names) || r.Heads[0].File != names[0] || r.Heads[0].Line != 5 || r.Heads[2].File != "audit.jsonl" {
		t.Errorf("%q %+v", r.Files, r.Heads[:3])
	}
	if trusted(r) != "1-5*5 1-6*6 1-5*5" {
		t.Errorf("%s", trusted(r))
	}
	if got := told(t, l); got != "" {
		t.Error(got)
	}
	// Another account, which has seen the first segment alone, is not alarmed.
	other := &Log{Path: l.Path, Heads: &Heads{Dir: t.TempDir()}}
	if err := other.Heads.note(l.Path, note{Log: heads[0].Log, Seq: heads[0].Seq, SHA256: heads[0].SHA256, Size: size(t, paths[0])}); err != nil {
		t.Fatal(err)
	}
	if got := told(t, other); got != "" {
		t.Error(got)
	}
	if r, err := other.Verify(nil); err != nil || !r.Intact() || trusted(r) != "1-5*5 1-6 1-5" {
		t.Errorf("%q %v", brief(r), err)
	}
	// The newest head proves the segments before through their links.
	if r, err := (&Log{Path: l.Path}).Verify(heads[2:]); err != nil || trusted(r) != "1-5*5 1-6*6 1-5*5" {
		t.Errorf("%s %v", trusted(r), err)
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// A segment is not opened as long as the newer ones suffice, and one that is
// missing is told of when it is wanted.
func TestSegmentsUnread(t *testing.T) {
	l, paths, _ := rotated(t)
	if err := os.Remove(paths[1]); err != nil {
		t.Fatal(err)
	}
	records, s, err := history(l, Query{Limit: 2})
	if err != nil || len(records) != 2 || s.Missing != "" {
		t.Errorf("%d %+v %v", len(records), s, err)
	}
	records, s, err = history(l, Query{})
	if err != nil || len(records) != 3 || s.Missing != filepath.Base(paths[1]) {
		t.Errorf("%d %+v %v", len(records), s, err)
	}
	var missing *MissingError
	if _, _, err := l.Show("A"); !errors.Is(err, ErrNotFound) || !errors.As(err, &missing) {
		t.Error(err)
	}
}

func TestRotateRefuses(t *testing.T) {
	ctx := t.Context()
	try := func(l *Log) error {
		_, err := l.Rotate(ctx, rotateEvent("CLOSE"), rotateEvent("OPEN"))
		return err
	}
	none := newLog(t)
	if err := try(none); !errors.Is(err, ErrNothing) {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(none.Path)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a directory was made for nothing")
	}
	l := newLog(t)
	add(t, l, event("A", Success))
	r := rotate(t, l)
	if err := try(l); !errors.Is(err, ErrNothing) || len(content(t, l)) != 1 {
		t.Error(err)
	}
	for _, id := range []string{"B", "C"} {
		add(t, l, event(id, Pending))
	}
	add(t, l, event("C", Failed))
	var open *OpenError
	if err := try(l); !errors.As(err, &open) || !slices.Equal(open.Operations, []OpenOperation{{"B", Destroy}}) || len(content(t, l)) != 4 {
		t.Error(err)
	}
	add(t, l, event("B", Failed))
	// Nothing is recorded in a closed segment, nor is it rotated again.
	closed := &Log{Path: r.Segment}
	if _, err := closed.Begin(ctx, event("X", Success), 0); !errors.Is(err, ErrSegment) {
		t.Error(err)
	}
	if err := try(closed); !errors.Is(err, ErrSegment) || len(content(t, closed)) != 2 {
		t.Error(err)
	}
	// What lies where the segment goes stays.
	to, err := segmentPath(l.Path, epoch, r.Head.Log)
	if err != nil {
		t.Fatal(err)
	}
	put(t, to, []byte("mine"))
	if err := try(l); !errors.Is(err, fs.ErrExist) || len(content(t, l)) != 5 {
		t.Error(err)
	}
	odd := fileLog(t, join(chainedLine(1, genesis)))
	if err := try(odd); err == nil || !strings.Contains(err.Error(), `its id "L" cannot be part of a file name`) || len(content(t, odd)) != 1 {
		t.Error(err)
	}
}

// Lines of the Python module alone can be rotated: the closing event covers them.
func TestRotateSeedLines(t *testing.T) {
	l := fileLog(t, []byte(seedLine+"\n"+seedLine+"\n"))
	r := rotate(t, l)
	if !strings.HasPrefix(filepath.Base(r.Segment), "audit-2026-01-0") {
		t.Error(r.Segment)
	}
	add(t, l, event("B", Success))
	if v, err := l.Verify(nil); err != nil || !v.Intact() || v.Lines != 5 {
		t.Errorf("%q %v", brief(v), err)
	}
	if records, _, err := history(l, Query{}); err != nil || len(records) != 5 {
		t.Errorf("%d %v", len(records), err)
	}
}

// cutShort are the states that a rotation goes through, by what a crash there
// leaves of a log that it is given whole.
var cutShort = map[string]func(t *testing.T, l *Log, r Rotation){
	"closed": func(t *testing.T, l *Log, r Rotation) {
		if err := os.Rename(r.Segment, l.Path); err != nil {
			t.Fatal(err)
		}
	},
	"renamed": func(t *testing.T, l *Log, _ Rotation) {
		if err := os.Remove(l.Path); err != nil {
			t.Fatal(err)
		}
	},
	"made":                func(t *testing.T, l *Log, _ Rotation) { put(t, l.Path, nil) },
	"made, a torn line":   func(t *testing.T, l *Log, _ Rotation) { put(t, l.Path, []byte(`{"v":1,"lo`)) },
	"made, a seed's line": func(t *testing.T, l *Log, _ Rotation) { put(t, l.Path, []byte(seedLine+"\n")) },
}

// Whoever writes next finishes a rotation that was cut short, and meanwhile
// every reader reads on.
func TestRotationCutShort(t *testing.T) {
	finish := map[string]func(t *testing.T, l *Log) []string{
		"append": func(t *testing.T, l *Log) []string {
			add(t, l, event("B", Success))
			return []string{"B"}
		},
		"check": func(t *testing.T, l *Log) []string {
			if err := l.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			return nil
		},
		"rotate": func(t *testing.T, l *Log) []string {
			if r := rotate(t, l); !r.Resumed {
				t.Errorf("%+v", r)
			}
			return []string{"OPEN"}
		},
	}
	for state, spoil := range cutShort {
		for how, finish := range finish {
			t.Run(state+", "+how, func(t *testing.T) {
				l := newLog(t)
				l.Heads = &Heads{Dir: filepath.Join(t.TempDir(), "heads")}
				add(t, l, event("Z", Success))
				rotate(t, l)
				add(t, l, event("A", Success))
				h := add(t, l, event("Y", Success))
				r, err := (&Log{Path: l.Path}).Rotate(t.Context(), rotateEvent("CLOSE"), rotateEvent("OPEN"))
				if err != nil {
					t.Fatal(err)
				}
				spoil(t, l, r)
				before := []string{"Z", "CLOSE", "OPEN", "A", "Y", "CLOSE"}
				if strings.Contains(state, "seed") {
					before = append(before, "")
				}
				var ids []string
				if _, err := l.Backward(nil, func(e Event, _ []byte) bool { ids = append(ids, e.ID); return true }); err != nil {
					t.Fatal(err)
				}
				if slices.Reverse(ids); !slices.Equal(ids, before) {
					t.Errorf("%q", ids)
				}
				if found, ok := Find(filepath.Dir(filepath.Dir(l.Path))); !ok || found != l.Path {
					t.Errorf("found %q", found)
				}
				if got := told(t, l); got != "" {
					t.Errorf("told %q", got)
				}
				if head, err := l.Last(); err != nil || head != r.Closed {
					t.Errorf("%v %v", head, err)
				}
				v, err := l.Verify([]Head{h})
				if err != nil || !v.Intact() && !strings.Contains(state, "torn") {
					t.Errorf("verify: %q %v", brief(v), err)
				}
				more := finish(t, l)
				if _, err := os.Stat(r.Segment); err != nil {
					t.Error(err)
				}
				add(t, l, event("C", Success))
				if got, want := idsOfAll(t, l), append(before, append(more, "C")...); !slices.Equal(got, want) {
					t.Errorf("%q, not %q", got, want)
				}
				if v, err := l.Verify([]Head{h, r.Closed}); err != nil || !v.Intact() || len(v.Files) != 3 {
					t.Errorf("verify: %q %v", brief(v), err)
				}
				if got := told(t, l); got != "" {
					t.Errorf("told %q", got)
				}
			})
		}
	}
}

// idsOfAll is idsOf for a log with lines that are no events.
func idsOfAll(t *testing.T, l *Log) (ids []string) {
	t.Helper()
	if _, err := l.Backward(nil, func(e Event, _ []byte) bool { ids = append(ids, e.ID); return true }); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(ids)
	return ids
}

// Where a rotation was cut short and a segment cannot be read, nobody goes on
// from another one.
func TestLooseEndUnread(t *testing.T) {
	l, paths, _ := rotated(t)
	for _, path := range paths[1:] {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(paths[1], 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Begin(t.Context(), event("G", Success), 0); !errors.Is(err, durable.ErrNotRegular) {
		t.Error(err)
	}
	if n := size(t, l.Path); n != 0 {
		t.Errorf("%d bytes were written", n)
	}
	if _, err := l.Verify(nil); !errors.Is(err, durable.ErrNotRegular) {
		t.Error(err)
	}
	if _, _, err := history(l, Query{}); !errors.Is(err, durable.ErrNotRegular) {
		t.Error(err)
	}
}

// A line that another program put behind the event that closes a log opens it
// again: it is covered like any other.
func TestClosedAndOpenedAgain(t *testing.T) {
	for _, more := range []string{seedLine + "\n", `{"torn`} {
		l := newLog(t)
		add(t, l, event("A", Success))
		r := rotate(t, l)
		if err := os.Rename(r.Segment, l.Path); err != nil {
			t.Fatal(err)
		}
		data, _ := os.ReadFile(l.Path)
		put(t, l.Path, append(data, more...))
		add(t, l, event("B", Success))
		if v, err := l.Verify(nil); err != nil || !v.Intact() || len(v.Files) != 1 || v.Events != 3 {
			t.Errorf("%q %v", brief(v), err)
		}
	}
}

// What is followed goes on over rotations, several of them at once too.
func TestSinceRotation(t *testing.T) {
	l := newLog(t)
	var ids []string
	at := Position{}
	look := func(wantCut bool, want ...string) {
		t.Helper()
		ids = nil
		next, cut, err := l.Since(at, func(e Event, _ []byte) { ids = append(ids, e.ID) })
		if err != nil || cut != wantCut || !slices.Equal(ids, want) {
			t.Errorf("%q cut %t %v, not %q", ids, cut, err, want)
		}
		at = next
	}
	look(false)
	add(t, l, event("A", Success))
	look(false, "A")
	end, err := l.End()
	if err != nil || end.offset != at.offset {
		t.Errorf("%+v %v", end, err)
	}
	add(t, l, event("B", Success))
	first := rotate(t, l)
	look(false, "B", "CLOSE", "OPEN")
	look(false)
	add(t, l, event("C", Success))
	rotate(t, l)
	add(t, l, event("D", Success))
	last := rotate(t, l)
	add(t, l, event("E", Success))
	look(false, "C", "CLOSE", "OPEN", "D", "CLOSE", "OPEN", "E")
	// A rotation that is cut short after the rename; and a copy that was put back.
	data, _ := os.ReadFile(l.Path)
	if err := os.Remove(l.Path); err != nil {
		t.Fatal(err)
	}
	put(t, l.Path+".x", data)
	if err := os.Rename(l.Path+".x", l.Path); err != nil {
		t.Fatal(err)
	}
	look(false)
	r := rotate(t, l)
	if err := os.Remove(l.Path); err != nil {
		t.Fatal(err)
	}
	look(false, "CLOSE")
	add(t, l, event("F", Success))
	look(false, "F")
	// A log that is gone, with all that it went on from.
	for _, path := range []string{l.Path, r.Segment, last.Segment, first.Segment} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range listed(t, l) {
		_ = os.Remove(path)
	}
	look(true)
	add(t, l, event("G", Success))
	look(false, "G")
}

// While many append and some rotate, nothing is lost or recorded twice, and a
// reader always sees a whole log.
func TestRotateAmongWriters(t *testing.T) {
	l := newLog(t)
	add(t, l, event("FIRST", Success))
	var wg, reading sync.WaitGroup
	var mu sync.Mutex
	ids, rotations := []string{"FIRST"}, 0
	for w := range 4 {
		wg.Go(func() {
			for i := range 25 {
				id := fmt.Sprintf("W%d-%d", w, i)
				if _, err := l.Begin(context.Background(), event(id, Success), 0); err != nil {
					t.Error(err)
				}
				mu.Lock()
				ids = append(ids, id)
				mu.Unlock()
			}
		})
	}
	for w := range 2 {
		wg.Go(func() {
			for i := range 15 {
				_, err := l.Rotate(context.Background(), rotateEvent(fmt.Sprintf("C%d-%d", w, i)), rotateEvent(fmt.Sprintf("O%d-%d", w, i)))
				if err != nil && !errors.Is(err, ErrNothing) {
					t.Error(err)
				} else if err == nil {
					mu.Lock()
					rotations++
					mu.Unlock()
				}
			}
		})
	}
	stop := make(chan struct{})
	at, followed := Position{}, []string{}
	follow := func() {
		next, cut, err := l.Since(at, func(e Event, _ []byte) { followed = append(followed, e.ID) })
		if err != nil || cut {
			t.Errorf("cut %t %v", cut, err)
		}
		at = next
	}
	follow()
	reading.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			follow()
			mu.Lock()
			known := slices.Clone(ids)
			mu.Unlock()
			seen := map[string]bool{}
			if s, err := l.Backward(nil, func(e Event, _ []byte) bool { seen[e.ID] = true; return true }); err != nil || s.Missing != "" {
				t.Error(s, err)
			}
			if v, err := l.Verify(nil); err != nil || !v.Intact() {
				t.Errorf("%q %v", brief(v), err)
			}
			for _, id := range known {
				if !seen[id] {
					t.Errorf("%s is not seen", id)
				}
			}
		}
	})
	wg.Wait()
	close(stop)
	reading.Wait()
	follow()
	v, err := l.Verify(nil)
	if err != nil || !v.Intact() || len(v.Files) != rotations+1 {
		t.Errorf("%q %v, %d files", brief(v), err, len(v.Files))
	}
	if got := idsOf(t, l); !slices.Equal(got, followed) || len(got) != len(ids)+2*rotations {
		t.Errorf("%d events, %d followed, of %d and %d rotations", len(got), len(followed), len(ids), rotations)
	}
}

// What a rotation is made of does not depend on the time zone.
func TestSegmentNames(t *testing.T) {
	late := time.Date(2026, 11, 24, 1, 0, 0, 0, time.FixedZone("", 7200))
	id := strings.Repeat("A", 26)
	for path, want := range map[string]string{
		"d/audit.jsonl": "d/audit-2026-11-23-" + id + ".jsonl", "d/plain": "d/plain-2026-11-23-" + id, "d/a.b.log": "d/a.b-2026-11-23-" + id + ".log",
	} {
		got, err := segmentPath(filepath.FromSlash(path), late, id)
		if err != nil || got != filepath.FromSlash(want) {
			t.Errorf("%q %v", got, err)
		}
		l := &Log{Path: filepath.FromSlash(path)}
		if !l.IsSegment(got) || l.IsSegment(path) || l.IsSegment(got+"x") || (&Log{Path: filepath.FromSlash("d/z.jsonl")}).IsSegment(got) {
			t.Errorf("%q is not told apart", got)
		}
	}
	l := &Log{Path: "d/audit.jsonl"}
	name := "audit-2026-11-23-" + id + ".jsonl"
	for _, bad := range []Link{{Log: id, Path: "../" + name}, {Log: id, Path: "/etc/passwd"}, {Log: "B", Path: name}, {Log: id, Path: "audit.jsonl"}, {Log: id}, {}} {
		if path, ok := l.beside(bad); ok {
			t.Errorf("%+v leads to %q", bad, path)
		}
	}
	if path, ok := l.beside(Link{Log: id, Path: name}); !ok || path != filepath.Join("d", name) {
		t.Error(path, ok)
	}
}

func listed(t *testing.T, l *Log) []string {
	t.Helper()
	paths, err := l.segments()
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
