package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A project that -p names and the engine does not know is told, with those that
// it knows, and leaves no trace; with files it is an ordinary teardown.
func TestNoSuchProject(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	absent := s.expand(`No project "PROJ-tpyo" on this engine. Running: `)
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"-p", "PROJ-tpyo"}, 0},
		{[]string{"--yes", "-p", "PROJ-tpyo", "--rmi", "local"}, 0},
		{[]string{"-p", "PROJ-tpyo", "down", "web"}, 0},
		{[]string{"-p", "PROJ-tpyo", "--dry-run"}, 0},
		{[]string{"-p", "PROJ-tpyo", "inventory"}, 0},
		{[]string{"-p", "PROJ-tpyo", "--must-exist"}, 1},
		{[]string{"-p", "PROJ-tpyo", "--must-exist", "--dry-run"}, 1},
	} {
		for i, arg := range c.args {
			c.args[i] = s.expand(arg)
		}
		r := s.ccdestroy(c.args...)
		if r.code != c.code || !strings.Contains(r.stderr, absent) || !strings.Contains(r.stderr, s.name) {
			t.Errorf("%q: exit %d\n%s", c.args, r.code, r.stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(s.dir, ".contextcore")); !os.IsNotExist(err) {
		t.Errorf("a log was made: %v", err)
	}
	if !s.hasVolume("PROJ_data") {
		t.Error("the wrong project was destroyed")
	}
	if r := s.ccdestroy("-p", s.name, "--must-exist"); r.code != 0 || s.hasVolume("PROJ_data") || s.last().Outcome != "success" {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	n := len(s.events())
	if r := s.ccdestroy("-p", s.name); r.code != 0 || !strings.Contains(r.stderr, "No project ") || len(s.events()) != n {
		t.Errorf("torn down again: exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("-f", "compose.yaml", "-p", s.name+"-tpyo"); r.code != 0 || strings.Contains(r.stderr, "No project ") || len(s.events()) == n {
		t.Errorf("with a file: exit %d\n%s", r.code, r.stderr)
	}
}
