package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// told is an event with details.
func told(t *testing.T, id, operation string, outcome audit.Outcome, at time.Time, d record.Details, lost ...string) audit.Record {
	t.Helper()
	if d.Actor == nil {
		d.Actor = json.RawMessage(`{"host":"lap"}`)
	}
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	e := audit.Event{ID: id, Timestamp: at, Operation: operation, Outcome: outcome, User: "ana", Details: raw, DataAffected: lost}
	return audit.Record{Event: e, Unfinished: outcome == audit.Pending}
}

var anonymousVolume = strings.Repeat("5c1aa3438cd9", 6)[:64]

// records are operations of every kind, as they are listed.
func records(t *testing.T) []audit.Record {
	shop := func(bytes int64) record.Details {
		return record.Details{LostBytes: bytes, Why: "the branch is merged and nobody needs its data any more, says the ticket", Inventory: inventory.Inventory{
			Project: "shop", Resources: []inventory.Resource{{Kind: "volume", Name: anonymousVolume, Anonymous: true, UsedBy: []string{"cache"}}, {Kind: "volume", Name: "shop_data"}}}}
	}
	at := func(hour int) time.Time { return time.Date(2026, 11, 23, hour, 5, 6, 0, time.UTC) }
	restored := shop(315_000_000)
	restored.Restored = []record.Restored{{Name: "shop_data", Replaced: true}}
	return []audit.Record{
		told(t, "01KB3ZB6YD0000000000000001", audit.Destroy, audit.Pending, at(17), shop(0), "shop_data"),
		told(t, "01KB3ZB6YC0000000000000002", audit.Destroy, audit.Pending, at(16), shop(0), "shop_data"),
		told(t, "01KB3ZB6YB0000000000000003", audit.Destroy, audit.Success, at(15), shop(2_200_000_000), anonymousVolume, "shop_data"),
		told(t, "01KB3ZB6YA0000000000000004", audit.Destroy, audit.Cancelled, at(14), shop(2_200_000_000)),
		told(t, "01KB3ZB6Y90000000000000005", audit.Destroy, audit.Failed, at(13), shop(2_200_000_000)),
		told(t, "01KB3ZB6Y80000000000000006", audit.Export, audit.Success, at(12), shop(2_200_000_000), "shop_data"),
		told(t, "01KB3ZB6Y70000000000000007", audit.Restore, audit.Success, at(11), restored, "shop_data"),
		told(t, "01KB3ZB6Y60000000000000008", audit.Restore, audit.Success, at(10), shop(0)),
		told(t, "01KB3ZB6Y50000000000000009", "delete_dashboard", audit.Success, at(9), record.Details{RecordedBy: "record"}, "overview"),
	}
}

func TestListings(t *testing.T) {
	time.Local = time.UTC
	for name, c := range map[string]struct {
		format Format
		width  int
	}{
		"list-80.txt": {Table, 80}, "list-120.txt": {Table, 120}, "list-wide-120.txt": {Wide, 120}, "list-wide-200.txt": {Wide, 200},
	} {
		var b bytes.Buffer
		l := NewListing(&b, c.format, now, Style{Width: c.width})
		l.AtWork = func(id string) bool { return strings.HasSuffix(id, "1") }
		for _, r := range records(t) {
			if err := l.Record(r, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.End(); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.String())
	}
}

// What is followed: clock times, columns that stay where they are, and started
// where an operation has just begun.
func TestFollowed(t *testing.T) {
	time.Local = time.UTC
	for _, width := range []int{80, 120} {
		var b bytes.Buffer
		l := NewListing(&b, Table, now, Style{Width: width})
		l.Follow()
		all := records(t)
		for i, r := range []audit.Record{all[8], all[1]} {
			if err := l.Record(r, nil); err != nil {
				t.Fatal(i, err)
			}
		}
		if err := l.Flush(now); err != nil {
			t.Fatal(err)
		}
		l.Live()
		for _, r := range []audit.Record{all[0], all[2], all[3]} {
			if err := l.Record(r, nil); err != nil {
				t.Fatal(err)
			}
			if err := l.Flush(now); err != nil {
				t.Fatal(err)
			}
		}
		golden(t, fmt.Sprintf("follow-%d.txt", width), b.String())
	}
}

func TestShowWraps(t *testing.T) {
	time.Local = time.UTC
	for _, width := range []int{80, 120} {
		var b bytes.Buffer
		r := records(t)[2]
		if err := Show(&b, []audit.Event{r.Event}, [][]byte{nil}, nil, now, Style{Width: width}); err != nil {
			t.Fatal(err)
		}
		golden(t, fmt.Sprintf("show-%d.txt", width), b.String())
	}
}

// Only what destroyed something counts as having destroyed it.
func TestReportCountsLosses(t *testing.T) {
	r := NewReport("audit.jsonl", "", now, audit.Report{})
	for _, one := range records(t) {
		if err := r.Add(one, nil); err != nil {
			t.Fatal(err)
		}
	}
	if r.Count != 9 || r.Destroyed != 3 || r.Lost != 2_515_000_000 || len(r.Largest) != 2 {
		t.Errorf("%d operations, %d destroyed %d bytes, largest %+v", r.Count, r.Destroyed, r.Lost, r.Largest)
	}
	var b bytes.Buffer
	if err := r.Page(&b); err != nil || !strings.Contains(b.String(), "<strong>9</strong> operations, of which <strong>3</strong> destroyed something: <strong>2.52 GB</strong>") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
