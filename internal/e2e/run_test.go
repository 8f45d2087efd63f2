package e2e

import (
	"slices"
	"strings"
	"syscall"
	"testing"
)

// What became of volumes and projects is looked at on the engine.
func TestRunOnEngine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		args     []string
		code     int
		outcome  string
		affected []string
	}{
		{"a volume", []string{"--volume", "PROJ_lone", "--", "docker", "volume", "rm", "PROJ_lone"}, 0, "success", []string{"PROJ_lone"}},
		{"a volume in use", []string{"--volume", "PROJ_data", "--volume", "PROJ_lone", "--", "docker", "volume", "rm", "PROJ_data", "PROJ_lone"}, 1, "partial", []string{"PROJ_lone"}},
		{"a volume made again", []string{"--volume", "PROJ_lone", "--", "sh", "-c", "docker volume rm PROJ_lone && docker volume create PROJ_lone"}, 0, "success", []string{"PROJ_lone"}},
		{"a project", []string{"--compose-project", "PROJ", "--", "docker", "compose", "down", "--volumes"}, 0, "success", []string{"PROJ_data"}},
		{"a project without its volumes", []string{"--compose-project", "PROJ", "--", "docker", "compose", "down"}, 0, "partial", []string{}},
		{"nothing of it", []string{"--compose-project", "PROJ", "--", "true"}, 0, "failed", []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(single))
			s.docker("compose", "up", "--detach")
			s.docker("volume", "create", "PROJ_lone")
			args := []string{"run", "--operation", "destroy"}
			for _, a := range c.args {
				args = append(args, s.expand(a))
			}
			r := s.ccdestroy(args...)
			last := s.last()
			var affected []string
			for _, a := range c.affected {
				affected = append(affected, s.expand(a))
			}
			if r.code != c.code || last.Outcome != c.outcome || !slices.Equal(last.DataAffected, affected) || len(s.events()) != 2 {
				t.Errorf("exit %d, %s, %q\n%s", r.code, last.Outcome, last.DataAffected, r.stderr)
			}
		})
	}
}

// The command has the terminal, gets each signal once, and its end is ours.
func TestRunSignals(t *testing.T) {
	t.Parallel()
	s := newStack(t, nil)
	script := `trap 'echo got INT' INT; trap 'echo got TERM; exit 9' TERM; echo ready; while :; do sleep 0.1; done`
	p := s.terminal("run", "--operation", "export", "--", "sh", "-c", script)
	p.waitText("ready")
	p.send("\x03")
	p.waitText("got INT")
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.wait(); code != 9 || strings.Count(p.seen(), "got INT") != 1 || strings.Count(p.seen(), "got TERM") != 1 {
		t.Errorf("exit %d\n%s", code, p.seen())
	}
	if last := s.last(); last.Outcome != "cancelled" || last.Details.Signal != "INT" {
		t.Errorf("%s, signal %q", last.Outcome, last.Details.Signal)
	}
	p = s.terminal("run", "--operation", "export", "--", "sh", "-c", "test -t 0 && test -t 1 && read answer && echo you said $answer")
	p.send("yes\n")
	if code := p.wait(); code != 0 || !strings.Contains(p.seen(), "you said yes") {
		t.Errorf("exit %d\n%s", code, p.seen())
	}
}
