package record

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// exportLine is an event of a log that exported the volume shop_data.
const exportLine = `{"v":1,"log":"L","seq":1,"prev":"0000000000000000000000000000000000000000000000000000000000000000","id":"01HKM54YZ8CZ2CN9X1KAE8JE82",` +
	`"timestamp":"2024-01-08T09:06:09.000000+00:00","operation":"export","outcome":"success","user":"ana","details":{"project":"shop",` +
	`"export":{"manifest_sha256":"00","volumes":[{"name":"shop_data","bytes":1,"sha256":"00"}]}},"data_affected":[],"export_path":"/nowhere"}` + "\n"

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The last export of a volume is found however long ago it was, and "never" is
// said only when all of the log says so.
func TestLastExports(t *testing.T) {
	l := &audit.Log{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	found := inventory.LastExport{At: "2024-01-08T09:06:09Z", Path: "/nowhere"}
	look := func(name string, want map[string]inventory.LastExport) {
		t.Helper()
		got := (&Book{Log: l}).LastExports([]string{"shop_data", "other"}, func(path string) bool { return path != found.Path })
		if !maps.Equal(got, want) {
			t.Errorf("%s: %v, not %v", name, got, want)
		}
	}
	type all = map[string]inventory.LastExport
	look("without a log", all{"shop_data": {}, "other": {}})

	other := strings.NewReplacer("manifest_sha256", "x", "JE82", "JE83").Replace(exportLine)
	write(t, l.Path, append([]byte(exportLine), bytes.Repeat([]byte(other), 80<<20/len(other))...))
	look("80 MiB ago", all{"shop_data": found, "other": {}})

	if err := os.Remove(l.Path); err != nil {
		t.Fatal(err)
	}
	event := func(id, operation string) audit.Event {
		return audit.Event{ID: id, Timestamp: time.Now(), Operation: operation, Outcome: audit.Success, User: "ana"}
	}
	if _, err := l.Begin(t.Context(), event("A", audit.Prune), 0); err != nil {
		t.Fatal(err)
	}
	r, err := l.Rotate(t.Context(), event("B", audit.Rotate), event("C", audit.Rotate))
	if err != nil {
		t.Fatal(err)
	}
	write(t, r.Segment, []byte(exportLine))
	look("in an older segment", all{"shop_data": found, "other": {}})

	if err := os.Remove(r.Segment); err != nil {
		t.Fatal(err)
	}
	look("where that is missing", all{})
	live, err := os.ReadFile(l.Path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, l.Path, append(live, exportLine...))
	look("in what is left", all{"shop_data": found})
}
