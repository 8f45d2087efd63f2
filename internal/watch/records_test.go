package watch

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

var engine = inventory.Engine{ID: "e", StableCreated: true}

// book is one with a log of its own.
func book(t *testing.T) *record.Book {
	t.Helper()
	return &record.Book{
		Log: &audit.Log{Path: filepath.Join(t.TempDir(), "audit.jsonl")}, User: "ana", Tool: "ccdestroy test", Actor: json.RawMessage(`{}`),
		Now: time.Now, NewID: func(now time.Time) string { return ulid.MustNew(ulid.Timestamp(now), rand.Reader).String() }, Note: func(string) {},
	}
}

// desk is where a watch records, beside the log of a project.
type desk struct {
	t       *testing.T
	project *record.Book
	records *Records
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, project: book(t)}
	d.records = &Records{Book: book(t), Others: func() []*audit.Log { return []*audit.Log{d.project.Log} }}
	return d
}

// lose records losses, and says how many are left.
func (d *desk) lose(losses ...Loss) (left int) {
	d.t.Helper()
	rest, err := d.records.Record(d.t.Context(), losses, false)
	if err != nil {
		d.t.Error(err)
	}
	return len(rest)
}

// recorded are the watch's records: "name" or "name claimed by id".
func (d *desk) recorded() (got []string) {
	d.t.Helper()
	_, err := d.records.Book.Log.History(audit.Query{}, func(r audit.Record, _ []byte) error {
		details, err := record.ParseDetails(r.Event)
		if err != nil || details.RecordedBy != recordedBy || r.Outcome != audit.Success {
			d.t.Errorf("%+v, %v", r, err)
		}
		text := r.DataAffected[0]
		if len(details.Claims) > 0 {
			text += " claimed by " + strings.Join(details.Claims, ", ")
		}
		got = append(got, text)
		return nil
	})
	if err != nil && len(got) > 0 {
		d.t.Error(err)
	}
	slices.Sort(got)
	return got
}

func (d *desk) want(what string, left, wantLeft int, want ...string) {
	d.t.Helper()
	if got := d.recorded(); left != wantLeft || !slices.Equal(got, want) {
		d.t.Errorf("%s: %d left, recorded %q; want %d, %q", what, left, got, wantLeft, want)
	}
}

// loss is one of a volume that was made at that second.
func loss(name string, born int64) Loss {
	return Loss{Volume: v(name, born), Engine: engine, At: time.Now()}
}

// about is an inventory of volumes that are about to go.
func about(project string, volumes ...inventory.Volume) inventory.Inventory {
	inv := inventory.Inventory{Project: project, Engine: engine}
	for _, v := range volumes {
		r := v.Resource()
		r.Asked, r.Fate = true, inventory.Removed
		inv.Resources = append(inv.Resources, r)
	}
	return inv
}

