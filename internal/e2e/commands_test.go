package e2e

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/volume"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

func (s *stack) createVolume(name string, labels map[string]string) {
	s.t.Helper()
	if _, err := s.api.VolumeCreate(context.Background(), volume.CreateOptions{Name: name, Labels: labels}); err != nil {
		s.t.Fatal(err)
	}
}

// A wrong command line tears nothing down, names the word, and exits 2.
func TestUsageErrors(t *testing.T) {
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"audti", "list"}, "audti"},
		{[]string{"-n", "20"}, "-n"},
		{[]string{"web"}, "web"},
		{[]string{"--nope"}, "--nope"},
		{[]string{"-t", "soon"}, "soon"},
		{[]string{"--rmi", "some"}, "--rmi"},
		{[]string{"audit", "--limit", "-1"}, "--limit"},
		{[]string{"audit", "--operation", "Destroy Things"}, "Destroy Things"},
		{[]string{"audit", "--format", "yaml"}, "--format"},
		{[]string{"audit", "show"}, "id"},
		{[]string{"inventory", "--format", "xml"}, "--format"},
		{[]string{"-f", "compose.yaml", "down", "web"}, "down"},
	} {
		r := s.ccdestroy(c.args...)
		if r.code != 2 || !strings.Contains(r.stderr, c.says) || !strings.Contains(r.stderr, "\nTry: ccdestroy ") || r.stdout != "" {
			t.Errorf("%q: exit %d\n%s%s", c.args, r.code, r.stdout, r.stderr)
		}
	}
	for _, args := range [][]string{{"--help"}, {"--version"}, {"version"}, {"audit", "--help"}, {"down", "--help"}} {
		if r := s.ccdestroy(args...); r.code != 0 || !strings.Contains(strings.ToLower(r.stdout), "ccdestroy") {
			t.Errorf("%q: exit %d\n%s", args, r.code, r.stderr)
		}
	}
	if s.events() != nil || !s.hasVolume("PROJ_data") || !s.has("PROJ-web-1") {
		t.Error("something was destroyed or recorded")
	}
}

// The engine is chosen as the Docker CLI does, and the child talks to the same.
func TestWhichEngine(t *testing.T) {
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		host = "unix:///var/run/docker.sock"
	}
	for _, c := range []struct {
		name string
		args []string
		env  []string
		use  bool
	}{
		{"-H", []string{"-H", host}, []string{"DOCKER_HOST=unix:///wrong.sock"}, false},
		{"--context over DOCKER_HOST", []string{"--context", "lab"}, []string{"DOCKER_HOST=unix:///wrong.sock"}, false},
		{"DOCKER_HOST over DOCKER_CONTEXT", nil, []string{"DOCKER_HOST=" + host, "DOCKER_CONTEXT=wrong"}, false},
		{"DOCKER_CONTEXT", nil, []string{"DOCKER_CONTEXT=lab"}, false},
		{"the current context", nil, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(single))
			s.docker("compose", "up", "--detach")
			config := filepath.Join(t.TempDir(), "docker")
			need.Run(t, "mkdir", "-p", filepath.Join(config, "cli-plugins"))
			plugin := s.plugin()
			need.Run(t, "ln", "-s", plugin, filepath.Join(config, "cli-plugins", "docker-compose"))
			s.env = append(withoutVariables(s.env, "DOCKER_HOST", "DOCKER_CONTEXT"), "DOCKER_CONFIG="+config)
			s.docker("context", "create", "lab", "--docker", "host="+host)
			s.docker("context", "create", "wrong", "--docker", "host=unix:///wrong.sock")
			if c.use {
				s.docker("context", "use", "lab")
			}
			s.env = append(s.env, c.env...)
			if r := s.ccdestroy(c.args...); r.code != 0 || s.hasVolume("PROJ_data") || s.last().Outcome != "success" {
				t.Errorf("exit %d\n%s", r.code, r.stderr)
			}
		})
	}
}

func withoutVariables(env []string, names ...string) []string {
	var out []string
next:
	for _, v := range env {
		for _, n := range names {
			if strings.HasPrefix(v, n+"=") {
				continue next
			}
		}
		out = append(out, v)
	}
	return out
}

// plugin is the path of the Compose plugin that docker finds.
func (s *stack) plugin() string {
	s.t.Helper()
	return s.docker("info", "--format", `{{range .ClientInfo.Plugins}}{{if eq .Name "compose"}}{{.Path}}{{end}}{{end}}`)
}

