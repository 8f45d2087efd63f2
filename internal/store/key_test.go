package store

import (
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

func TestKeys(t *testing.T) {
	at := time.Date(2026, 11, 24, 21, 2, 3, 123456000, time.UTC)
	for want, e := range map[string]audit.Event{
		"v1/events/day=2026-11-24/20261124T210203.123456Z_ABC_0000000007_01X_delete_dashboard_pending_":   {V: 1, Log: "ABC", Seq: 7, ID: "01X", Timestamp: at, Operation: "delete_dashboard", Outcome: audit.Pending},
		"v1/events/day=2026-11-24/20261124T210203.123456Z_a~2Fb~5F~2E~2E_12345678901_~5F_~20~7E_partial_": {V: 1, Log: "a/b_..", Seq: 12345678901, ID: "_", Timestamp: at, Operation: " ~", Outcome: audit.Partial},
		"v1/events/day=2026-11-25/20261125T000000.000000Z_ABC_0000000001_i-d___failed_":                   {V: 1, Log: "ABC", Seq: 1, ID: "i-d", Timestamp: time.Date(2026, 11, 24, 23, 0, 0, 999, time.FixedZone("", -3600)), Operation: "_", Outcome: audit.Failed},
	} {
		line := []byte(want)
		k, err := KeyOf(e, line)
		if err != nil || k.String() != want+audit.Sum(line)+".json" {
			t.Errorf("%v: %s, want %s", err, k, want)
		}
		if back, err := parseKey(k.String()); err != nil || back != k {
			t.Errorf("%v: %+v, want %+v", err, back, k)
		}
	}
	for name, e := range map[string]audit.Event{
		"not chained": {Log: "A", Seq: 1, ID: "1", Timestamp: at, Operation: "x", Outcome: audit.Failed},
		"long":        {V: 1, Log: strings.Repeat("/", 60), Seq: 1, ID: "1", Timestamp: at, Operation: "x", Outcome: audit.Failed},
		"far":         {V: 1, Log: "A", Seq: 1, ID: "1", Timestamp: at.AddDate(9000, 0, 0), Operation: "x", Outcome: audit.Failed},
	} {
		if k, err := KeyOf(e, nil); err == nil {
			t.Errorf("%s: %s", name, k)
		}
	}
}

// No text but the one spelling is a key.
func TestForeignKeys(t *testing.T) {
	good := "v1/events/day=2026-11-24/20261124T210203.123456Z_ABC_0000000007_01X_destroy_success_" + strings.Repeat("0", 64) + ".json"
	if _, err := parseKey(good); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{"day=2026-11-24", "day=2026-11-25"}, {"v1", "v2"}, {"ABC", "A~42C"}, {"ABC", "A.C"}, {"ABC", "A~2fC"}, {"ABC", "A~"}, {"ABC", ""}, {"0000000007", "7"}, {"0000000007", "0000000000"},
		{"0000000007", "+000000007"}, {"success", "done"}, {".123456Z", ".123Z"}, {".123456Z", ".123456+00:00"}, {"0.json", "G.json"}, {"0.json", ".json"}, {".json", ""}, {"destroy", "destr/oy"}, {"_01X", ""}, {"01X", ""}, {"_destroy", ""},
		{"20261124T", "20261324T"}, {"v1/events/", ""}, {"destroy", "destro\x00"},
	} {
		if bad := strings.Replace(good, change[0], change[1], 1); bad == good {
			t.Errorf("%q changes nothing", change)
		} else if k, err := parseKey(bad); err == nil {
			t.Errorf("%q is taken for %+v", bad, k)
		}
	}
}

func FuzzKey(f *testing.F) {
	f.Add("ABC", "01X", "destroy", int64(7), int64(1e15), "v1/events/day=2026-11-24/20261124T210203.123456Z_ABC_0000000007_01X_destroy_success_0000000000000000000000000000000000000000000000000000000000000000.json")
	f.Fuzz(func(t *testing.T, log, id, operation string, seq, micros int64, text string) {
		if k, err := parseKey(text); err == nil && k.String() != text {
			t.Errorf("%q is read as %q", text, k)
		}
		e := audit.Event{V: 1, Log: log, ID: id, Operation: operation, Seq: seq, Timestamp: time.UnixMicro(micros), Outcome: audit.Success}
		k, err := KeyOf(e, nil)
		if err != nil {
			return
		}
		if back, err := parseKey(k.String()); err != nil || back != k || back.Log != log || back.ID != id || back.Operation != operation || back.Seq != seq || back.Time.UnixMicro() != micros {
			t.Errorf("%v: %q is read as %+v", err, k, back)
		}
		if name := k.String(); strings.ContainsAny(name, " \\%?#&\"'*:|<>\x00\n") || strings.Contains(name, "..") {
			t.Errorf("%q is not safe", name)
		}
	})
}

func TestPackKeys(t *testing.T) {
	day := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	if k := packKey(day, 12); k != "v1/packs/day=2026-11-24/12.jsonl.zst" {
		t.Error(k)
	}
	back, err := parsePackKey(packKey(day, 12))
	if err != nil || !back.Equal(day.Truncate(24*time.Hour)) {
		t.Errorf("%v: %v", err, back)
	}
	for _, bad := range []string{"", "v1/packs/day=2026-11-24/0.jsonl.zst", "v1/packs/day=2026-11-24/01.jsonl.zst", "v1/packs/day=2026-1-24/1.jsonl.zst", "v1/packs/day=2026-11-24/1.jsonl", "v1/events/day=2026-11-24/1.jsonl.zst"} {
		if _, err := parsePackKey(bad); err == nil {
			t.Errorf("%q is taken for a pack", bad)
		}
	}
	if d, ok := dayOf("v1/packs/day=2026-11-24/"); !ok || !d.Equal(day.Truncate(24*time.Hour)) {
		t.Error(d, ok)
	}
}
