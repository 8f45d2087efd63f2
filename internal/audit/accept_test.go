package audit

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func accept(t *testing.T, l *Log) (Accepted, error) {
	t.Helper()
	return l.Accept(t.Context(), Event{ID: "ACCEPT", Timestamp: epoch, Operation: Accept, Outcome: Success, User: "ana", Details: json.RawMessage(`{"reason":"on purpose"}`)})
}

// What became of a log on purpose is accepted with the words of the check and
// the heads that do not hold, and after that neither the check nor verify speaks
// of it; a head that is given does.
func TestAccept(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, l *Log, whole []byte)
		found string
		lost  int
	}{
		"missing": {func(t *testing.T, l *Log, _ []byte) { remove(t, l.Path) }, "missing: it had 5 events", 5},
		"emptied": {func(t *testing.T, l *Log, _ []byte) { put(t, l.Path, nil) }, "empty of its events", 5},
		"cut":     {func(t *testing.T, l *Log, whole []byte) { put(t, l.Path, firstLines(whole, 3)) }, "its end was cut off", 2},
		"replaced": {func(t *testing.T, l *Log, _ []byte) {
			remove(t, l.Path)
			add(t, &Log{Path: l.Path}, event("X", Success))
		}, "replaced by another one", 5},
		"replaced, told of and written to": {func(t *testing.T, l *Log, _ []byte) {
			remove(t, l.Path)
			if told(t, l) == "" {
				t.Error("not told")
			}
			add(t, l, event("X", Success))
		}, "a head noted here is of the log", 5},
	} {
		t.Run(name, func(t *testing.T) {
			l, whole := notedLog(t)
			heads, err := l.Heads.Noted(l.Path)
			if err != nil {
				t.Fatal(err)
			}
			c.spoil(t, l, whole)
			a, err := accept(t, l)
			if err != nil || !strings.Contains(strings.Join(a.Found, "; "), c.found) || a.Lost != c.lost || !slices.Equal(a.Heads, []string{heads[0].Word()}) {
				t.Errorf("%+v %v", a, err)
			}
			events, _, err := l.Show("ACCEPT")
			if err != nil {
				t.Fatal(err)
			}
			var d struct {
				Reason   string
				Accepted Accepted
			}
			if err := json.Unmarshal(events[0].Details, &d); err != nil || d.Reason != "on purpose" || !slices.Equal(d.Accepted.Found, a.Found) || d.Accepted.Lost != a.Lost {
				t.Errorf("%s %v", events[0].Details, err)
			}
			if r, err := l.Verify(nil); err != nil || !r.Intact() || len(r.Heads) != 1 {
				t.Errorf("%q %v", brief(r), err)
			}
			if got := told(t, l); got != "" {
				t.Error(got)
			}
			if r, err := l.Verify(heads[:1]); err != nil || r.Intact() {
				t.Errorf("a given head no longer counts: %q %v", brief(r), err)
			}
			if _, err := accept(t, l); !errors.Is(err, ErrNothing) {
				t.Error(err)
			}
			// What comes after counts again.
			add(t, l, event("NEXT", Success))
			remove(t, l.Path)
			if got := told(t, l); !strings.Contains(got, "missing") {
				t.Errorf("told %q", got)
			}
		})
	}
}

// Damage to the chain is not accepted: nothing that was noted is missing, or it
// is found as before.
func TestAcceptHidesNoDamage(t *testing.T) {
	l, whole := notedLog(t)
	lines := strings.SplitAfter(string(whole), "\n")
	lines[1] = strings.Replace(lines[1], `"ana"`, `"eve"`, 1)
	put(t, l.Path, []byte(strings.Join(lines, "")))
	before, err := l.Verify(nil)
	if err != nil || before.Intact() {
		t.Fatal(err)
	}
	a, err := accept(t, l)
	if err != nil || a.Lost != 1 { // the head of the line that was changed
		t.Errorf("%+v %v", a, err)
	}
	if r, err := l.Verify(nil); err != nil || !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Problem && f.Class == Changed && f.Line == 2 }) {
		t.Errorf("%q %v", brief(r), err)
	}
	if _, err := accept(t, l); !errors.Is(err, ErrNothing) {
		t.Error(err)
	}
	data, err := os.ReadFile(l.Path)
	if err != nil || len(strings.Split(string(data), "\n")) != 7 {
		t.Errorf("%q %v", data, err)
	}
}

