package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fileLog is a log of these bytes.
func fileLog(t *testing.T, data []byte) *Log {
	t.Helper()
	l := &Log{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	if err := os.WriteFile(l.Path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return l
}

func verify(t *testing.T, data []byte, heads ...Head) Report {
	t.Helper()
	r, err := fileLog(t, data).Verify(heads)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// brief is the findings in one line each.
func brief(r Report) (out []string) {
	for _, f := range r.Findings {
		mark := "note"
		if f.Problem {
			mark = "problem"
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %d-%d seq %d-%d", mark, f.Class, f.Line, f.ToLine, f.Seq, f.ToSeq)))
	}
	return out
}

// sample is a log of n lines: pairs of pending and success events.
func sample(t *testing.T, n int) (lines [][]byte, heads []Head) {
	t.Helper()
	l := newLog(t)
	for i := range n {
		o := Pending
		if i%2 == 1 {
			o = Success
		}
		heads = append(heads, add(t, l, event(fmt.Sprintf("OP%d", i/2), o)))
	}
	for _, line := range content(t, l) {
		lines = append(lines, []byte(line))
	}
	return lines, heads
}

func join(lines ...[]byte) []byte { return append(bytes.Join(lines, []byte("\n")), '\n') }

func without(lines [][]byte, i int) [][]byte { return slices.Delete(slices.Clone(lines), i, i+1) }

func with(lines [][]byte, i int, more ...[]byte) [][]byte {
	return slices.Insert(slices.Clone(lines), i, more...)
}

func swapped(lines [][]byte, i, j int) [][]byte {
	out := slices.Clone(lines)
	out[i], out[j] = out[j], out[i]
	return out
}

func replaced(lines [][]byte, i int, old, new string) [][]byte {
	out := slices.Clone(lines)
	out[i] = bytes.Replace(out[i], []byte(old), []byte(new), 1)
	if bytes.Equal(out[i], lines[i]) {
		panic("nothing was replaced")
	}
	return out
}

func TestVerifyClasses(t *testing.T) {
	lines, heads := sample(t, 8)
	other, otherHeads := sample(t, 2)
	torn := []byte(`{"v":1,"log"`)
	for _, c := range []struct {
		name  string
		data  []byte
		heads []Head
		want  []string
		trust string // untouched ranges of lines, with * where a head proves
	}{
		{"intact", join(lines...), nil, nil, "1-8"},
		{"intact, with heads", join(lines...), []Head{heads[2], heads[7]}, nil, "1-8*8"},
		{"longer than the head", join(lines...), []Head{heads[2]}, nil, "1-8*3"},
		{"unfinished", join(lines[:7]...), nil, []string{"note unfinished 7-7 seq 7-7"}, "1-7"},
		{"changed", join(replaced(lines, 3, "ana", "eve")...), nil, []string{"problem changed 4-4 seq 4-4"}, "1-3 5-8"},
		{"changed prev", join(replaced(lines, 3, `"prev":"`+string(lines[3][bytes.Index(lines[3], []byte(`"prev"`))+8]), `"prev":"`+"x")...), nil, []string{"problem malformed 4-4 seq 0-0", "note unfinished 3-3 seq 3-3"}, "1-3 5-8"},
		{"first line changed", join(replaced(lines, 0, "ana", "eve")...), nil, []string{"problem changed 1-1 seq 1-1"}, "2-8"},
		{"last line changed", join(replaced(lines, 7, "ana", "eve")...), []Head{heads[7]}, []string{"problem changed 0-0 seq 8-8"}, "1-8"},
		{"number changed", join(replaced(lines, 3, `"seq":4`, `"seq":6`)...), nil, []string{"problem changed 4-4 seq 6-6"}, "1-3 5-8"},
		{"missing", join(without(lines, 3)...), nil, []string{"problem missing 4-4 seq 4-4", "note unfinished 3-3 seq 3-3"}, "1-3 4-7"},
		{"beginning missing", join(lines[2:]...), nil, []string{"problem missing 1-1 seq 1-2"}, "1-6"},
		{"doubled", join(with(lines, 3, lines[2])...), nil, []string{"problem inserted 4-4 seq 3-3"}, "1-9"},
		{"copied to the end", join(with(lines, 8, lines[3])...), nil, []string{"problem inserted 9-9 seq 4-4"}, "1-8"},
		{"copied to the middle", join(with(lines, 6, lines[3])...), nil, []string{"problem inserted 7-7 seq 4-4"}, "1-6 8-9"},
		{"forged, well chained", join(with(lines, 4, forge(lines[3], 5))...), nil, []string{"problem inserted 5-5 seq 5-5", "note unfinished 5-5 seq 5-5"}, "1-4 6-9"},
		{"swapped neighbours", join(swapped(lines, 3, 4)...), nil, []string{"problem reordered 4-4 seq 5-5"}, "1-3 4-4 5-5 6-8"},
		{"swapped far", join(swapped(lines, 1, 5)...), nil, []string{"problem reordered 2-2 seq 6-6", "problem reordered 3-5 seq 3-5", "note unfinished 5-5 seq 5-5"}, "1-1 2-2 3-5 6-6 7-8"},
		{"truncated", join(lines[:6]...), []Head{heads[7], heads[1]}, []string{"problem truncated 6-6 seq 8-8"}, "1-6*2"},
		{"rolled back and gone on", join(append(slices.Clone(lines[:4]), forge(lines[3], 5))...), []Head{heads[4]}, []string{"problem changed 0-0 seq 5-5", "note unfinished 5-5 seq 5-5"}, "1-5"},
		{"all of it gone", nil, []Head{heads[7]}, []string{"problem truncated 0-0 seq 8-8"}, ""},
		{"torn end", append(join(lines...), torn...), nil, []string{"problem torn 9-9 seq 0-0"}, "1-8"},
		{"no line feed at the end", bytes.TrimSuffix(join(lines...), []byte("\n")), []Head{heads[7]}, []string{"problem torn 8-8 seq 0-0"}, "1-8*8"},
		{"malformed end", append(join(lines...), "what\n"...), nil, []string{"problem malformed 9-9 seq 0-0"}, "1-8"},
		{"malformed between", join(with(lines, 4, []byte("what"))...), nil, []string{"problem inserted 5-5 seq 0-0"}, "1-9"},
		{"blank line between", join(with(lines, 4, nil)...), nil, []string{"problem inserted 5-5 seq 0-0"}, "1-9"},
		{"malformed instead", join(replaced(lines, 3, `"user"`, `user`)...), nil, []string{"problem malformed 4-4 seq 0-0", "note unfinished 3-3 seq 3-3"}, "1-3 5-8"},
		{"two lines made one", bytes.Replace(join(lines...), []byte("}\n"), []byte("} "), 1), nil, []string{"problem malformed 1-1 seq 0-0"}, "2-7"},
		{"seed lines between", join(with(lines, 4, []byte(seedLine))...), nil, []string{"problem inserted 5-5 seq 0-0"}, "1-9"},
		{"seed lines at the end", append(join(lines...), seedLine+"\n"+seedLine+"\n"...), nil, []string{"note unchained 9-10 seq 0-0"}, "1-8"},
		{"seed lines alone", []byte(seedLine + "\n"), nil, []string{"note unchained 1-1 seq 0-0"}, ""},
		{"foreign lines", join(with(lines, 4, other...)...), nil, []string{"problem foreign log 5-6 seq 1-2"}, "1-4 7-10"},
		{"foreign head", join(lines...), otherHeads[1:], []string{"problem foreign log 0-0 seq 2-2"}, "1-8"},
		{"newer version", join(replaced(lines, 3, `"v":1`, `"v":2`)...), nil, []string{"problem malformed 4-4 seq 0-0", "note unfinished 3-3 seq 3-3"}, "1-3 5-8"},
		{"two outcomes", late(Success, Failed), nil, []string{"problem after the outcome 3-3 seq 3-3"}, "1-3"},
		{"the same outcome twice", late(Success, Success), nil, []string{"problem after the outcome 3-3 seq 3-3"}, "1-3"},
		{"begun again after the outcome", late(Success, Pending), nil, []string{"problem after the outcome 3-3 seq 3-3", "note unfinished 3-3 seq 3-3"}, "1-3"},
		{"several pending ones", late(Pending, Success), nil, nil, "1-3"},
		{"empty", nil, nil, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // some wait for the rest of a torn line
			r := verify(t, c.data, c.heads...)
			if got := brief(r); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
				for _, f := range r.Findings {
					t.Log(f)
				}
			}
			if got := trusted(r); got != c.trust {
				t.Errorf("untouched %q, not %q", got, c.trust)
			}
		})
	}
}

// late is a log of one operation that goes on after its pending event, as a
// writer that does not look would write it.
func late(more ...Outcome) []byte {
	var lines [][]byte
	prev := genesis
	for i, o := range append([]Outcome{Pending}, more...) {
		e := event("A", o)
		e.V, e.Log, e.Seq, e.Prev = 1, "L", int64(i+1), prev
		data, err := encode(e)
		if err != nil {
			panic(err)
		}
		lines = append(lines, bytes.TrimSuffix(data, []byte("\n")))
		prev = Sum(lines[i])
	}
	return join(lines...)
}

func trusted(r Report) string {
	var all []string
	for _, g := range r.Untouched {
		one := fmt.Sprintf("%d-%d", g.Line, g.ToLine)
		if g.ProvenToLine > 0 {
			one += fmt.Sprintf("*%d", g.ProvenToLine)
		}
		all = append(all, one)
	}
	return strings.Join(all, " ")
}

// forge makes the line that an honest writer would have written after line.
func forge(line []byte, seq int64) []byte {
	e := event("FORGED", Pending)
	p, err := Parse(line)
	if err != nil {
		panic(err)
	}
	e.V, e.Log, e.Seq, e.Prev = 1, p.Log, seq, Sum(line)
	data, err := encode(e)
	if err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(data, []byte("\n"))
}

// What a crash or the Python module left, and the next event covers, is told
// and is no problem; and the covered lines cannot be changed either.
func TestVerifyCovered(t *testing.T) {
	for name, between := range map[string]string{
		"torn":                   `{"v":1,"log`,
		"NULs":                   "\x00\x00\x00",
		"seed":                   seedLine + "\n",
		"seed, no line feed":     seedLine,
		"two seeds":              seedLine + "\n" + seedLine + "\n",
		"seeds and a torn one":   seedLine + "\n" + seedLine + "\n{",
		"malformed":              "what\n\n",
		"malformed and torn":     "what\nnext",
		"longer than any line":   strings.Repeat("x", maxLine+1) + "\n",
		"torn, longer than that": strings.Repeat("x", maxLine+1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLog(t)
			add(t, l, event("A", Success))
			data, _ := os.ReadFile(l.Path)
			first := len(data)
			if err := os.WriteFile(l.Path, append(data, between...), 0o600); err != nil {
				t.Fatal(err)
			}
			add(t, l, event("B", Success))
			add(t, l, event("C", Success))
			data, _ = os.ReadFile(l.Path)
			r := verify(t, data)
			if !r.Intact() || len(r.Findings) == 0 || r.Events != 3 {
				t.Fatalf("%q, %d events", brief(r), r.Events)
			}
			for at := 0; at < first+len(between); at += max(1, len(between)/often(10, 2)) {
				bad := bytes.Clone(data)
				bad[at] ^= 1
				if r := verify(t, bad); r.Intact() {
					t.Fatalf("a flipped bit at %d is not found", at)
				}
			}
		})
	}
}

// A log of a run of lines that a second writer made verifies in every detail.
func TestVerifyCounts(t *testing.T) {
	lines, heads := sample(t, 7)
	r := verify(t, join(lines...))
	if again := verify(t, late(Success, Failed, Success)); again.Operations != 1 || again.Unfinished != 0 {
		t.Errorf("one operation of several outcomes: %+v", again)
	}
	if r.Lines != 7 || r.Events != 7 || r.Operations != 4 || r.Unfinished != 1 || r.Head != heads[6] {
		t.Errorf("%+v", r)
	}
	l := fileLog(t, join(lines...))
	if h, err := l.Last(); err != nil || h != heads[6] {
		t.Errorf("%v %v", h, err)
	}
	if h, err := ParseHead(heads[6].Word()); err != nil || h != heads[6] {
		t.Errorf("%v %v", h, err)
	}
	for _, bad := range []string{"", "x", "a:1:2", "a:0:" + heads[0].SHA256, ":1:" + heads[0].SHA256, "a:x:" + heads[0].SHA256} {
		if _, err := ParseHead(bad); err == nil {
			t.Errorf("%q is taken for a head", bad)
		}
	}
}

// A wholly shuffled log is told of in bounded memory and time.
func TestVerifyShambles(t *testing.T) {
	var all [][]byte
	for i := range 30_000 {
		all = append(all, []byte(fmt.Sprintf(`{"v":1,"log":"L","seq":%d,"prev":%q,"id":"I","timestamp":"2026-11-23T17:38:09.123456+00:00","operation":"destroy","outcome":"success","user":"u","details":{},"data_affected":[],"export_path":null}`,
			(i*7919)%30_000+1, Sum([]byte(fmt.Sprint(i))))))
	}
	r := verify(t, join(all...))
	if r.Intact() || r.Omitted == 0 || len(r.Findings) > 2*maxFindings {
		t.Errorf("%d findings, %d omitted", len(r.Findings), r.Omitted)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

// A log that is being written to is not called torn.
func TestVerifyWhileAppending(t *testing.T) {
	l := newLog(t)
	add(t, l, event("A", Success))
	big := event("B", Success)
	big.Details = []byte(`{"stderr":"` + strings.Repeat("x", 3<<20) + `"}`)
	done := make(chan error, 1)
	go func() {
		for i := range often(15, 5) {
			big.ID = fmt.Sprint("B", i)
			if _, err := l.Begin(t.Context(), big, 0); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	looks := 0
	for {
		select {
		case err := <-done:
			if err != nil || looks == 0 {
				t.Error(looks, err)
			}
			return
		default:
		}
		if r, err := l.Verify(nil); err != nil || !r.Intact() {
			t.Fatalf("%q %v", brief(r), err)
		}
		looks++
	}
}

// chainedLine is a line of a log "L" with what a forger wants in it.
func chainedLine(seq int64, prev string) []byte {
	e := event("X", Success)
	e.V, e.Log, e.Seq, e.Prev = 1, "L", seq, prev
	data, err := encode(e)
	if err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(data, []byte("\n"))
}

// circle is a log whose runs follow each other in a circle: the second line is
// taken for the successor of the first by its number alone.
func circle() []byte {
	stray := []byte("what")
	b := chainedLine(2, Sum(stray))
	c := chainedLine(5, Sum(b))
	a := chainedLine(1, Sum(c))
	return join(a, stray, b, c)
}

func TestVerifyCircle(t *testing.T) {
	if r := verify(t, circle()); r.Intact() || r.Lines != 4 {
		t.Errorf("%q", brief(r))
	}
	// The same among more runs than are told apart.
	var all [][]byte
	for i := range 2 * maxRuns {
		all = append(all, chainedLine(int64(7*i+9), Sum([]byte(fmt.Sprint(i)))))
	}
	if r := verify(t, join(append(all, bytes.Split(bytes.TrimSpace(circle()), []byte("\n"))...)...)); r.Intact() {
		t.Error("it is called intact")
	}
}
