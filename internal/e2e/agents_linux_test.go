package e2e

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// byAgent is this stack's environment as a coding agent has it.
func (s *stack) byAgent() { s.env = append(s.env, "CLAUDECODE=1") }

// An agent's teardown is kept whatever its flags say, and recorded as an agent's.
func TestAgentKeeps(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(shop))
	s.docker("compose", "up", "--detach")
	s.byAgent()
	r := s.ccdestroy("down", "--keep-for", "0", "--agents", "allow", "--yes", "--format", "json")
	var end struct {
		Outcome   string
		Destroyed []string
		Kept      []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(r.stdout), &end); err != nil || r.code != 0 || end.Outcome != "success" || len(end.Destroyed) != 3 || len(end.Kept) != 3 {
		t.Fatalf("exit %d, %v\n%s%s", r.code, err, r.stdout, r.stderr)
	}
	log, err := os.ReadFile(s.logPath())
	if err != nil || strings.Count(string(log), `"agent":{"name":"claude-code","source":"CLAUDECODE"}`) != 2 {
		t.Errorf("%v\n%s", err, log)
	}
	s.last() // holds it against the schema
	if r := s.ccdestroy("trash", "purge", "--yes"); r.code != 5 || !strings.Contains(r.stderr, "agents: keep") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("undo"); r.code != 0 || !s.hasVolume("PROJ_data") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

// What could not be brought back is not destroyed by an agent, unless it is
// exported; the refusal is recorded.
func TestAgentCannotKeep(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(strings.Replace(single, "  data:\n", "  data:\n    driver_opts: {type: tmpfs, device: tmpfs, o: size=1m}\n", 1)))
	if !strings.Contains(single, "  data:\n") {
		t.Fatal("the stack has changed")
	}
	s.docker("compose", "up", "--detach")
	s.byAgent()
	r := s.ccdestroy("down", "--format", "json")
	var refusal struct {
		Error, Try string
		Exit       int
	}
	if err := json.Unmarshal([]byte(r.stdout), &refusal); err != nil || r.code != 5 || refusal.Exit != 5 || refusal.Try != "ccdestroy down --format json --export DIR" ||
		!strings.Contains(refusal.Error, s.name+"_data (its options say that its data is elsewhere)") || !s.has("PROJ-web-1") || !s.hasVolume("PROJ_data") {
		t.Fatalf("exit %d, %v\n%s%s", r.code, err, r.stdout, r.stderr)
	}
	if e := s.last(); e.Outcome != "failed" {
		t.Errorf("%+v", e)
	}
	if r := s.ccdestroy("--export", "exports"); r.code != 0 || s.hasVolume("PROJ_data") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

// agents: refuse refuses all that destroys, and a plain docker compose down of an
// agent is refused by the provider.
func TestAgentRefused(t *testing.T) {
	t.Parallel()
	s := withProvider(t, audited)
	s.docker("compose", "up", "--detach")
	s.byAgent()
	if r := s.compose("down", "-v"); r.code == 0 || !strings.Contains(r.stderr, "only what can be brought back") || !s.hasVolume("PROJ_data") || !s.has("PROJ-web-1") {
		t.Errorf("docker compose down: exit %d\n%s", r.code, r.stderr)
	}
	s.write(".ccdestroy.yaml", "agents: refuse\n")
	for _, args := range [][]string{{"down", "--yes"}, {"--yes"}, {"prune", "--yes", "--all", "--filter", "label=com.docker.compose.project=" + s.name}} {
		if r := s.ccdestroy(args...); r.code != 5 && !strings.Contains(r.stderr, "Nothing to") || !s.hasVolume("PROJ_data") || !s.has("PROJ-web-1") {
			t.Errorf("%q: exit %d\n%s", args, r.code, r.stderr)
		}
	}
	if r := s.compose("down"); r.code == 0 { // not even containers
		t.Errorf("docker compose down: exit %d\n%s", r.code, r.stderr)
	}
}
