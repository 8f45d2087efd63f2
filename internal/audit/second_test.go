package audit

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// A verifier that somebody else wrote from docs/audit-format.md comes to the
// same verdict, on whole logs and on spoilt ones, on single files and on
// segments.
func TestSecondVerifier(t *testing.T) {
	need.Command(t, "python3")
	s := &second{dir: t.TempDir(), verdicts: map[string]bool{}}
	some, many := often(53, 509), often(211, 2003)
	for _, shape := range shapes(t) {
		s.file(t, shape.data, shape.head.Word())
		s.file(t, shape.data, strings.Repeat("0", len(shape.head.Log))+shape.head.Word()[len(shape.head.Log):])
		n := 0
		tamper(shape.data, func(_ string, _ int, data []byte) {
			if n++; n%some == 0 {
				s.file(t, data, "")
			}
			if n%many == 0 {
				s.file(t, data, shape.head.Word())
			}
		})
	}
	s.segments(t)
	s.compare(t)
}

// second collects logs, and what we say of them.
type second struct {
	dir      string
	list     strings.Builder
	verdicts map[string]bool // by name: whether the log is intact
}

// ask takes up a log that was written under a name.
func (s *second) ask(name, head string, intact bool) {
	fmt.Fprintf(&s.list, "%s %s\n", name, head)
	s.verdicts[name] = intact
}

func (s *second) next() string { return filepath.Join(s.dir, fmt.Sprint(len(s.verdicts))) }

func headsIn(t *testing.T, word string) (heads []Head) {
	t.Helper()
	if word == "" {
		return nil
	}
	h, err := ParseHead(word)
	if err != nil {
		t.Fatal(err)
	}
	return []Head{h}
}

// file asks about a log of one file.
func (s *second) file(t *testing.T, data []byte, head string) {
	t.Helper()
	name := s.next()
	put(t, name, data)
	s.ask(name, head, inMemory(t, data, headsIn(t, head)...).Intact())
}

// log asks about a log of several files.
func (s *second) log(t *testing.T, files map[string][]byte, head string) {
	t.Helper()
	name := s.next()
	if err := os.Mkdir(name, 0o700); err != nil {
		t.Fatal(err)
	}
	for file, data := range files {
		put(t, filepath.Join(name, file), data)
	}
	r, err := (&Log{Path: filepath.Join(name, "audit.jsonl")}).Verify(headsIn(t, head))
	if err != nil {
		t.Fatal(err)
	}
	s.ask(name, head, r.Intact())
}

// segments asks about a log of three segments: each of them changed in every
// way, gone, emptied, and in the place of another; and with each head.
func (s *second) segments(t *testing.T) {
	t.Helper()
	l, paths, _ := rotated(t)
	whole := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		whole[filepath.Base(path)] = data
	}
	with := func(name string, data []byte) map[string][]byte {
		files := maps.Clone(whole)
		if files[name] = data; data == nil {
			delete(files, name)
		}
		return files
	}
	for _, path := range paths {
		head, err := (&Log{Path: path}).Last()
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		s.log(t, whole, head.Word())
		s.log(t, with(name, nil), "")
		s.log(t, with(name, nil), head.Word())
		for _, other := range whole {
			s.log(t, with(name, other), "")
		}
		n, many := 0, often(211, 2003)
		tamper(whole[name], func(_ string, _ int, data []byte) {
			live := path == l.Path && !bytes.HasSuffix(data, []byte("\n")) // which we would wait for
			if n++; n%many == 0 && !live {
				s.log(t, with(name, append([]byte{}, data...)), head.Word())
				s.log(t, with(name, append([]byte{}, data...)), "")
			}
		})
	}
	// What a rotation that is cut short leaves.
	short := with("audit.jsonl", nil)
	s.log(t, short, "")
	s.log(t, with("audit.jsonl", []byte{}), "")
	s.log(t, with("audit.jsonl", []byte(seedLine+"\n")), "")
	data := short[filepath.Base(paths[1])]
	delete(short, filepath.Base(paths[1]))
	short["audit.jsonl"] = data
	s.log(t, short, "")
}

// compare asks the other verifier.
func (s *second) compare(t *testing.T) {
	t.Helper()
	list := filepath.Join(s.dir, "list")
	put(t, list, []byte(s.list.String()))
	out, err := exec.Command("python3", "testdata/verify.py", list).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	asked, intact := 0, 0
	for line := range strings.Lines(string(out)) {
		name, verdict, _ := strings.Cut(strings.TrimSpace(line), "\t")
		asked++
		if s.verdicts[name] {
			intact++
		}
		if (verdict == "ok") != s.verdicts[name] {
			data, _ := os.ReadFile(name)
			t.Errorf("%s: %q, but here intact is %t: %q", name, verdict, s.verdicts[name], data)
		}
	}
	if asked != len(s.verdicts) || asked < often(1000, 100) || intact < 10 {
		t.Errorf("%d of %d logs were looked at, %d intact", asked, len(s.verdicts), intact)
	}
	t.Logf("%d logs, the same verdict on each; %d are intact", asked, intact)
}
