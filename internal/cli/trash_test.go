package cli

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/contextcore/ccdestroy/internal/trash"
)

// The log that an entry names may be one that a group shares, as the nearest one may, also
// where a process purges that was left behind.
func TestPurgeInLogOfAGroup(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "shared.jsonl")
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := trashPurgeCmd{recordFlags: recordFlags{logFlag: logFlag{LogGroup: 4800}}}
	held := []trash.Found{{Entry: &trash.Entry{Log: log}}, {Entry: &trash.Entry{Log: filepath.Join(dir, "gone.jsonl")}}}
	logs, _, err := c.logs(Process{Dir: dir}, held, func(trash.Found) bool { return true })
	if err != nil || len(logs) != 2 || logs[0].Path != log || logs[0].Group != 4800 || logs[1].Group != 4800 {
		t.Errorf("%+v, %v", logs, err)
	}
	if env := c.environ(); !slices.Contains(env, "CCDESTROY_LOG_GROUP=4800") {
		t.Errorf("a process that is left behind is told %q", env)
	}
}
