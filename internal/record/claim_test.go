package record

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// tell records claims and returns the ids.
func (d *desk) tell(claims ...Claim) (ids []string, err error) {
	err = d.Tell(d.t.Context(), claims, func(id string) error { ids = append(ids, id); return nil })
	return ids, err
}

// A claim that continues an operation says again what that said, as far as it
// still holds.
func TestContinued(t *testing.T) {
	path := "/exports/1"
	for name, c := range map[string]struct {
		claim    Claim
		affected []string
		path     string
	}{
		"success":         {Claim{Outcome: "success"}, []string{"a", "b"}, path},
		"still pending":   {Claim{Outcome: "pending"}, []string{"a", "b"}, path},
		"partial":         {Claim{Outcome: "partial"}, nil, path},
		"failed":          {Claim{Outcome: "failed"}, nil, path},
		"with its own":    {Claim{Outcome: "success", DataAffected: []string{"a"}}, []string{"a"}, path},
		"with none":       {Claim{Outcome: "success", DataAffected: []string{}}, nil, path},
		"the same name":   {Claim{Operation: "drop", Outcome: "success"}, []string{"a", "b"}, path},
		"another's word":  {Claim{Outcome: "success", User: "bob"}, []string{"a", "b"}, path},
		"exported anew":   {Claim{Outcome: "success", ExportPath: new(string)}, []string{"a", "b"}, path},
		"exported to two": {Claim{Outcome: "success", ExportPath: &[]string{"/2"}[0]}, []string{"a", "b"}, "/2"},
	} {
		d := newDesk(t)
		ids, err := d.tell(Claim{Operation: "drop", Outcome: "pending", DataAffected: []string{"a", "b"}, ExportPath: &path})
		if err != nil {
			t.Fatal(err)
		}
		c.claim.ID = ids[0][:24]
		if c.claim.Outcome != "pending" {
			c.claim.ID = strings.ToLower(ids[0])
		}
		again, err := d.tell(c.claim)
		last, _, _ := d.newest(ids[0])
		if err != nil || !slices.Equal(again, ids) || last.Operation != "drop" || string(last.Outcome) != c.claim.Outcome || !slices.Equal(last.DataAffected, c.affected) || last.ExportPath != c.path {
			t.Errorf("%s: %v, %+v", name, err, last)
		}
		if user := c.claim.User; user != "" && last.User != user {
			t.Errorf("%s: user %q", name, last.User)
		}
	}
}

// Of many claims all are checked before the first is written.
func TestRefusedClaims(t *testing.T) {
	early, bad := "2026-01-02T03:04:05Z", "yesterday"
	d := newDesk(t)
	ids, err := d.tell(Claim{Operation: "drop", Outcome: "pending"}, Claim{Operation: "drop", Outcome: "pending"}, Claim{Operation: "drop", Outcome: "success", Timestamp: &early})
	if err != nil {
		t.Fatal(err)
	}
	working := d.pending("shop")
	before := d.outcomes()
	good := Claim{Operation: "drop", Outcome: "success"}
	for want, claims := range map[string][]Claim{
		"event 2: --operation is missing":                          {good, {Outcome: "success"}},
		"event 2: operation \"Drop It\" is not a lower_snake name": {good, {Operation: "Drop It", Outcome: "success"}},
		"--outcome is missing":                                     {{Operation: "drop"}},
		"unknown outcome \"done\"":                                 {{Operation: "drop", Outcome: "done"}},
		"the detail \"actor\" is this program's own":               {{Operation: "drop", Outcome: "success", Details: map[string]json.RawMessage{"actor": []byte("1")}}},
		"event 2: malformed: timestamp \"yesterday\"":              {good, {Operation: "drop", Outcome: "success", Timestamp: &bad}},
		"is drop, not prune":                                       {{ID: ids[0], Operation: "prune", Outcome: "success"}},
		"operation " + ids[2] + " has ended already":               {{ID: ids[2], Outcome: "failed"}},
		"event 2: operation " + ids[1] + " has ended already":      {{ID: ids[1], Outcome: "success"}, {ID: ids[1], Outcome: "failed"}},
		"operation " + working.ID + ": it is at work":              {{ID: working.ID, Outcome: "success"}},
		"no such operation: \"01KX\"":                              {{ID: "01KX", Outcome: "success"}},
		"\"01KB000000000000000000000\" is the beginning of 4 ids":  {{ID: "01KB000000000000000000000", Outcome: "success"}},
	} {
		got, err := d.tell(claims...)
		if err == nil || !strings.Contains(err.Error(), want) || len(got) > 0 {
			t.Errorf("%v, want %q; recorded %q", err, want, got)
		}
		if f := fault.AsFault(err); f.Try == "" {
			t.Errorf("%v: nothing to try", err)
		}
	}
	if after := d.outcomes(); after != before {
		t.Errorf("%s, before %s", after, before)
	}
	working.Close()
}

// outcomes are those of all events of the log, newest first.
func (d *desk) outcomes() (out string) {
	_, _ = d.Log.Events(audit.Query{}, func(r audit.Record, _ []byte) error {
		out += " " + string(r.Outcome)
		return nil
	})
	return out
}

// A log that fails half way says how far it came.
func TestHalfTold(t *testing.T) {
	d := newDesk(t)
	d.Recorder = &limited{Log: d.Log, left: 2}
	ids, err := d.tell(Claim{Operation: "a", Outcome: "success"}, Claim{Operation: "b", Outcome: "success"}, Claim{Operation: "c", Outcome: "success"})
	if f := fault.AsFault(err); f.Code != fault.ExitNoRecord || !strings.Contains(f.Error(), "recorded 2 of 3 events: disk full") || len(ids) != 2 {
		t.Errorf("%+v, %q", f, ids)
	}
	d.Recorder = headless{d.Log}
	if ids, err = d.tell(Claim{Operation: "c", Outcome: "success"}); err != nil || len(ids) != 1 || !strings.Contains(d.noted(), "the head was not noted") {
		t.Errorf("%v, %q; %s", err, ids, d.noted())
	}
}

func TestReadClaims(t *testing.T) {
	for input, want := range map[string]int{
		`{"operation":"a","outcome":"success"}`:                              1,
		" [ {\"operation\":\"a\"},\n{\"operation\":\"b\"} ] {\"user\":\"\"}": 3,
		``: 0, `[]`: 0, `{"operation":1}`: 0, `{"operation":"a","colour":"red"}`: 0, `{"operation":"a"} nonsense`: 0, `{"operation":"a"`: 0, `3`: 0,
	} {
		got, err := ReadClaims(strings.NewReader(input))
		if len(got) != want || (err == nil) != (want > 0) {
			t.Errorf("%s: %d, %v", input, len(got), err)
		}
	}
}
