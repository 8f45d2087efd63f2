package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/oklog/ulid/v2"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// tally counts what is read.
type tally struct {
	Reader
	parts, bytes atomic.Int64
}

func (c *tally) Range(ctx context.Context, key string, at, size int64) ([]byte, error) {
	c.parts.Add(1)
	c.bytes.Add(size)
	return c.Reader.Range(ctx, key, at, size)
}

// everything is what all readers of an archive say.
func everything(t *testing.T, a Archive, id string) (out []string) {
	t.Helper()
	ctx := t.Context()
	project := func(name string) func(audit.Event, []byte) bool {
		return func(e audit.Event, _ []byte) bool { return strings.Contains(string(e.Details), `"`+name+`"`) }
	}
	for name, q := range map[string]Query{
		"all": {}, "newest": {Limit: 7}, "raw": {Raw: true}, "newest raw": {Raw: true, Limit: 5}, "outcome": {Outcome: []string{"pending"}},
		"project": {Words: [][]string{{"shop3"}}, Match: project("shop3")}, "two projects": {Limit: 9, Words: [][]string{{"shop3", "late"}}, Match: project("late")},
		"pattern": {Words: [][]string{{"sho*"}}, Match: project("shop5")}, "since": {Since: sealDay.Add(time.Hour)}, "until": {Until: sealDay.Add(-20 * time.Hour)},
	} {
		n := 0
		if err := a.History(ctx, q, func(r audit.Record, line []byte) error {
			n++
			out = append(out, fmt.Sprintf("%s %03d %s %v", name, n, line, r.Unfinished))
			return nil
		}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	ids, err := a.IDs(ctx, 20)
	heads, err2 := a.Heads(ctx)
	events, lines, err3 := a.Show(ctx, id, func(k Key) { t.Error(k) })
	report, err4 := a.Verify(ctx, "x", heads)
	for _, err := range []error{err, err2, err3, err4} {
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(out)
	return append(out, fmt.Sprint(ids), fmt.Sprint(heads), fmt.Sprint(events), fmt.Sprintf("%s", lines), fmt.Sprintf("%+v", report))
}

// sealedStore has two sealed days, of 200 and 202 events, and events that came late
// and today. id is that of an operation of two events, as real ones are.
func sealedStore(t *testing.T) (server *s3lab.Server, b *S3, keys Keys, id string) {
	server = s3lab.Start(t, s3lab.Options{})
	b = open(t, server, server.Root, server.Bucket("audit", false))
	key, keys := signer(t, "audit.example.com")
	history(t, b, sealDay.AddDate(0, 0, -1), 100)
	history(t, b, sealDay, 100)
	w := &world{t: t, server: server, bucket: b}
	l := w.log()
	id = leastID(sealDay.Add(5 * time.Minute)) // the same each time: filters err in the same frames
	e := audit.Event{ID: id, Timestamp: sealDay.Add(5 * time.Minute), Operation: "destroy", Outcome: audit.Pending, User: "ana"}
	if _, err := l.Begin(t.Context(), e, 0); err != nil {
		t.Fatal(err)
	}
	w.event(l, id, sealDay.Add(6*time.Minute), "destroy", audit.Success)
	w.ship(l)
	mustSeal(t, sealer(b, key), 2, 402)
	w.event(l, "", sealDay.Add(-time.Hour), "prune", audit.Pending) // late, and unfinished
	w.event(l, "", sealDay.Add(30*time.Minute), "destroy", audit.Failed)
	w.event(l, "", sealDay.AddDate(0, 0, 1).Add(time.Hour), "destroy", audit.Success)
	w.ship(l)
	return server, b, keys, id
}

func dayFiles(t *testing.T, dir string, day time.Time) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, EventsDir+dayDir(day), "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A store reads the same from packs as from the objects of events, also when these
// have expired, when indexes are gone, and when packs are not what was sealed as long
// as the objects are there.
func TestPacksReadAsLoose(t *testing.T) {
	server, b, keys, id := sealedStore(t)
	dir := filepath.Join(server.Dir, "data", "audit")
	want := everything(t, Archive{Loose{b}}, id)
	same := func(what string) {
		t.Helper()
		got := everything(t, Archive{NewSource(b, keys, func(key string, err error) { t.Errorf("%s: %s: %v", what, key, err) })}, id)
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Fatalf("%s: %d instead of %d, from the %d-th on: %.300q, want %.300q", what, len(got), len(want), i, got[i:min(i+1, len(got))], want[i:min(i+1, len(want))])
			}
		}
	}
	same("both there")
	first, second := filepath.Join(dir, packKey(sealDay.AddDate(0, 0, -1), 1)), filepath.Join(dir, packKey(sealDay, 1))
	pack, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func(){
		"pack rewritten": func() { rewrite(t, first, "ana", "bob") },
		"pack cut":       func() { cut(t, first) },
		"pack emptied":   func() { write(t, first, nil) },
		"pack removed":   func() { remove(t, first) },
	} {
		spoil()
		same(what)
		write(t, first, pack)
	}
	// The rule of the bucket comes, and removes what is in packs.
	for _, day := range []time.Time{sealDay, sealDay.AddDate(0, 0, -1)} {
		for _, file := range dayFiles(t, dir, day) {
			if k, err := parseKey(strings.TrimPrefix(file, dir+"/")); err != nil || k.Operation == "prune" || k.Outcome == audit.Failed {
				continue // these came late
			}
			remove(t, file)
		}
	}
	same("only the late ones are loose")
	remove(t, filepath.Join(dir, indexKey(packKey(sealDay, 1))))
	same("an index is gone")
	edit(t, filepath.Join(dir, indexKey(packKey(sealDay.AddDate(0, 0, -1), 1))), `"lines":200`, `"lines":199`)
	same("another index is changed")
	copyFile(t, first, filepath.Join(dir, packKey(sealDay, 2)))
	same("a pack without a seal")
	// What is in neither is passed over by readers, and told by Verify.
	rewrite(t, second, "ana", "bob")
	spoilt, read := 0, 0
	a := Archive{NewSource(b, keys, nil)}
	if err := a.History(t.Context(), Query{Raw: true, Spoilt: func(Key) { spoilt++ }}, func(audit.Record, []byte) error { read++; return nil }); err != nil || read != 203 {
		t.Errorf("%v: read %d, spoilt %d", err, read, spoilt)
	}
}

// A frame that was changed is told line by line where its index still names them.
func TestPackFrameChanged(t *testing.T) {
	server, b, keys, _ := sealedStore(t)
	dir := filepath.Join(server.Dir, "data", "audit")
	for _, file := range dayFiles(t, dir, sealDay) {
		remove(t, file)
	}
	file := filepath.Join(dir, packKey(sealDay, 1))
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-10] ^= 1 // in the last frame, of 10 lines
	write(t, file, data)
	spoilt, read := 0, 0
	a := Archive{NewSource(b, keys, nil)}
	if err := a.History(t.Context(), Query{Raw: true, Spoilt: func(Key) { spoilt++ }}, func(audit.Record, []byte) error { read++; return nil }); err != nil || read != 394 || spoilt != 10 {
		t.Errorf("%v: read %d, spoilt %d", err, read, spoilt)
	}
	r, err := a.Verify(t.Context(), "x", nil)
	if err != nil || len(r.Findings) != 11 || r.Findings[0].Class != audit.Changed { // and one that was not sealed yet
		t.Errorf("%v: %+v", err, r.Findings)
	}
}

