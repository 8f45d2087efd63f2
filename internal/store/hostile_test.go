package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// What a runner may do is to create events. Nothing that it creates may keep others
// from reading, sealing or verifying the rest.

// planted is a line that somebody made who has no log.
func planted(log string, seq int64, id string, at time.Time, o audit.Outcome, user string) []byte {
	return fmt.Appendf(nil, `{"v":1,"log":%q,"seq":%d,"prev":"%064d","id":%q,"timestamp":%q,"operation":"destroy","outcome":%q,"user":%q,"details":{},"data_affected":[],"export_path":null}`,
		log, seq, 0, id, at.UTC().Format("2006-01-02T15:04:05.000000+00:00"), o, user)
}

func keyOfLine(t *testing.T, line []byte) Key {
	t.Helper()
	e, err := audit.Parse(line)
	if err != nil {
		t.Fatal(err)
	}
	k, err := KeyOf(e, line)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func plant(t *testing.T, b Putter, line []byte) Key {
	t.Helper()
	k := keyOfLine(t, line)
	if err := b.Put(t.Context(), k.String(), line); err != nil {
		t.Fatal(err)
	}
	return k
}

// An event of before 1970 keeps nobody from searching.
func TestEventBeforeTime(t *testing.T) {
	_, b, keys, _ := sealedStore(t)
	for _, year := range []int{0, 1, 1969, 9999} {
		plant(t, b, planted("x", 1, fmt.Sprint(year), time.Date(year, 12, 31, 23, 59, 0, 0, time.UTC), audit.Success, "eve"))
	}
	a := Archive{NewSource(b, keys, nil)}
	n := 0
	if err := a.History(t.Context(), Query{Words: [][]string{{"eve"}}, Match: func(e audit.Event, _ []byte) bool { return e.User == "eve" }},
		func(audit.Record, []byte) error { n++; return nil }); err != nil || n != 4 {
		t.Errorf("%d events, %v", n, err)
	}
	if r, err := a.Verify(t.Context(), "x", nil); err != nil || r.Events == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// A line of the greatest length is sealed and read like any other.
func TestLongestLine(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	b := open(t, server, server.Root, server.Bucket("audit", false))
	key, keys := signer(t, "audit.example.com")
	line := planted("x", 1, "01KB", sealDay, audit.Success, "")
	user := strings.Repeat("u", maxLine-len(line))
	plant(t, b, planted("x", 1, "01KB", sealDay, audit.Success, user))
	mustSeal(t, sealer(b, key), 1, 1)
	mustSeal(t, sealer(b, key), 0, 0)
	verified(t, b, keys, "")
	n := 0
	if err := (Archive{NewSource(b, keys, nil)}).History(t.Context(), Query{}, func(r audit.Record, _ []byte) error {
		n += len(r.User)
		return nil
	}); err != nil || n != len(user) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// Objects that are named after an operation and hold something else do not hide it,
// and neither does another log with an operation of that id.
func TestShowAmongOthers(t *testing.T) {
	_, b, keys, id := sealedStore(t)
	at := sealDay.Add(5 * time.Minute)
	k := keyOfLine(t, planted("x", 1, id, at, audit.Pending, "eve"))
	if err := b.Put(t.Context(), k.String(), []byte("junk")); err != nil {
		t.Fatal(err)
	}
	a := Archive{NewSource(b, keys, nil)}
	var passed []Key
	spoilt := func(k Key) { passed = append(passed, k) }
	events, lines, err := a.Show(t.Context(), id, spoilt)
	if err != nil || len(events) != 2 || len(lines) != 2 || len(passed) != 1 || passed[0] != k {
		t.Fatalf("%d events, %v, passed over %v", len(events), err, passed)
	}
	own := events[0].Log
	plant(t, b, planted("a", 3, id, at.Add(-time.Minute), audit.Failed, "eve"))
	a = Archive{NewSource(b, keys, nil)}
	events, _, err = a.Show(t.Context(), id, spoilt)
	if err != nil || len(events) != 3 || (events[0].Log == own) == (events[2].Log == own) {
		t.Errorf("%d events, %v", len(events), err)
	}
}

// Verifying takes neither stack nor time that grows with the square of the numbers
// that somebody makes up.
func TestMadeUpNumbers(t *testing.T) {
	const n = 300_000
	report := func(seq func(i int) int64) audit.Report {
		v := &verifier{logs: map[string]*chain{}, heads: map[string][]int{}, open: map[string]bool{}}
		for i := range n {
			v.follow(v.chain("x"), link{seq: seq(i), sum: fmt.Sprint(seq(i)), prev: fmt.Sprint(seq(i) - 1), key: Key{Log: "x"}})
		}
		v.finish()
		return v.report
	}
	if r := report(func(i int) int64 { return 2 * int64(i+1) }); len(r.Findings)+int(r.Omitted) != n {
		t.Errorf("%d findings, %d left out", len(r.Findings), r.Omitted)
	}
	if r := report(func(i int) int64 { return int64(n - i) }); len(r.Findings) > 1 { // the first one follows nothing
		t.Errorf("%+v", r.Findings)
	}
}

// An event that is spread over two lines is not one that a log holds: readers pass it
// over, verifying tells of it, and it is not sealed.
func TestEventOfTwoLines(t *testing.T) {
	o := newObjects()
	history(t, o, sealDay, 1)
	line := planted("x", 1, "01KB", sealDay, audit.Success, "eve")
	k := plant(t, o, append([]byte("{\n"), line[1:]...))
	key, keys := signer(t, "audit.example.com")
	done, err := sealer(o, key).Seal(t.Context())
	if err != nil || done.Lines != 2 || len(done.Wrong) != 1 || done.Wrong[0].File != k.String() {
		t.Errorf("%+v, %v", done, err)
	}
	a := Archive{NewSource(o, keys, nil)}
	var spoilt []Key
	q := Query{Spoilt: func(k Key) { spoilt = append(spoilt, k) }}
	if err := a.History(t.Context(), q, func(r audit.Record, _ []byte) error {
		if r.User == "eve" {
			t.Errorf("%+v", r)
		}
		return nil
	}); err != nil || !slices.Equal(spoilt, []Key{k}) {
		t.Errorf("%v, %v", spoilt, err)
	}
	if r, err := a.Verify(t.Context(), "x", nil); err != nil || len(r.Findings) != 1 || r.Findings[0].Class != audit.Changed {
		t.Errorf("%v: %+v", err, r.Findings)
	}
}
