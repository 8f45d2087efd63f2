package record

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// What was restored from an export is what that export holds; a restore that
// failed, or an older export, counts for nothing.
func TestLastExportAfterRestore(t *testing.T) {
	l := &audit.Log{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	add := func(id, operation string, outcome audit.Outcome, path string, d Details) {
		t.Helper()
		at = at.Add(time.Hour)
		e := audit.Event{ID: id, Timestamp: at, Operation: operation, Outcome: outcome, User: "ana", Details: d.Encode(), ExportPath: path}
		if _, err := l.Begin(t.Context(), e, 0); err != nil {
			t.Fatal(err)
		}
	}
	add("1", audit.Export, audit.Success, "/first", Details{Export: &Export{Manifest: "x", Volumes: []Exported{{Name: "a"}, {Name: "b"}}}})
	add("2", audit.Restore, audit.Success, "/first", Details{Restored: []Restored{{Name: "a", From: "a"}}})
	add("3", audit.Restore, audit.Failed, "/first", Details{Restored: []Restored{{Name: "b", From: "b"}}})
	b := Book{Log: l}
	got := b.LastExports([]string{"a", "b", "c"}, func(path string) bool { return path == "/first" })
	for name, want := range map[string]string{"a": "2026-11-01T14:00:00Z", "b": "2026-11-01T13:00:00Z", "c": ""} {
		if got[name].At != want || got[name].There != (want != "") {
			t.Errorf("%s: %+v, want %q", name, got[name], want)
		}
	}
}
