package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// odds are lines that readers have stumbled over.
var odds = []string{
	"", " ", "\r", "\x00", "\ufeff{}", "{", "}", "[]", "null", "{}{}", `{"a":1,"a":1}`, `{"a":{"b":1,"b":2}}`,
	`{"\u0061":1,"a":2}`, `{"V":1}`, `{"ſeq":1}`, `{"u":"\ud800"}`, `{"u":"\udc00\ud800"}`, `{"n":1e999}`, `{"n":-0}`, `{"n":01}`,
	"{\"s\":\"\x7f\u009b\u202e\"}", "{\"s\":\"a\tb\"}", `{"s":"\x"}`, "{\"s\":\"\xff\"}", `{"deep":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}",
	`{"v":1.0}`, `{"v":"1"}`, `{"v":99999999999999999999}`, `{"v":-1}`, `{"v":null}`,
}

func addLines(f *testing.F) {
	f.Add([]byte(seedLine))
	f.Add([]byte(seedLine + "\r"))
	for _, odd := range odds {
		f.Add([]byte(odd))
	}
	e := Event{V: 1, Log: "L", Seq: 1, Prev: genesis, ID: "I", Timestamp: epoch, Operation: "destroy", Outcome: Success, User: "u\x00\u202e"}
	data, _ := encode(e)
	f.Add(bytes.TrimSuffix(data, []byte("\n")))
	f.Add(bytes.Replace(data, []byte(`"v":1`), []byte(` "v" : 1 , "x" : [ { } ] `), 1))
}

// FuzzParse: what is accepted is JSON to the standard library too, means the
// same to it, and goes through writing and reading unchanged.
func FuzzParse(f *testing.F) {
	addLines(f)
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := Parse(line)
		if err != nil {
			return
		}
		var std struct {
			User, Operation, Outcome string
			Data                     []string `json:"data_affected"`
		}
		if err := json.Unmarshal(line, &std); err != nil {
			t.Fatalf("accepted what is no event: %v", err)
		}
		if std.User != e.User || std.Operation != e.Operation || Outcome(std.Outcome) != e.Outcome || !slices.Equal(std.Data, e.DataAffected) {
			t.Fatalf("two readers, two events: %+v and %+v", e, std)
		}
		if !e.Chained() {
			return
		}
		once, err := encode(e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(bytes.TrimSuffix(once, []byte("\n")))
		if err != nil || back.Seq != e.Seq || back.User != e.User || back.ID != e.ID || back.Prev != e.Prev || !back.Timestamp.Equal(e.Timestamp.Truncate(time.Microsecond)) {
			t.Fatalf("%+v became %+v, %v", e, back, err)
		}
		twice, err := encode(back)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("writing again gives other bytes: %v\n%s%s", err, once, twice)
		}
		if bytes.IndexFunc(once, func(r rune) bool { return Hidden(r) }) >= 0 {
			t.Fatalf("hidden characters are written: %q", once)
		}
	})
}

// FuzzVerify: whatever the file holds, verifying ends, and so do history and
// the reading of the tail; and what one writer appends to it is read again.
func FuzzVerify(f *testing.F) {
	for _, odd := range odds {
		f.Add([]byte(odd), uint16(0), byte(0))
		f.Add([]byte(odd+"\n"+seedLine+"\n"), uint16(1), byte(1))
	}
	var chained bytes.Buffer
	prev := genesis
	for seq := range int64(4) {
		e := event(fmt.Sprint("X", seq), Success)
		e.V, e.Log, e.Seq, e.Prev = 1, "L", seq+1, prev
		data, _ := encode(e)
		prev = Sum(bytes.TrimSuffix(data, []byte("\n")))
		chained.Write(data)
	}
	f.Add(chained.Bytes(), uint16(300), byte(1))
	f.Add(circle(), uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, data []byte, at uint16, flip byte) {
		if len(data) > 0 {
			data = bytes.Clone(data)
			data[int(at)%len(data)] ^= flip
		}
		before := inMemory(t, data)
		l := fileLog(t, data)
		if _, err := l.History(Query{}, func(Record, []byte) error { return nil }); err != nil && !strings.Contains(err.Error(), "newer version") {
			t.Fatal(err)
		}
		h, err := l.Begin(t.Context(), event("NEW", Success), 0)
		if errors.Is(err, ErrNotLog) { // then behind a line of the Python module
			data = append([]byte(seedLine+"\n"), data...)
			before, l = inMemory(t, data), fileLog(t, data)
			h, err = l.Begin(t.Context(), event("NEW", Success), 0)
		}
		if err != nil {
			return // a line of a newer version stands at the end
		}
		after, err := l.Verify([]Head{h})
		if err != nil {
			t.Fatal(err)
		}
		if before.Intact() && !after.Intact() {
			t.Fatalf("an append broke it: %q, before %q", brief(after), brief(before))
		}
		if after.Events != before.Events+1 || after.Heads[0].Line == 0 {
			t.Fatalf("what was appended is not there: %q", brief(after))
		}
	})
}
