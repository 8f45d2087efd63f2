package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// exportLine is an event of the log that exported the volume shop_data.
const exportLine = `{"v":1,"log":"L","seq":1,"prev":"0000000000000000000000000000000000000000000000000000000000000000","id":"01HKM54YZ8CZ2CN9X1KAE8JE82",` +
	`"timestamp":"2024-01-08T09:06:09.000000+00:00","operation":"export","outcome":"success","user":"ana","details":{"project":"shop",` +
	`"export":{"manifest_sha256":"00","volumes":[{"name":"shop_data","bytes":1,"sha256":"00"}]}},"data_affected":[],"export_path":"/nowhere"}` + "\n"

// The last export of a volume is found however long ago it was, and "never" is
// said only when all of the log says so.
func TestLastExports(t *testing.T) {
	filler := strings.Replace(strings.Replace(exportLine, "manifest_sha256", "x", 1), "01HKM54YZ8CZ2CN9X1KAE8JE82", "01HKM54YZ8CZ2CN9X1KAE8JE83", 1)
	data := append([]byte(exportLine), bytes.Repeat([]byte(filler), 80<<20/len(filler))...)
	dir := t.TempDir()
	path := filepath.Join(dir, ".contextcore", "audit.jsonl")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	look := func() map[string]inventory.LastExport {
		p := Process{Dir: dir, Now: time.Now}
		return p.lastExports("")(&record.Book{Log: &audit.Log{Path: path}}, []string{"shop_data", "other"})
	}
	never := inventory.LastExport{}
	if got := look(); len(got) != 2 || got["shop_data"] != never {
		t.Errorf("without a log: %v", got)
	}
	put(t, path, string(data))
	want := inventory.LastExport{At: "2024-01-08T09:06:09Z", Path: "/nowhere"}
	if got := look(); len(got) != 2 || got["shop_data"] != want || got["other"] != never {
		t.Errorf("%v", got)
	}
	// In segments: the export is in the oldest; and then that one is missing.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	recorded(t, dir, "success")
	segment := rotateOnce(t, dir)
	live, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, segment, exportLine)
	if got := look(); len(got) != 2 || got["shop_data"] != want || got["other"] != never {
		t.Errorf("in segments: %v", got)
	}
	if err := os.Remove(segment); err != nil {
		t.Fatal(err)
	}
	if got := look(); len(got) != 0 {
		t.Errorf("without a segment: %v", got)
	}
	put(t, path, string(live)+exportLine)
	if got := look(); len(got) != 1 || got["shop_data"] != want {
		t.Errorf("what is known without a segment: %v", got)
	}
}
