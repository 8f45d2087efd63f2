package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// hostileLog has two operations whose ids, names and projects are made to be pasted
// into a shell or to look like lines of ours.
func hostileLog(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	text, prev := "", strings.Repeat("0", 64)
	for i, id := range []string{`01A$(TOUCH GONE)`, "01A;TOUCH GONE\\nTRY: TOUCH GONE"} {
		line := fmt.Sprintf(`{"v":1,"log":"x","seq":%d,"prev":%q,"id":"%s","timestamp":"2026-11-20T00:00:0%d.000000+00:00","operation":"x\nTry: touch gone","outcome":"success","user":"","details":{},"data_affected":[],"export_path":null}`,
			i+1, prev, id, i)
		prev = audit.Sum([]byte(line))
		text += line + "\n"
	}
	if err := os.Mkdir(filepath.Join(dir, ".contextcore"), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, ".contextcore", "audit.jsonl"), text)
	return dir
}

// What a log says is never a command of somebody else's.
func TestHostileIDs(t *testing.T) {
	dir := hostileLog(t)
	r := call(t, dir, nil, "audit", "show", "01A")
	lines := strings.Split(strings.TrimSpace(r.stderr), "\n")
	if r.code != 1 || len(lines) != 4 || !strings.HasPrefix(lines[3], "Try: ccdestroy audit show '01A;TOUCH GONE") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	t.Chdir(dir)
	const line = "ccdestroy audit show 01"
	t.Setenv("COMP_LINE", line)
	t.Setenv("COMP_POINT", "999")
	if r := call(t, dir, []string{"COMP_LINE=" + line, "DOCKER_HOST=unix:///nowhere.sock"}, "__complete", "ccdestroy", "01", "show"); strings.Contains(r.stdout, "TOUCH") {
		t.Errorf("completes to %q", r.stdout)
	}
}
