package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

var epoch = time.Date(2026, 11, 23, 17, 38, 9, 123456000, time.UTC)

func event(id string, o Outcome) Event {
	return Event{ID: id, Timestamp: epoch, Operation: Destroy, Outcome: o, User: "ana",
		Details: json.RawMessage(`{"project":"shop"}`), DataAffected: []string{"shop_data"}}
}

func newLog(t *testing.T) *Log {
	t.Helper()
	return &Log{Path: filepath.Join(t.TempDir(), DefaultPath)}
}

func add(t *testing.T, l *Log, e Event) Head {
	t.Helper()
	h, err := l.Begin(context.Background(), e, 0)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func history(l *Log, q Query) (all []Record, s Scanned, err error) {
	s, err = l.History(q, func(r Record, _ []byte) error {
		all = append(all, r)
		return nil
	})
	return all, s, err
}

func content(t *testing.T, l *Log) []string {
	t.Helper()
	data, err := os.ReadFile(l.Path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

func TestAppendFormat(t *testing.T) {
	l := newLog(t)
	h1 := add(t, l, event("01KB3Z8A0C4T9Q2M7V5X1B6N8D", Pending))
	h2 := add(t, l, event("01KB3Z8A0C4T9Q2M7V5X1B6N8D", Success))
	lines := content(t, l)
	want := fmt.Sprintf(`{"v":1,"log":%q,"seq":1,"prev":%q,"id":"01KB3Z8A0C4T9Q2M7V5X1B6N8D","timestamp":"2026-11-23T17:38:09.123456+00:00",`+
		`"operation":"destroy","outcome":"pending","user":"ana","details":{"project":"shop"},"data_affected":["shop_data"],"export_path":null}`,
		h1.Log, strings.Repeat("0", 64))
	if lines[0] != want {
		t.Errorf("line 1:\n got %s\nwant %s", lines[0], want)
	}
	e, err := Parse([]byte(lines[1]))
	if err != nil || e.Seq != 2 || e.Prev != Sum([]byte(lines[0])) || e.Log != h1.Log {
		t.Errorf("line 2: %+v, %v", e, err)
	}
	if h2.SHA256 != Sum([]byte(lines[1])) || h2.Word() != h1.Log+":2:"+h2.SHA256 {
		t.Errorf("head %q", h2.Word())
	}
	for path, mode := range map[string]os.FileMode{l.Path: 0o600, filepath.Dir(l.Path): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Event){
		"operation": func(e *Event) { e.Operation = "Destroy it" },
		"outcome":   func(e *Event) { e.Outcome = "maybe" },
		"id":        func(e *Event) { e.ID = "" },
		"timestamp": func(e *Event) { e.Timestamp = time.Time{} },
		"details":   func(e *Event) { e.Details = json.RawMessage(`[]`) },
	} {
		l, e := newLog(t), event("X", Success)
		spoil(&e)
		if _, err := l.Begin(context.Background(), e, 0); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := os.Stat(l.Path); err == nil {
			t.Errorf("%s: the log was touched", name)
		}
	}
}

// A torn tail is sealed by the next writer, and no byte of it is lost.
func TestTornTail(t *testing.T) {
	for _, torn := range []string{`{"v":1,"log":"x","se`, "\x00\x00\x00\x00", "}"} {
		l := newLog(t)
		add(t, l, event("A", Success))
		f, _ := os.OpenFile(l.Path, os.O_APPEND|os.O_WRONLY, 0)
		fmt.Fprint(f, torn)
		f.Close()
		add(t, l, event("B", Success))
		lines := content(t, l)
		if len(lines) != 3 || lines[1] != torn {
			t.Fatalf("%q: %q", torn, lines)
		}
		e, err := Parse([]byte(lines[2]))
		want := fmt.Sprintf(`{"project":"shop","recovered":{"bytes":%d,"sha256":%q,"after":%q}}`, len(torn), Sum([]byte(torn)), Sum([]byte(lines[0])))
		if err != nil || e.Seq != 2 || e.Prev != Sum([]byte(torn)) || string(e.Details) != want {
			t.Errorf("%q: %+v %s %v", torn, e, e.Details, err)
		}
	}
}

// An event that lost nothing but its LF is whole.
func TestLostLineFeed(t *testing.T) {
	l := newLog(t)
	add(t, l, event("A", Success))
	info, _ := os.Stat(l.Path)
	_ = os.Truncate(l.Path, info.Size()-1)
	add(t, l, event("B", Success))
	e, err := Parse([]byte(content(t, l)[1]))
	if err != nil || e.Seq != 2 || bytes.Contains(e.Details, []byte("recovered")) {
		t.Errorf("%+v %v", e, err)
	}
}

const seedLine = `{"timestamp": "2026-01-02T03:04:05.000678", "operation": "prune", "outcome": "cancelled", "user": "bob", "details": {"why": "h\u00e9"}, "data_affected": ["a"], "export_path": "/tmp/x"}`

// Lines of the seed's module are read, continued, and covered, all of them.
func TestSeedLines(t *testing.T) {
	l := newLog(t)
	if err := os.MkdirAll(filepath.Dir(l.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.Path, []byte(seedLine+"\n"+seedLine+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	add(t, l, event("A", Success))
	e, err := Parse([]byte(content(t, l)[2]))
	sum := Sum([]byte(seedLine + "\n" + seedLine + "\n"))
	want := fmt.Sprintf(`{"project":"shop","unchained":{"lines":2,"bytes":%d,"sha256":%q,"after":%q}}`, 2*len(seedLine)+2, sum, genesis)
	if err != nil || e.Seq != 1 || e.Prev != Sum([]byte(seedLine)) || string(e.Details) != want {
		t.Errorf("%+v %s %v", e, e.Details, err)
	}
	records, _, err := history(l, Query{})
	if err != nil || len(records) != 3 || records[2].User != "bob" || records[2].ExportPath != "/tmp/x" || records[2].Timestamp.Nanosecond() != 678000 {
		t.Errorf("%+v %v", records, err)
	}
	add(t, l, event("B", Success))
	if e, _ := Parse([]byte(content(t, l)[3])); bytes.Contains(e.Details, []byte("unchained")) || e.Seq != 2 {
		t.Errorf("covered twice: %s", e.Details)
	}
}

func TestManyWriters(t *testing.T) {
	l := newLog(t)
	const writers, each = 8, 10
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := l.Begin(context.Background(), event(fmt.Sprintf("W%d-%d", w, i), Success), 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	prev := genesis
	lines := content(t, l)
	for i, line := range lines {
		e, err := Parse([]byte(line))
		if err != nil || e.Seq != int64(i+1) || e.Prev != prev {
			t.Fatalf("line %d: seq %d, %v", i+1, e.Seq, err)
		}
		prev = Sum([]byte(line))
	}
	if len(lines) != writers*each {
		t.Errorf("%d lines", len(lines))
	}
}

func TestParseRefuses(t *testing.T) {
	good := `{"v":1,"log":"L","seq":1,"prev":"` + genesis + `","id":"I","timestamp":"2026-11-23T17:38:09.123456+00:00","operation":"destroy","outcome":"success","user":"u","details":{},"data_affected":[],"export_path":null}`
	if _, err := Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	if _, err := Parse([]byte(strings.Replace(good, `"v":1`, `"v":1,"extra":{"a":[1,2.5e-3,true,null,"x"]}`, 1))); err != nil {
		t.Errorf("an unknown key: %v", err)
	}
	for name, change := range map[string][2]string{
		"key twice":         {`"user":"u"`, `"user":"u","user":"w"`},
		"key in other case": {`"user":"u"`, `"user":"u","User":"w"`},
		"nested key twice":  {`"details":{}`, `"details":{"a":1,"a":2}`},
		"missing key":       {`"user":"u",`, ``},
		"wrong type":        {`"user":"u"`, `"user":7`},
		"unknown outcome":   {`"success"`, `"sort of"`},
		"upper-case hash":   {`"prev":"0`, `"prev":"A`},
		"trailing bytes":    {`null}`, `null}x`},
		"leading zero":      {`"seq":1`, `"seq":01`},
		"raw control":       {`"u"`, "\"\x01\""},
		"not UTF-8":         {`"u"`, "\"\xff\""},
		"no object":         {good, `[]`},
		"empty":             {good, ``},
		"bad time":          {`2026-11-23T17`, `2026-13-23T17`},
	} {
		if e, err := Parse([]byte(strings.Replace(good, change[0], change[1], 1))); err == nil {
			t.Errorf("%s: accepted as %+v", name, e)
		}
	}
	if _, err := Parse([]byte(strings.Replace(good, `"v":1`, `"v":2`, 1))); !errors.Is(err, ErrVersion) {
		t.Errorf("a newer version: %v", err)
	}
	if _, err := Parse([]byte(strings.Repeat(`{"a":`, 100000))); err == nil {
		t.Error("deep nesting was accepted")
	}
}

func TestHistoryMergesAndStops(t *testing.T) {
	l := newLog(t)
	for _, id := range []string{"A", "B", "C"} {
		add(t, l, event(id, Pending))
		if id != "B" {
			add(t, l, event(id, Partial))
		}
	}
	records, _, err := history(l, Query{Limit: 2})
	if err != nil || len(records) != 2 || records[0].ID != "C" || records[0].Outcome != Partial || records[1].ID != "B" || !records[1].Unfinished {
		t.Errorf("%+v %v", records, err)
	}
	open, err := l.Unfinished()
	if err != nil || len(open) != 1 || open[0].ID != "B" {
		t.Errorf("%+v %v", open, err)
	}
	if _, _, err := l.Show("Z"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	for i := range 2 * maxAmbiguous {
		add(t, l, event(fmt.Sprintf("Q%d", i), Failed))
	}
	var many *AmbiguousError
	if _, _, err := l.Show("q"); !errors.As(err, &many) || len(many.IDs) != maxAmbiguous+1 {
		t.Error(err)
	}
	if events, lines, err := l.Show("a"); err != nil || len(events) != 2 || len(lines) != 2 || events[0].Outcome != Pending {
		t.Errorf("%v %v", events, err)
	}
}

// An operation has one outcome, and no event before its first or after its last.
func TestAppendGoesOn(t *testing.T) {
	l := newLog(t)
	later := func(id string, o Outcome) error {
		_, err := l.Append(t.Context(), event(id, o), 0)
		return err
	}
	if err := later("A", Success); !errors.Is(err, ErrNotFound) {
		t.Errorf("in an empty log: %v", err)
	}
	add(t, l, event("A", Pending))
	add(t, l, event("AB", Success)) // whose id has the other's in it
	add(t, l, event("\u2028", Pending))
	before := content(t, l)
	if err := later("B", Success); !errors.Is(err, ErrNotFound) {
		t.Errorf("of an operation that has not begun: %v", err)
	}
	if after := content(t, l); len(after) != len(before) {
		t.Errorf("%d lines, not %d", len(after), len(before))
	}
	for _, one := range []struct {
		id   string
		o    Outcome
		want error
	}{{"A", Pending, nil}, {"A", Failed, nil}, {"A", Failed, ErrEnded}, {"A", Pending, ErrEnded}, {"AB", Pending, ErrEnded}, {"\u2028", Success, nil}, {"\u2028", Success, ErrEnded}} {
		if err := later(one.id, one.o); !errors.Is(err, one.want) || (err == nil) != (one.want == nil) {
			t.Errorf("%q %s: %v, not %v", one.id, one.o, err, one.want)
		}
	}
	if r, err := l.Verify(nil); err != nil || !r.Intact() || r.Operations != 3 || r.Unfinished != 0 {
		t.Errorf("%q %v", brief(r), err)
	}
}

// Of many that end one operation at once, one does.
func TestOneOutcome(t *testing.T) {
	l := newLog(t)
	add(t, l, event("A", Pending))
	var ended, refused atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			switch _, err := l.Append(t.Context(), event("A", Success), 0); {
			case err == nil:
				ended.Add(1)
			case errors.Is(err, ErrEnded):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if ended.Load() != 1 || refused.Load() != 15 {
		t.Errorf("%d outcomes, %d refused", ended.Load(), refused.Load())
	}
}

// The search ends at the operation's newest event, whatever stands before.
func TestAppendSearchesNoFurther(t *testing.T) {
	newer := strings.Replace(seedLine, "{", `{"v":2,`, 1) // where reading on ends with an error
	l := fileLog(t, join([]byte(newer), chainedLine(1, genesis)))
	if _, err := l.Append(t.Context(), event("A", Success), 0); !errors.Is(err, ErrVersion) {
		t.Fatalf("the line of a newer version is not come upon: %v", err)
	}
	add(t, l, event("A", Pending))
	if _, err := l.Append(t.Context(), event("A", Success), 0); err != nil {
		t.Errorf("it reads on behind the pending event: %v", err)
	}
}

// keysLine is an event of the Python module with so many keys more at the top, and
// in details so many objects of 1,000 keys.
func keysLine(more, objects int) string {
	var top, details strings.Builder
	for i := range more {
		fmt.Fprintf(&top, `"k%d": 1, `, i)
	}
	for i := range objects {
		fmt.Fprintf(&details, `, "o%d": {"0": 0`, i)
		for k := range 999 {
			fmt.Fprintf(&details, `,"k%d":1`, k)
		}
		details.WriteString("}")
	}
	line := strings.Replace(seedLine, `"details": {`, `"details": {"x": 1, `, 1)
	line = strings.Replace(line, `{"x": 1, "why": "h\u00e9"`, `{"why": "h\u00e9"`+details.String(), 1)
	return "{" + top.String() + line[1:]
}

// A line with very many keys is malformed, and costs no more than its length.
func TestManyKeys(t *testing.T) {
	for _, c := range []struct {
		more, objects int
		ok            bool
	}{{0, 0, true}, {maxKeys - 7, 0, true}, {maxKeys - 6, 0, false}, {200_000, 0, false}, {0, 1047, true}, {0, 1048, false}} {
		if _, err := Parse([]byte(keysLine(c.more, c.objects))); (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), "too many keys") {
			t.Errorf("%d keys more, %d objects: %v", c.more, c.objects, err)
		}
	}
	same := strings.Replace(keysLine(4000, 0), `"k3999"`, `"K3998"`, 1)
	if _, err := Parse([]byte(same)); err == nil || !strings.Contains(err.Error(), `"k3998" and "K3998"`) {
		t.Errorf("keys that differ only in case: %v", err)
	}
}

// Two keys are one when they differ only in case, as bytes.EqualFold has it.
func TestFolded(t *testing.T) {
	for r := range rune(unicode.MaxRune + 1) {
		if !utf8.ValidRune(r) {
			continue
		}
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			if folded([]byte(string(r))) != folded([]byte(string(other))) {
				t.Fatalf("%U and %U", r, other)
			}
		}
		if !bytes.EqualFold([]byte(folded([]byte(string(r)))), []byte(string(r))) {
			t.Fatalf("%U became another character", r)
		}
	}
}

// What no reader would take for an event is not written, and neither is an event
// whose outcome might be such a line.
func TestUnreadableIsNotWritten(t *testing.T) {
	l := newLog(t)
	add(t, l, event("A", Pending))
	before, _ := os.ReadFile(l.Path)
	many := map[string]int{}
	for i := range maxKeys + 1 {
		many[fmt.Sprint("k", i)] = i
	}
	manyKeys, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	for name, details := range map[string]string{
		"many keys": string(manyKeys), "a key twice": `{"a":1,"a":2}`, "deep": `{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}",
		"not JSON": `{"a":`, "long": `{"a":"` + strings.Repeat("x", maxLine) + `"}`,
	} {
		e := event("A", Success)
		e.Details = []byte(details)
		if _, err := l.Append(t.Context(), e, 0); err == nil {
			t.Errorf("%s: it is written", name)
		}
		e.Outcome = Pending
		if _, err := l.Begin(t.Context(), e, 100); err == nil {
			t.Errorf("%s: it is begun", name)
		}
	}
	if _, err := l.Begin(t.Context(), event("B", Pending), maxLine+1); err == nil {
		t.Error("an operation is begun whose outcome may be too long")
	}
	if after, _ := os.ReadFile(l.Path); !bytes.Equal(before, after) {
		t.Errorf("the log is another one: %d bytes, not %d", len(after), len(before))
	}
	if _, err := l.Append(t.Context(), event("A", Success), 0); err != nil {
		t.Error(err)
	}
}
