package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// written are the lines of a log, each after the one before, with these ids.
func written(log string, ids ...string) (text string) {
	prev := strings.Repeat("0", 64)
	for i, id := range ids {
		line := fmt.Sprintf(`{"v":1,"log":%q,"seq":%d,"prev":%q,"id":%q,"timestamp":"2026-11-20T00:00:00.000000+00:00","operation":"destroy","outcome":"success","user":"","details":{},"data_affected":[],"export_path":null}`, log, i+1, prev, id)
		prev = Sum([]byte(line))
		text += line + "\n"
	}
	return text
}

// What is read goes on from where it was only in the same log: not where another one,
// or another end of it, was written into its file, whatever its length.
func TestSinceIsWrittenOver(t *testing.T) {
	for name, then := range map[string]string{
		"another log":  written("other", "C", "D", "E", "F", "G"),
		"another end":  written("log", "A", "D", "E", "F", "G"),
		"same length":  written("log", "A", "C"),
		"no event":     strings.Repeat("x", 4000) + "\n",
		"of long ones": written("log", "A"+strings.Repeat("x", 10_000), "C"),
	} {
		l := &Log{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
		put := func(text string) {
			if err := os.WriteFile(l.Path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		put(written("log", "A", "B"))
		at, err := l.End()
		if err != nil {
			t.Fatal(err)
		}
		put(then)
		var ids []string
		next, cut, err := l.Since(at, func(e Event, _ []byte) { ids = append(ids, e.ID) })
		if err != nil || !cut || ids != nil {
			t.Errorf("%s: cut %v, %.200q, %v", name, cut, ids, err)
		}
		if _, cut, err = l.Since(next, func(e Event, _ []byte) { ids = append(ids, e.ID) }); err != nil || cut || len(ids) != strings.Count(then, `"id"`) {
			t.Errorf("%s, then: cut %v, %.200q, %v", name, cut, ids, err)
		}
	}
}

// An event that is being written when following begins is shown when it is whole.
func TestSinceHalfALine(t *testing.T) {
	l := &Log{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	all := written("log", "A", "B", "C")
	for _, n := range []int{10, len(written("log", "A")) + 10, len(all) - 1} {
		if err := os.WriteFile(l.Path, []byte(all[:n]), 0o600); err != nil {
			t.Fatal(err)
		}
		at, err := l.End()
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, size := range []int{n + 1, len(all)} {
			if err := os.WriteFile(l.Path, []byte(all[:size]), 0o600); err != nil {
				t.Fatal(err)
			}
			next, cut, err := l.Since(at, func(e Event, _ []byte) { ids = append(ids, e.ID) })
			if err != nil || cut {
				t.Fatal(cut, err)
			}
			at = next
		}
		if want := []string{"A", "B", "C"}[strings.Count(all[:n], "\n"):]; !slices.Equal(ids, want) {
			t.Errorf("from %d: %q, not %q", n, ids, want)
		}
	}
}