// A search reads the frames that may have what it looks for, and a short list the
// last ones; a list of all reads several at a time.
func TestPacksReadLittle(t *testing.T) {
	server, b, keys, id := sealedStore(t)
	_ = server
	c := &tally{Reader: b}
	a := Archive{NewSource(c, keys, nil)}
	none := [][]string{{"nobody"}, {"nowhere"}, {"nothing"}} // of one such word in a hundred a filter says that it may be there
	for name, q := range map[string]struct {
		q           Query
		parts, most int64
		want        int
	}{
		"nobody":  {Query{Words: none, Match: func(audit.Event, []byte) bool { return false }}, 0, 0, 0},
		"one id":  {Query{Words: [][]string{{id}}, Match: func(e audit.Event, _ []byte) bool { return e.ID == id }}, 1, 2, 1}, // it, and one in vain
		"two":     {Query{Words: append([][]string{{id}}, none...), Match: func(audit.Event, []byte) bool { return false }}, 0, 0, 0},
		"newest":  {Query{Limit: 5}, 1, 1, 5},
		"all":     {Query{}, 2, 6, 204},
		"outcome": {Query{Outcome: []string{"partial"}}, 0, 0, 0},
	} {
		c.parts.Store(0)
		n := 0
		if err := a.History(t.Context(), q.q, func(audit.Record, []byte) error { n++; return nil }); err != nil || n != q.want || c.parts.Load() < q.parts || c.parts.Load() > q.most {
			t.Errorf("%s (%s): %v: %d found in %d parts of %d bytes", name, id, err, n, c.parts.Load(), c.bytes.Load())
		}
		a = Archive{NewSource(c, keys, nil)} // nothing is kept
	}
}