// A log that is not the one that was looked at any more is not accepted.
func TestAcceptMoved(t *testing.T) {
	head := func(log string, seq int64, sum string) Head { return Head{log, seq, sum} }
	for _, c := range []struct {
		now, seen Head
		want      bool
	}{
		{Head{}, Head{}, true}, {head("A", 3, "x"), head("A", 3, "x"), true}, {head("A", 4, "y"), head("A", 3, "x"), true},
		{head("A", 3, "z"), head("A", 3, "x"), false}, {head("A", 2, "w"), head("A", 3, "x"), false},
		{head("B", 9, "x"), head("A", 3, "x"), false}, {Head{}, head("A", 3, "x"), false}, {head("A", 1, "x"), Head{}, false},
	} {
		if got := (tail{head: c.now}).follows(c.seen); got != c.want {
			t.Errorf("%+v after %+v: %t", c.now, c.seen, got)
		}
	}
}

// What became of a log that was rotated is told in words that name the segment.
func TestHeadsOfSegments(t *testing.T) {
	for name, c := range map[string]struct {
		newest int // of the heads that this account has noted
		spoil  func(t *testing.T, paths []string)
		want   string
	}{
		"the newest gone":      {3, func(t *testing.T, p []string) { remove(t, p[2]) }, "the log is missing: it had 5 events"},
		"the newest emptied":   {3, func(t *testing.T, p []string) { put(t, p[2], nil) }, "the log is empty of its events: it had 5 events"},
		"a segment gone":       {2, func(t *testing.T, p []string) { remove(t, p[1]) }, "its segment audit-2026-11-23-"},
		"a segment cut":        {1, func(t *testing.T, p []string) { put(t, p[0], nil) }, ".jsonl: the log is shorter than it was"},
		"a segment changed":    {2, func(t *testing.T, p []string) { change(t, p[1], `"closes"`, `"closed"`) }, ".jsonl: the log was changed: event 6"},
		"replaced, its own":    {3, replace, "replaced by another one: the one here had 5 events"},
		"replaced, an older":   {1, replace, "replaced by another one: the one here had 5 events"},
		"all but the last two": {3, func(t *testing.T, p []string) { remove(t, p[0]) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l, paths, _ := rotated(t)
			one := &Log{Path: l.Path, Heads: &Heads{Dir: filepath.Join(t.TempDir(), "heads")}}
			for _, path := range paths[:c.newest] {
				h, err := (&Log{Path: path}).Last()
				if err != nil {
					t.Fatal(err)
				}
				if err := one.Heads.note(l.Path, note{Log: h.Log, Seq: h.Seq, SHA256: h.SHA256, Size: size(t, path)}); err != nil {
					t.Fatal(err)
				}
			}
			if got := told(t, one); got != "" {
				t.Errorf("before: %q", got)
			}
			c.spoil(t, paths)
			if got := told(t, one); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
				t.Errorf("%q", got)
			}
			if got := told(t, one); got != "" {
				t.Errorf("told again: %q", got)
			}
			a, err := accept(t, one)
			if c.want == "" {
				if !errors.Is(err, ErrNothing) {
					t.Errorf("%+v %v", a, err)
				}
				return
			}
			if err != nil || !strings.Contains(a.Found[0], c.want) {
				t.Errorf("%+v %v", a, err)
			}
			if got := told(t, one); got != "" {
				t.Errorf("told after it was accepted: %q", got)
			}
		})
	}
}

// replace puts another log in the place of the newest segment.
func replace(t *testing.T, paths []string) {
	t.Helper()
	other := newLog(t)
	add(t, other, event("X", Success))
	data, err := os.ReadFile(other.Path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, paths[2], data)
}