func TestInventoryJSON(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(shop))
	s.docker("compose", "up", "--detach")
	s.docker("exec", "PROJ-db-1", "sh", "-c", "head -c 5000 /dev/zero > /data/a; ln /data/a /data/b")
	r := s.ccdestroy("inventory", "--format", "json")
	var inv struct {
		Project   string
		Resources []struct {
			Kind, Name, Fate string
			Size             *struct{ Bytes int64 }
			UsedBy           []string `json:"used_by"`
		}
	}
	if err := json.Unmarshal([]byte(r.stdout), &inv); err != nil || r.code != 0 {
		t.Fatalf("exit %d, %v\n%s", r.code, err, r.stdout)
	}
	if inv.Project != s.name || len(inv.Resources) != 6 {
		t.Errorf("%+v", inv)
	}
	first := inv.Resources[0]
	if first.Name != s.expand("PROJ_data") || first.Fate != "removed" || first.Size == nil || first.Size.Bytes != 5000 || len(first.UsedBy) != 1 {
		t.Errorf("%+v: hard links must count once", first)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	if r := s.ccdestroy("audit", "-n", "20"); r.code != 0 || r.stdout != "" || !strings.Contains(r.stderr, "looked for") {
		t.Errorf("without a log: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if r := s.ccdestroy("audit", "--format", "json"); r.code != 0 || strings.TrimSpace(r.stdout) != "[]" {
		t.Errorf("without a log: exit %d, %q", r.code, r.stdout)
	}
	for range 3 {
		s.docker("compose", "up", "--detach")
		if r := s.ccdestroy("--reason", "a \x1b[31mred\x1b[0m reason"); r.code != 0 {
			t.Fatal(r.stderr)
		}
	}
	r := s.ccdestroy("audit", "-n", "2")
	if r.code != 0 || strings.Count(r.stdout, "\n") != 3 || !strings.Contains(r.stdout, "tester@") {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	r = s.ccdestroy("audit", "--format", "json")
	var records []struct {
		ID, Outcome  string
		Unfinished   bool
		StartedAt    string   `json:"started_at"`
		DataAffected []string `json:"data_affected"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &records); err != nil || len(records) != 3 || records[0].Outcome != "success" || records[0].StartedAt == "" || len(records[0].DataAffected) != 1 {
		t.Errorf("%v: %s", err, r.stdout)
	}
	if r := s.ccdestroy("audit", "--raw", "--format", "jsonl", "-n", "0"); strings.Count(r.stdout, "\n") != 6 {
		t.Errorf("%s", r.stdout)
	}
	if r := s.ccdestroy("audit", "--operation", "prune,export"); r.code != 0 || r.stdout != "" {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	if r := s.ccdestroy("audit", "show", strings.ToLower(records[1].ID)); r.code != 0 || !strings.Contains(r.stdout, records[1].ID) || strings.Contains(r.stdout, "\x1b") || !strings.Contains(r.stdout, `a \x1b[31mred`) {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	if r := s.ccdestroy("audit", "show", "0"); r.code != 1 || !strings.Contains(r.stderr, "3 ids") || !strings.Contains(r.stderr, records[0].ID) {
		t.Errorf("ambiguous: exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("audit", "show", "7ZZZ"); r.code != 1 || !strings.Contains(r.stderr, "no such operation") {
		t.Errorf("unknown: exit %d\n%s", r.code, r.stderr)
	}
	sub := s.command("deep", binary, "audit", "-n", "1")
	need.Run(t, "mkdir", filepath.Join(s.dir, "deep"))
	if r := run(t, sub); r.code != 0 || !strings.Contains(r.stdout, "success") {
		t.Errorf("from a sub-directory: exit %d\n%s", r.code, r.stderr)
	}
}

func TestChosenLog(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	if r := s.ccdestroy("--log", "logs/mine.jsonl"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	if events := eventsIn(t, filepath.Join(s.dir, "logs/mine.jsonl")); len(events) != 2 || s.events() != nil {
		t.Errorf("%d events", len(events))
	}
	s.env = append(s.env, "CCDESTROY_LOG="+filepath.Join(s.dir, "logs/mine.jsonl"))
	if r := s.ccdestroy("audit"); !strings.Contains(r.stdout, "success") {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
	// Even what failed before the project was known is recorded there.
	if r := s.ccdestroy("-f", "nope.yaml"); r.code != 1 {
		t.Errorf("exit %d", r.code)
	}
	if events := eventsIn(t, filepath.Join(s.dir, "logs/mine.jsonl")); len(events) != 3 || events[2].Outcome != "failed" {
		t.Errorf("%d events", len(events))
	}
}

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