// begin begins a teardown of the project: it is at work.
func (d *desk) begin(inv inventory.Inventory) *record.Operation {
	d.t.Helper()
	o, err := d.project.Open(audit.Destroy)
	if err != nil {
		d.t.Fatal(err)
	}
	o.Details.Inventory = inv
	if err := o.Pend(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	return o
}

// end records the outcome, with the volumes that are gone, and ends the work.
func (d *desk) end(o *record.Operation, outcome audit.Outcome, gone ...string) {
	d.t.Helper()
	for i, r := range o.Details.Resources {
		if slices.Contains(gone, r.Name) {
			o.Details.Resources[i].Result = inventory.Gone
		}
	}
	if err := o.End(d.t.Context(), record.Ended{Outcome: outcome, Affected: gone}); err != nil {
		d.t.Error(err)
	}
	o.Close()
}

// tell records what a script claims.
func (d *desk) tell(c record.Claim) (id string) {
	d.t.Helper()
	err := d.project.Tell(d.t.Context(), []record.Claim{c}, func(told string) error { id = told; return nil })
	if err != nil {
		d.t.Fatal(err)
	}
	return id
}

// A teardown at work may be the one: nothing is recorded before it has ended, and
// then what its outcome does not tell of.
func TestOperationAtWork(t *testing.T) {
	for _, c := range []struct {
		name    string
		outcome audit.Outcome
		gone    []string
		want    []string
	}{
		{"it did it", audit.Success, []string{"a"}, nil},
		{"somebody else did", audit.Failed, nil, []string{"a"}},
		{"it did another", audit.Partial, []string{"b"}, []string{"a"}},
	} {
		d := newDesk(t)
		o := d.begin(about("shop", v("a", 1), v("b", 1)))
		lost := loss("a", 1)
		d.want(c.name+": at work", d.lose(lost), 1)
		d.end(o, c.outcome, c.gone...)
		d.want(c.name, d.lose(lost), 0, c.want...)
	}
}

// A teardown at work also takes what of its project was made after it had looked;
// of another project, and once it has ended, it takes nothing.
func TestUnannounced(t *testing.T) {
	d := newDesk(t)
	o := d.begin(about("shop", v("a", 1)))
	late, other, nobodys := loss("late", 2), loss("other", 2), loss("nobodys", 2)
	late.Volume.Labels = map[string]string{inventory.LabelProject: "shop"}
	other.Volume.Labels = map[string]string{inventory.LabelProject: "blog"}
	elsewhere := loss("elsewhere", 2)
	elsewhere.Engine.ID = "another engine"
	d.want("at work", d.lose(late, other, nobodys, elsewhere), 2, "elsewhere", "other")
	o.Details.Unforeseen = []string{"nobodys"} // it is gone as well, perhaps by another hand
	d.end(o, audit.Success, "a", "late")
	d.want("ended", d.lose(late, nobodys), 0, "elsewhere", "nobodys claimed by "+o.ID, "other")
}

// An operation that has looked and not said yet what it will destroy is waited
// for; not for long, since it may be asking the user.
func TestBeginning(t *testing.T) {
	d := newDesk(t)
	o, err := d.project.Open(audit.Destroy)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.project.Log.Begin(t.Context(), audit.Event{ID: "01KB3Z8A0C4T9Q2M7V5X1B6N8D", Timestamp: time.Now(), Operation: "clean", Outcome: audit.Success, User: "ana"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	lost, long := loss("a", 1), loss("b", 1)
	long.At = long.At.Add(-2 * beginLimit)
	d.want("beginning", d.lose(lost), 1)
	o.Details.Inventory = about("shop", v("a", 1))
	if err := o.Pend(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.want("begun", d.lose(lost), 1)
	d.end(o, audit.Success, "a")
	d.want("ended", d.lose(lost), 0)

	now := time.Now()
	d.project.Now = func() time.Time { return now.Add(-3 * beginLimit) }
	if o, err = d.project.Open(audit.Destroy); err != nil {
		t.Fatal(err)
	}
	d.want("asking", d.lose(long), 0, "b")
	o.Close()
	d.want("it has asked, and was told no", d.lose(loss("c", 1)), 0, "b", "c")
}

// Operations that have the engine destroy nothing neither account for a loss nor
// keep it waiting.
func TestOthers(t *testing.T) {
	for _, name := range []string{audit.Export, audit.Undo, audit.Purge} {
		d := newDesk(t)
		o, err := d.project.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		o.Details.Inventory, o.About = about("shop", v("a", 1), v("b", 1)), []string{"a", "b"}
		if err := o.Pend(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.want(name+" at work", d.lose(loss("a", 1)), 0, "a")
		d.end(o, audit.Success, "b")
		d.want(name, d.lose(loss("b", 1)), 0, "a", "b")
	}
}

// A restore that fails takes back the volume that it made.
func TestRestoreFails(t *testing.T) {
	d := newDesk(t)
	o, err := d.project.Open(audit.Restore)
	if err != nil {
		t.Fatal(err)
	}
	o.Details.Restored = []record.Restored{{Name: "a", From: "a"}}
	if err := o.Pend(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.want("at work", d.lose(loss("a", 1)), 1)
	d.end(o, audit.Failed)
	d.want("failed", d.lose(loss("a", 1)), 0, "a claimed by "+o.ID)
}

// A claim of an operation that is not at work silences nothing; the record says
// that it may have been the one.
func TestClaims(t *testing.T) {
	d := newDesk(t)
	byHand := d.tell(record.Claim{Operation: "destroy", Outcome: "pending", DataAffected: []string{"a"}})
	d.want("by hand", d.lose(loss("a", 1)), 0, "a claimed by "+byHand)

	d = newDesk(t)
	o := d.begin(about("shop", v("a", 1)))
	o.Close() // as a crash leaves it: the lock is free, and its file there
	d.want("cut off", d.lose(loss("a", 1)), 0, "a claimed by "+o.ID)

	d = newDesk(t)
	inv := about("shop", v("a", 1))
	inv.Resources[0].Asked, inv.Resources[0].Fate = false, inventory.Kept
	o = d.begin(inv)
	d.want("to be kept, at work", d.lose(loss("a", 1)), 1) // if it is gone, the outcome will say so
	o.Close()
	d.want("to be kept, cut off", d.lose(loss("a", 1)), 0, "a claimed by "+o.ID)

	d = newDesk(t)
	two := []string{d.tell(record.Claim{Operation: "destroy", Outcome: "pending", DataAffected: []string{"a"}})}
	o = d.begin(about("shop", v("a", 1)))
	d.want("one of two is at work", d.lose(loss("a", 1)), 1)
	o.Close()
	lost := loss("a", 1)
	if left := d.lose(lost); left != 0 || len(d.recorded()) != 1 || !strings.Contains(d.recorded()[0], two[0]) || !strings.Contains(d.recorded()[0], o.ID) {
		t.Errorf("%d left, %q; want claims of %s and %s", left, d.recorded(), two[0], o.ID)
	}
}

// An operation that began long ago is known by its lock file.
func TestLongAgo(t *testing.T) {
	d := newDesk(t)
	o := d.begin(about("shop", v("a", 1)))
	f, err := os.OpenFile(d.project.Log.Path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range olderInRow + 100 { // as the Python module writes them
		_, err := fmt.Fprintf(f, `{"timestamp":"2026-01-01T00:00:00","operation":"clean","outcome":"success","user":"ana","details":{},"data_affected":["%01000d"],"export_path":null}`+"\n", 1)
		if err != nil {
			t.Fatal(err)
		}
	}
	d.want("at work", d.lose(loss("a", 1)), 1)
	o.Close()
	d.want("cut off", d.lose(loss("a", 1)), 0, "a claimed by "+o.ID)
}

// However a script words it, its word is about one moment and its seven fields.
func TestScripts(t *testing.T) {
	d := newDesk(t)
	past, future := "2020-01-01T00:00:00Z", time.Now().Add(time.Hour).Format(time.RFC3339)
	d.tell(record.Claim{Operation: "destroy", Outcome: "success", DataAffected: []string{"a"}, Details: map[string]json.RawMessage{
		"started_at": json.RawMessage(`"` + past + `"`), "engine": json.RawMessage(`{"id":"another"}`),
		"resources": json.RawMessage(`[{"kind":"volume","name":"b","result":"gone"}]`), "unforeseen": json.RawMessage(`["c"]`),
	}})
	d.tell(record.Claim{Operation: "destroy", Outcome: "success", DataAffected: []string{"f"}, Timestamp: &future, Details: map[string]json.RawMessage{"started_at": json.RawMessage(`"` + past + `"`)}})
	d.tell(record.Claim{Operation: "destroy", Outcome: "success", DataAffected: []string{"g"}, Details: map[string]json.RawMessage{"project": json.RawMessage(`7`)}})
	before, after := loss("a", 1), loss("f", 1)
	before.At, after.At = before.At.Add(-time.Minute), after.At.Add(30*time.Minute)
	d.want("all", d.lose(before, loss("a", 1), loss("b", 1), loss("c", 1), after, loss("g", 1)), 0, "a", "b", "c", "f")
	d.want("once more", d.lose(loss("a", 1)), 0, "a", "a", "b", "c", "f")
}

// One record accounts for one loss, and for that of no other volume of its name.
func TestOneForOne(t *testing.T) {
	d := newDesk(t)
	o := d.begin(about("shop", v("a", 1), v("b", 1)))
	d.end(o, audit.Success, "a", "b")
	unknown := Loss{Volume: inventory.Volume{Name: "b"}, Engine: engine, At: time.Now()}
	d.want("another of its name", d.lose(loss("a", 2), unknown, unknown), 0, "a", "b")
	d.want("and it itself", d.lose(loss("a", 1)), 0, "a", "b")
	d.want("twice", d.lose(loss("a", 1)), 0, "a", "a", "b")
}

// Of several records that may account for a loss, the likeliest does.
func TestLikeliest(t *testing.T) {
	d := newDesk(t)
	nameless := func() Loss { return Loss{Volume: inventory.Volume{Name: "a"}, Engine: engine, At: time.Now()} }
	before := nameless()
	older, newer := v("a", 1), v("a", 2)
	newer.Born = time.Now()
	o := d.begin(about("shop", newer))
	d.end(o, audit.Success, "a")
	d.want("it was not made yet", d.lose(before), 0, "a")

	d = newDesk(t)
	unborn := func(created int64) inventory.Volume {
		return inventory.Volume{Name: "a", Driver: "local", Created: time.Unix(created, 0)}
	}
	o = d.begin(about("shop", unborn(2)))
	d.end(o, audit.Success, "a")
	d.want("it was made later", d.lose(Loss{Volume: unborn(3), Engine: engine, At: time.Now()}), 0, "a")
	d.want("its time has moved", d.lose(Loss{Volume: unborn(1), Engine: engine, At: time.Now()}), 0, "a")

	d = newDesk(t)
	o = d.begin(about("shop", older))
	within := nameless()
	d.end(o, audit.Success, "a")
	o = d.begin(about("shop", v("a", 2)))
	d.end(o, audit.Success, "a")
	d.want("in the time of the first", d.lose(within, loss("a", 2)), 0)

	d = newDesk(t)
	o = d.begin(about("shop", v("a", 1)))
	d.end(o, audit.Success, "a")
	d.want("the one that is known comes first", d.lose(nameless(), loss("a", 1)), 0, "a")
}

// What went while nobody watched is looked up for all that time; and what an
// earlier watch recorded after it had written its list is not recorded again.
func TestGap(t *testing.T) {
	d := newDesk(t)
	before := time.Now()
	o := d.begin(about("shop", v("a", 1), v("b", 1)))
	d.end(o, audit.Success, "a")
	d.want("seen by an earlier watch", d.lose(loss("c", 1)), 0, "c")
	from := before.Add(-time.Hour)
	missed := func(name string, listed time.Time) Loss {
		l := loss(name, 1)
		l.At, l.Since, l.Listed = time.Now().Add(time.Hour), from, listed
		return l
	}
	d.want("the gap", d.lose(missed("a", before), missed("b", before), missed("c", before.Truncate(time.Microsecond))), 0, "b", "c")
	d.want("its list is newer", d.lose(missed("c", time.Now())), 0, "b", "c", "c")
}

// The outcome of an operation comes into the log before its lock is free. However
// the two fall between the looks of a watch, what it tells of is not recorded.
func TestEndsBetweenTwoLooks(t *testing.T) {
	d := newDesk(t)
	times := 200
	if testing.Short() {
		times = 20
	}
	for range times {
		o := d.begin(about("shop", v("a", 1)))
		lost := loss("a", 1)
		var wg sync.WaitGroup
		wg.Go(func() { d.end(o, audit.Success, "a") })
		for d.lose(lost) > 0 {
			time.Sleep(100 * time.Microsecond) // between two looks
		}
		wg.Wait()
	}
	d.want("all", 0, 0)
}

// What cannot be recorded is left, with all that follows.
func TestRecordFails(t *testing.T) {
	d := newDesk(t)
	d.records.Book.Log.Path = filepath.Join(t.TempDir(), "none", "\x00", "audit.jsonl")
	left, err := d.records.Record(t.Context(), []Loss{loss("a", 1), loss("b", 1)}, false)
	if err == nil || errors.Is(err, audit.ErrHead) || len(left) != 2 {
		t.Errorf("%v, %d left", err, len(left))
	}
	o := d.begin(about("shop", v("c", 1)))
	defer o.Close()
	others := loss("a", 1)
	others.Volume.Labels = map[string]string{inventory.LabelProject: "blog"}
	if left, err = d.records.Record(t.Context(), []Loss{loss("c", 1), others}, false); err == nil || len(left) != 2 {
		t.Errorf("with one at work: %v, %d left", err, len(left))
	}
}

// At the end nothing is waited for: what may have done it is named.
func TestLast(t *testing.T) {
	d := newDesk(t)
	o := d.begin(about("shop", v("a", 1)))
	defer o.Close()
	if left, err := d.records.Record(t.Context(), []Loss{loss("a", 1)}, true); err != nil || len(left) != 0 {
		t.Errorf("%v, %d left", err, len(left))
	}
	d.want("last", 0, 0, "a claimed by "+o.ID)
}

// Two watches would record everything twice.
func TestHold(t *testing.T) {
	b := book(t)
	release, err := Hold(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Hold(b); err == nil || !strings.Contains(err.Error(), "another watch records in "+b.Log.Path+": ana on ") {
		t.Errorf("the second: %v", err)
	}
	release()
	if release, err = Hold(b); err != nil {
		t.Fatal(err)
	}
	release()
}
