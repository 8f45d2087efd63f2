package audit

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// notedLog is a log with five events at path a, whose heads are noted.
func notedLog(t *testing.T) (l *Log, whole []byte) {
	t.Helper()
	l = newLog(t)
	l.Heads = &Heads{Dir: filepath.Join(t.TempDir(), "heads")}
	for _, id := range []string{"A", "B", "C", "D", "E"} {
		add(t, l, event(id, Success))
	}
	whole, err := os.ReadFile(l.Path)
	if err != nil {
		t.Fatal(err)
	}
	return l, whole
}

// firstLines is the log up to its nth line.
func firstLines(data []byte, n int) []byte {
	return bytes.Join(bytes.SplitAfter(data, []byte("\n"))[:n], nil)
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func told(t *testing.T, l *Log) string {
	t.Helper()
	wrong, err := l.Heads.Check(l.Path)
	if err != nil {
		t.Fatal(err)
	}
	return wrong
}

// What became of a log at the path where it was written to is told once, until
// it is something else.
func TestHeads(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, l *Log, whole []byte)
		want  string
	}{
		"untouched": {func(*testing.T, *Log, []byte) {}, ""},
		"longer": {func(t *testing.T, l *Log, _ []byte) {
			add(t, &Log{Path: l.Path}, event("F", Success)) // by another account
		}, ""},
		"missing": {func(t *testing.T, l *Log, _ []byte) { _ = os.Remove(l.Path) }, "missing: it had 5 events"},
		"emptied": {func(t *testing.T, l *Log, _ []byte) { put(t, l.Path, nil) }, "empty of its events: it had 5 events"},
		"changed": {func(t *testing.T, l *Log, whole []byte) {
			put(t, l.Path, bytes.Replace(whole, []byte(`"E"`), []byte(`"X"`), 1))
		}, "changed: event 5 is not what it was; up to event 4 it is as it was"},
		"older":       {func(t *testing.T, l *Log, whole []byte) { put(t, l.Path, firstLines(whole, 3)) }, "an older copy of itself, or its end was cut off: it ends at event 3 and had 5 events"},
		"cut in line": {func(t *testing.T, l *Log, whole []byte) { put(t, l.Path, whole[:len(whole)-9]) }, "ends at event 4 and had 5 events"},
		"older and changed": {func(t *testing.T, l *Log, whole []byte) {
			put(t, l.Path, bytes.Replace(firstLines(whole, 3), []byte(`"C"`), []byte(`"X"`), 1))
		}, "shorter than it was: it ends at event 3 and had 5 events; up to event 2"},
		"replaced": {func(t *testing.T, l *Log, _ []byte) {
			_ = os.Remove(l.Path)
			add(t, &Log{Path: l.Path}, event("X", Success))
		}, "replaced by another one: the one here had 5 events"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // some wait for the rest of a torn line
			l, whole := notedLog(t)
			c.spoil(t, l, whole)
			if got := told(t, l); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
				t.Errorf("%q", got)
			}
			if got := told(t, l); got != "" {
				t.Errorf("told again: %q", got)
			}
			r, err := l.Verify(nil)
			if err != nil || r.Intact() != (c.want == "") {
				t.Errorf("verify: %q, %v", brief(r), err)
			}
			put(t, l.Path, firstLines(whole, 1))
			if got := told(t, l); got == "" {
				t.Error("something else is not told")
			}
		})
	}
}

// A copy of a log at another path is called what it is.
func TestCopies(t *testing.T) {
	for name, c := range map[string]struct {
		data func(t *testing.T, l *Log, whole []byte) []byte
		want string
	}{
		"the same": {func(_ *testing.T, _ *Log, whole []byte) []byte { return whole }, "this is a copy of "},
		"older":    {func(_ *testing.T, _ *Log, whole []byte) []byte { return firstLines(whole, 3) }, "as it was at its event 3; that one had 5 events"},
		"newer": {func(t *testing.T, l *Log, whole []byte) []byte {
			further := &Log{Path: filepath.Join(t.TempDir(), "x")}
			put(t, further.Path, whole)
			add(t, further, event("F", Success))
			data, _ := os.ReadFile(further.Path)
			return data
		}, "continues from its event 5"},
		"forked": {func(t *testing.T, l *Log, whole []byte) []byte {
			further := &Log{Path: filepath.Join(t.TempDir(), "x")}
			put(t, further.Path, firstLines(whole, 3))
			add(t, further, event("X", Success))
			add(t, further, event("Y", Success))
			data, _ := os.ReadFile(further.Path)
			return data
		}, "went its own way; up to event 3 it is as it was"},
		"another": {func(t *testing.T, l *Log, _ []byte) []byte {
			other := newLog(t)
			add(t, other, event("X", Success))
			data, _ := os.ReadFile(other.Path)
			return data
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l, whole := notedLog(t)
			second := &Log{Path: filepath.Join(t.TempDir(), "audit.jsonl"), Heads: l.Heads}
			put(t, second.Path, c.data(t, l, whole))
			if got := told(t, second); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
				t.Errorf("%q", got)
			}
			if got := told(t, second); got != "" {
				t.Errorf("told again: %q", got)
			}
			if r, err := second.Verify(nil); err != nil || !r.Intact() {
				t.Errorf("verify: %q, %v", brief(r), err)
			}
			add(t, second, event("Z", Success))
			if got := told(t, second) + told(t, l); got != "" {
				t.Errorf("the two are confused: %q", got)
			}
		})
	}
}

// Notes that are damaged are passed over, and a long file of them is thinned.
func TestNotes(t *testing.T) {
	l, _ := notedLog(t)
	file, _, err := l.Heads.file(l.Path)
	if err != nil {
		t.Fatal(err)
	}
	data, _ := os.ReadFile(file)
	put(t, file, append(data, "\x00\x00{\"path\":\n\n"...))
	if heads, err := l.Heads.Noted(l.Path); err != nil || len(heads) != 5 || heads[0].Seq != 5 {
		t.Errorf("%v %v", heads, err)
	}
	put(t, file, bytes.Repeat(data, notesLimit/len(data)+1))
	add(t, l, event("F", Success))
	info, err := os.Stat(file)
	if err != nil || info.Size() > notesLimit*2/3 {
		t.Errorf("%d bytes, %v", info.Size(), err)
	}
	heads, err := l.Heads.Noted(l.Path)
	if err != nil || heads[0].Seq != 6 || heads[1].Seq != 5 {
		t.Errorf("%v %v", heads[:2], err)
	}
	// A head that cannot be noted does not undo the event.
	put(t, filepath.Join(t.TempDir(), "x"), nil)
	l.Heads.Dir = filepath.Join(l.Path, "in the way")
	if _, err := l.Begin(t.Context(), event("G", Success), 0); err == nil || !strings.Contains(err.Error(), "not noted") {
		t.Error(err)
	}
	if n := len(content(t, l)); n != 7 {
		t.Errorf("%d lines", n)
	}
}
