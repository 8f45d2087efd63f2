package audit

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// briefly is the findings with their files, by the number of the segment, and
// their words.
func briefly(r Report, paths []string) (out []string) {
	for i, line := range brief(r) {
		n := slices.IndexFunc(paths, func(p string) bool { return filepath.Base(p) == r.Findings[i].File })
		out = append(out, fmt.Sprintf("%d: %s", n, line))
	}
	return out
}

// change replaces a text in a file.
func change(t *testing.T, path, old, new string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(data, []byte(old)) {
		t.Fatalf("%q is not in %s: %v", old, path, err)
	}
	put(t, path, bytes.Replace(data, []byte(old), []byte(new), 1))
}

func appendText(t *testing.T, path, text string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, append(data, text...))
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// Damage to a segment, or to what holds the segments together, is found without
// any head, and told with the name of the file.
func TestVerifySegments(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, paths []string)
		want  []string
	}{
		"intact":         {func(*testing.T, []string) {}, nil},
		"a line changed": {func(t *testing.T, p []string) { change(t, p[0], `"user":"ana"`, `"user":"eve"`) }, []string{"0: problem changed 1-1 seq 1-1"}},
		"the end changed": {func(t *testing.T, p []string) { change(t, p[0], `"closes"`, `"closed"`) },
			[]string{"0: problem changed 0-0 seq 5-5"}},
		"the end gone": {func(t *testing.T, p []string) {
			data, _ := os.ReadFile(p[0])
			put(t, p[0], firstLines(data, 4))
		}, []string{"0: problem truncated 4-4 seq 5-5"}},
		"emptied": {func(t *testing.T, p []string) { put(t, p[0], nil) }, []string{"0: problem truncated 0-0 seq 5-5"}},
		"the oldest gone": {func(t *testing.T, p []string) { remove(t, p[0]) },
			[]string{"0: problem missing 0-0 seq 1-5"}},
		"one between gone": {func(t *testing.T, p []string) { remove(t, p[1]) },
			[]string{"0: problem missing 0-0 seq 0-0", "1: problem missing 0-0 seq 1-6"}},
		"two swapped": {func(t *testing.T, p []string) {
			a, _ := os.ReadFile(p[0])
			b, _ := os.ReadFile(p[1])
			put(t, p[0], b)
			put(t, p[1], a)
		}, []string{"0: problem missing 0-0 seq 0-0", "0: problem missing 1-1 seq 0-0", "1: problem foreign log 0-0 seq 6-6"}},
		"added, well made": {func(t *testing.T, p []string) {
			lines := content(t, &Log{Path: p[0]})
			appendText(t, p[0], string(forge([]byte(lines[4]), 6))+"\n")
		}, []string{"0: problem inserted 6-6 seq 0-0", "0: note unfinished 6-6 seq 6-6"}},
		"added, unchained": {func(t *testing.T, p []string) { appendText(t, p[1], seedLine+"\n"+seedLine+"\n") },
			[]string{"1: problem inserted 7-8 seq 0-0", "1: note unchained 7-8 seq 0-0"}},
		"the link changed": {func(t *testing.T, p []string) { change(t, p[2], `"continues":{"log":"`, `"continues":{"log":"X`) },
			[]string{"1: problem missing 0-0 seq 0-0", "2: problem changed 1-1 seq 1-1", "2: problem missing 1-1 seq 0-0"}},
		"the link gone": {func(t *testing.T, p []string) {
			data, _ := os.ReadFile(p[2])
			put(t, p[2], data[len(firstLines(data, 1)):])
		}, []string{"1: problem missing 0-0 seq 0-0", "2: problem missing 1-1 seq 1-1"}},
		"replaced by another log": {func(t *testing.T, p []string) {
			other := newLog(t)
			add(t, other, event("X", Success))
			data, _ := os.ReadFile(other.Path)
			put(t, p[2], data)
		}, []string{"1: problem missing 0-0 seq 0-0"}},
	} {
		t.Run(name, func(t *testing.T) {
			l, paths, _ := rotated(t)
			l.Heads = nil
			c.spoil(t, paths)
			r, err := l.Verify(nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := briefly(r, paths); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
				for _, f := range r.Findings {
					t.Log(f.File, f.Text)
				}
			}
		})
	}
}

// A circle of links, which only a forger makes, ends.
func TestVerifySegmentCircle(t *testing.T) {
	l, paths, _ := rotated(t)
	l.Heads = nil
	lines := content(t, &Log{Path: paths[0]})
	link := fmt.Sprintf(`"details":{"continues":{"log":%q,"seq":1,"sha256":%q,"path":%q},`, logOf(t, paths[1]), genesis, filepath.Base(paths[1]))
	lines[0] = strings.Replace(lines[0], `"details":{`, link, 1)
	put(t, paths[0], []byte(strings.Join(lines, "\n")+"\n"))
	if r, err := l.Verify(nil); err != nil || r.Intact() || len(r.Files) != 3 {
		t.Errorf("%q %v", brief(r), err)
	}
	if ids := idsOfAll(t, l); len(ids) != 16 {
		t.Errorf("%q", ids)
	}
}

func logOf(t *testing.T, path string) string {
	t.Helper()
	h, err := (&Log{Path: path}).Last()
	if err != nil {
		t.Fatal(err)
	}
	return h.Log
}

// TestTamperSegments makes every small change to each segment. A change to a
// closed one is found without a head; one to the newest at least with its head.
func TestTamperSegments(t *testing.T) {
	stride := often(1, 29)
	l := newLog(t)
	var paths []string
	for _, id := range []string{"A", "B", "C"} {
		add(t, l, event(id, Success))
		if id != "C" {
			paths = append(paths, rotate(t, l).Segment)
		}
	}
	paths = append(paths, l.Path)
	head, err := l.Last()
	if err != nil {
		t.Fatal(err)
	}
	intact := func(heads ...Head) bool {
		r, err := l.Verify(heads)
		if err != nil {
			t.Fatal(err)
		}
		return r.Intact()
	}
	tried := 0
	for i, path := range paths {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		tamper(whole, func(kind string, at int, data []byte) {
			if n++; n%stride != 0 || bytes.Equal(data, whole) {
				return
			}
			if i == 2 && !bytes.HasSuffix(data, []byte("\n")) {
				return // verify waits for somebody who may be writing; TestTamper has it
			}
			tried++
			put(t, path, data)
			if intact() && (i < 2 || intact(head)) {
				t.Errorf("segment %d: %s at %d is not found", i, kind, at)
			}
		})
		put(t, path, whole)
	}
	if !intact(head) || tried < 500 {
		t.Errorf("%d changes tried", tried)
	}
	t.Logf("%d changes tried, all found", tried)
}