// Seals by another key do not count where there is a key, and are told.
func TestPacksUnsigned(t *testing.T) {
	server, b, keys, _ := sealedStore(t)
	dir := filepath.Join(server.Dir, "data", "audit")
	remove(t, filepath.Join(dir, EventsDir))
	_, others := signer(t, "audit.example.com")
	for want, of := range map[int]Keys{402: keys, 0: others} {
		told, read := 0, 0
		a := Archive{NewSource(b, of, func(string, error) { told++ })}
		if err := a.History(t.Context(), Query{Raw: true}, func(audit.Record, []byte) error { read++; return nil }); err != nil || read != want || told != b2i(want == 0)*2 {
			t.Errorf("%v: read %d of %d, told %d", err, read, want, told)
		}
	}
}

// An operation is judged by its last event also where the search finds an earlier one
// alone: one that came late, or is of the day before.
func TestPacksLastEventElsewhere(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	b := open(t, server, server.Root, server.Bucket("audit", false))
	w := &world{t: t, server: server, bucket: b}
	l := w.log()
	for _, at := range []time.Time{sealDay.Add(time.Hour), sealDay.Add(-time.Minute)} { // both end on the sealed day
		e := audit.Event{ID: ulid.MustNewDefault(at).String(), Timestamp: at, Operation: "destroy", Outcome: audit.Pending, User: "ana", Details: []byte(`{"project":"alone"}`)}
		if _, err := l.Begin(t.Context(), e, 0); err != nil {
			t.Fatal(err)
		}
		w.event(l, e.ID, at.Add(5*time.Minute), "destroy", audit.Success) // of another project
	}
	w.ship(l)
	dir := filepath.Join(server.Dir, "data", "audit")
	for _, file := range dayFiles(t, dir, sealDay) {
		if !strings.Contains(file, "_pending_") {
			continue
		}
		if err := b.client.RemoveObject(t.Context(), b.Bucket, strings.TrimPrefix(file, dir+"/"), minio.RemoveObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	key, keys := signer(t, "audit.example.com")
	mustSeal(t, sealer(b, key), 2, 3)
	check := func(what string) {
		t.Helper()
		for _, limit := range []int{0, 5} {
			q := Query{Limit: limit, Words: [][]string{{"alone"}}, Match: func(e audit.Event, _ []byte) bool { return strings.Contains(string(e.Details), `"alone"`) }}
			if err := (Archive{NewSource(b, keys, nil)}).History(t.Context(), q, func(r audit.Record, _ []byte) error {
				t.Errorf("%s, limit %d: %s %s", what, limit, r.ID, r.Outcome)
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
	}
	check("packed")
	w.ship(l) // the one that was not there comes
	check("late")
}
