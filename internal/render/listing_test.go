package render

import (
	"bytes"
	"encoding/json"
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
	shop := func(bytes int64, result inventory.Result) record.Details {
		return record.Details{LostBytes: bytes, Why: "the branch is merged and nobody needs its data any more, says the ticket", Inventory: inventory.Inventory{
			Project: "shop", Engine: inventory.Engine{Name: "box"}, Resources: []inventory.Resource{
				{Kind: "volume", Name: anonymousVolume, Anonymous: true, UsedBy: []string{"cache"}, Asked: true, Fate: "removed", Result: result},
				{Kind: "volume", Name: "shop_data", Asked: true, Fate: "removed", Result: result, Size: &inventory.Size{Bytes: 2_200_000_000}},
				{Kind: "volume", Name: "shop_cache", Asked: true, Fate: "kept", Result: map[bool]inventory.Result{true: "remained"}[result != ""], Reason: "in use by psql-debug, which somebody runs by hand and which is not of this project"},
			}}}
	}
	at := func(hour int) time.Time { return time.Date(2026, 11, 23, hour, 5, 6, 0, time.UTC) }
	restored := shop(315_000_000, "")
	restored.Restored = []record.Restored{{Name: "shop_data", Replaced: true}}
	kept := shop(2_200_000_000, "gone")
	kept.Kept, kept.DurationMS = []record.Kept{{Name: "shop_data", Until: "2026-11-30T15:05:06Z", Bytes: 2_200_000_000}}, 612
	cancelled := shop(0, "")
	for i := range cancelled.Resources {
		cancelled.Resources[i].Reason = "cancelled before anything was removed"
	}
	return []audit.Record{
		told(t, "01KB3ZB6YD0000000000000001", audit.Destroy, audit.Pending, at(17), shop(0, ""), "shop_data"),
		told(t, "01KB3ZB6YC0000000000000002", audit.Destroy, audit.Pending, at(16), shop(0, ""), "shop_data"),
		told(t, "01KB3ZB6YB0000000000000003", audit.Destroy, audit.Partial, at(15), kept, anonymousVolume, "shop_data"),
		told(t, "01KB3ZB6YA0000000000000004", audit.Destroy, audit.Cancelled, at(14), cancelled),
		told(t, "01KB3ZB6Y90000000000000005", audit.Destroy, audit.Failed, at(13), shop(0, "remained")),
		told(t, "01KB3ZB6Y80000000000000006", audit.Export, audit.Success, at(12), shop(2_200_000_000, ""), "shop_data"),
		told(t, "01KB3ZB6Y70000000000000007", audit.Restore, audit.Success, at(11), restored, "shop_data"),
		told(t, "01KB3ZB6Y60000000000000008", audit.Restore, audit.Success, at(10), shop(0, "")),
		told(t, "01KB3ZB6Y50000000000000009", "delete_dashboard", audit.Success, at(9), record.Details{RecordedBy: "record"}, "overview"),
	}
}

// undoable knows of what the records kept.
func undoable(_ audit.Event, d record.Details) []record.Kept { return d.Kept }

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
	if err := r.Page(&b); err != nil || !strings.Contains(b.String(), "<strong>3</strong>operations destroyed something, of 9 recorded</li>\n<li><strong>2.52 GB</strong>destroyed by them, as far as it was measured") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
