package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// The engine is chosen as the Docker CLI does, and the child talks to the same.
func TestWhichEngine(t *testing.T) {
	t.Parallel()
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

// The engine goes away in mid-teardown: nothing is invented, the operation stays
// unfinished, and reconcile settles it when the engine is back.
func TestEngineStopsInMidTeardown(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	e.start()
	// Before the engine stops it waits for containers as long as Compose does.
	s := e.stack(one(strings.NewReplacer("QUICK", quick, "10m", "20s").Replace(slow)))
	s.docker("compose", "up", "--detach")
	var errs strings.Builder
	cmd := s.command("", binary)
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the quick container to go", func() bool { return !s.has("PROJ-quick-1") })
	e.stop()
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(errs.String(), "UNKNOWN") {
		t.Errorf("exit %d\n%s", code, errs.String())
	}
	if last := s.last(); last.Outcome != "pending" || last.Details.Error == "" || last.ID != s.events()[0].ID {
		t.Errorf("outcome %q, error %q", last.Outcome, last.Details.Error)
	}
	if r := s.ccdestroy("reconcile"); r.code != 1 || !strings.Contains(r.stderr, "stays unfinished") {
		t.Errorf("without an engine: exit %d\n%s", r.code, r.stderr)
	}
	e.start()
	s.obey(errs.String(), "When the engine is back")
	last := s.last()
	if last.Outcome != "partial" || last.Details.Settled != "reconcile" || len(last.DataAffected) != 0 || !s.hasVolume("PROJ_data") {
		t.Errorf("outcome %q, settled %q, affected %q", last.Outcome, last.Details.Settled, last.DataAffected)
	}
}
