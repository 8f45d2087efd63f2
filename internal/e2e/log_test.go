package e2e

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// The seed's own way of writing and reading a log.
const seedWriter = `
import json, datetime
with open(".contextcore/audit.jsonl", "a") as f:
    for op, outcome in (("destroy", "success"), ("delete_dashboard", "cancelled")):
        f.write(json.dumps({"timestamp": datetime.datetime.now().isoformat(), "operation": op, "outcome": outcome,
            "user": "ana", "details": {"note": "h\u00e9"}, "data_affected": ["old"], "export_path": None}) + "\n")
`

const seedReader = `
import json, datetime
for line in open(".contextcore/audit.jsonl"):
    e = json.loads(line)
    datetime.datetime.fromisoformat(e["timestamp"])
    assert e["outcome"] in ("success", "failed", "cancelled", "partial", "pending"), e
    assert isinstance(e["user"], str) and isinstance(e["details"], dict) and isinstance(e["data_affected"], list)
    assert e["export_path"] is None or isinstance(e["export_path"], str)
    print(e["operation"], e["outcome"])
`

func TestSeedLog(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("this test needs python3")
		}
		t.Skip("SKIPPED: this test needs python3")
	}
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	need.Run(t, "mkdir", filepath.Join(s.dir, ".contextcore"))
	if r := run(t, s.command("", python, "-c", seedWriter)); r.code != 0 {
		t.Fatal(r.stderr)
	}
	if r := s.ccdestroy("audit"); r.code != 0 || !strings.Contains(r.stdout, "delete_dashboard") || !strings.Contains(r.stdout, "ana") {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if r := s.ccdestroy(); r.code != 0 {
		t.Fatal(r.stderr)
	}
	r := run(t, s.command("", python, "-c", seedReader))
	if want := "destroy success\ndelete_dashboard cancelled\ndestroy pending\ndestroy success\n"; r.code != 0 || r.stdout != want {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// What became of the log is told once, by whatever command comes first, and
// stops nobody; verify goes on finding it.
func TestHeadWarning(t *testing.T) {
	t.Parallel()
	commands := [][]string{{}, {"--dry-run"}, {"inventory"}, {"audit"}, {"reconcile"}, {"audit", "-n", "0", "--format", "json"}}
	for name, act := range map[string]func(*stack){
		"deleted": func(s *stack) { _ = os.Remove(s.logPath()) },
		"cut":     func(s *stack) { _ = os.Truncate(s.logPath(), 10) },
		"replaced": func(s *stack) {
			data, _ := os.ReadFile(s.logPath())
			_ = os.WriteFile(s.logPath(), []byte(strings.Replace(string(data), "tester", "nobody", 2)), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(single))
			if r := s.ccdestroy(); r.code != 0 || strings.Contains(r.stderr, "WARNING") {
				t.Fatal(r.stderr)
			}
			act(s)
			if r := s.ccdestroy("audit", "verify"); r.code != 7 {
				t.Errorf("verify: exit %d\n%s%s", r.code, r.stdout, r.stderr)
			}
			for i, args := range [][]string{commands[rand.IntN(len(commands))], {"audit"}, {}} {
				r := s.ccdestroy(args...)
				if told := strings.Contains(r.stderr, "WARNING: "+s.logPath()); r.code != 0 || told != (i == 0) {
					t.Errorf("%q: exit %d\n%s", args, r.code, r.stderr)
				}
			}
			if r := s.ccdestroy("audit", "verify"); r.code != 7 {
				t.Errorf("verify: exit %d\n%s%s", r.code, r.stdout, r.stderr)
			}
		})
	}
}
