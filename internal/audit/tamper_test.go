package audit

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/logs"
)

// shape is a log that the tests tamper with.
type shape struct {
	name string
	data []byte
	head Head // of its last line
}

func shapes(t *testing.T) (all []shape) {
	t.Helper()
	take := func(name string, l *Log) {
		data, err := os.ReadFile(l.Path)
		if err != nil {
			t.Fatal(err)
		}
		head, err := l.Last()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, shape{name, data, head})
	}
	spoil := func(l *Log, more string) {
		f, err := os.OpenFile(l.Path, os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteString(more)
			f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	one := newLog(t)
	add(t, one, event("A", Failed))
	take("one line", one)

	pairs := newLog(t)
	for i := range 6 {
		add(t, pairs, event(fmt.Sprintf("OP%d", i/2), []Outcome{Pending, Success}[i%2]))
	}
	take("pairs", pairs)

	seed := fileLog(t, []byte(seedLine+"\n"+seedLine+"\n"))
	add(t, seed, event("A", Success))
	spoil(seed, seedLine+"\n")
	add(t, seed, event("B", Success))
	take("lines of the Python module", seed)

	torn := newLog(t)
	add(t, torn, event("A", Success))
	spoil(torn, `{"v":1,"log":"`)
	add(t, torn, event("B", Success))
	spoil(torn, "\x00\x00\x00\x00")
	add(t, torn, event("C", Success))
	take("sealed torn lines", torn)

	odd := newLog(t)
	e := event("Å\u2028\x00", Partial)
	e.User, e.Details = "\x1b[31m\u202e\"\\", []byte(`{"a": [1, {"b": "\ud800"}, null], "": 1e9 }`)
	add(t, odd, e)
	e.ID, e.DataAffected, e.ExportPath = "\"", []string{"", "a\nb"}, "/x"
	add(t, odd, e)
	take("odd texts", odd)

	var b bytes.Buffer
	if err := logs.Write(&b, logs.Options{Seed: 7, Bytes: 1 << 20, Events: 5}); err != nil {
		t.Fatal(err)
	}
	take("a second writer's", fileLog(t, b.Bytes()))
	return all
}

// often is how often something is tried, or one of how many things is: another
// number with -short. (Of changes, a prime: whatever is changed in turn has its
// share then.)
func often(full, short int) int {
	if testing.Short() {
		return short
	}
	return full
}

// TestTamper makes every small change to each of the shapes. Each has to be
// found by verify alone, or, where nothing behind it speaks of it, by verify
// with the head. Lines that are well made and added at the end are no change of
// what was written, and are not found: see docs/threat-model.md.
func TestTamper(t *testing.T) {
	total, withHead, every := 0, 0, often(1, 23)
	for _, s := range shapes(t) {
		if r := inMemory(t, s.data, s.head); !r.Intact() {
			t.Fatalf("%s: not intact before: %q", s.name, brief(r))
		}
		counts := map[string]int{}
		try := func(kind string, at int, data []byte) {
			if bytes.Equal(data, s.data) {
				return // two like lines were swapped
			}
			if total++; total%every != 0 {
				return
			}
			counts[kind]++
			if !inMemory(t, data).Intact() {
				return
			}
			withHead++
			if inMemory(t, data, s.head).Intact() {
				t.Errorf("%s: %s at %d is not found", s.name, kind, at)
			}
		}
		tamper(s.data, try)
		t.Logf("%s: %v", s.name, counts)
	}
	total /= every
	t.Logf("%d changes tried, all found; %d of them only with a head", total, withHead)
	if total < 50_000/every {
		t.Errorf("only %d changes were tried", total)
	}
}

func inMemory(t *testing.T, data []byte, heads ...Head) Report {
	t.Helper()
	p := &part{name: "audit.jsonl"}
	for _, h := range heads {
		p.Heads = append(p.Heads, HeadCheck{Head: h})
	}
	p.Bytes = int64(len(data))
	r := Report{Heads: slices.Clone(p.Heads)}
	if err := p.examine(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	r.placeHeads([]*part{p}, p.name)
	r.add(p)
	return r
}

// tamper hands every changed version of data to try.
func tamper(data []byte, try func(kind string, at int, data []byte)) {
	for at := range data {
		for bit := range 8 {
			bad := bytes.Clone(data)
			bad[at] ^= 1 << bit
			try("flipped bits", at, bad)
		}
		try("cut ends", at, data[:at])
		try("lost bytes", at, append(bytes.Clone(data[:at]), data[at+1:]...))
	}
	lines := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	for i, line := range lines {
		try("deleted lines", i, join(without(lines, i)...))
		try("doubled lines", i, join(with(lines, i, line)...))
		for j := range i {
			try("swapped lines", i, join(swapped(lines, i, j)...))
			try("copied lines", i, join(with(lines, j, line)...))
			try("deleted ranges", i, join(append(append([][]byte{}, lines[:j]...), lines[i:]...)...))
		}
		for _, more := range [][]byte{nil, []byte("x"), []byte("{}"), []byte(seedLine), bytes.Repeat([]byte{0}, 100)} {
			try("inserted lines", i, join(with(lines, i, more)...))
		}
		if p, err := Parse(line); err == nil && p.Chained() && i+1 < len(lines) {
			try("forged lines", i, join(with(lines, i+1, forge(line, p.Seq+1))...))
		}
	}
	try("inserted lines", len(lines), join(append(append([][]byte{}, lines...), nil)...))
	try("inserted lines", len(lines), join(append(append([][]byte{}, lines...), []byte("x"))...))
}
