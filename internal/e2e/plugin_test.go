package e2e

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
)

// As a plugin of the Docker CLI the program finds the engine by the CLI's own
// flags, in all ways.
func TestCLIPlugin(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	host := s.plugged()
	docker := func(args ...string) result { t.Helper(); return run(t, s.command("", "docker", args...)) }
	if r := docker("--help"); !strings.Contains(r.stdout, "ccdestroy*") || !strings.Contains(r.stdout, "Tear down a Compose project") {
		t.Errorf("docker does not know the plugin:\n%s%s", r.stdout, r.stderr)
	}
	if r := docker("context", "create", "here", "--docker", s.endpoint()); r.code != 0 {
		t.Fatal(r.stderr)
	}
	for _, args := range [][]string{
		{"--host", host, "ccdestroy", "inventory", "--format", "json"},
		{"-H", host, "ccdestroy", "inventory", "--format", "json"},
		{"ccdestroy", "inventory", "-H", host, "--format", "json"},
		{"--context", "here", "ccdestroy", "inventory", "--format", "json"},
		{"-c", "here", "ccdestroy", "inventory", "--format", "json"},
	} {
		r := docker(args...)
		var inv struct {
			Project string
			Engine  struct{ Host, Context string }
		}
		if json.Unmarshal([]byte(r.stdout), &inv) != nil || inv.Project != s.name || inv.Engine.Host != strings.Replace(host, "root@", "", 1) {
			t.Errorf("%q: exit %d, %+v\n%s", args, r.code, inv, r.stderr)
		}
	}
	if r := docker("-c", "nowhere", "ccdestroy"); r.code == 0 || !s.hasVolume("PROJ_data") {
		t.Errorf("a context that is not there: exit %d", r.code)
	}
	if r := docker("ccdestroy", "--help"); r.code != 0 || !strings.Contains(r.stdout, "Exit codes") {
		t.Errorf("help: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if r := docker("ccdestroy", "--nonsense"); r.code != 2 || !strings.Contains(r.stderr, "unknown flag --nonsense") {
		t.Errorf("usage: exit %d\n%s", r.code, r.stderr)
	}
	for _, args := range [][]string{{"audti"}, {"web"}, {"-n", "20"}, {"audit", "show"}, {"-f", "nope.yaml"}} {
		r := docker(append([]string{"ccdestroy"}, args...)...)
		if r.code == 0 || !strings.Contains(r.stderr, "Try: ") || strings.Contains(r.stderr, "Try: ccdestroy") {
			t.Errorf("%q: exit %d\n%s", args, r.code, r.stderr)
		}
	}
	if r := docker("--context", "here", "ccdestroy", "--yes"); r.code != 0 || s.last().Outcome != "success" || s.hasVolume("PROJ_data") || !strings.Contains(r.stderr, "(docker --context here ccdestroy audit show ") {
		t.Errorf("teardown: exit %d\n%s", r.code, r.stderr)
	}
	if r := docker("ccdestroy", "audit", "-n", "20"); r.code != 0 || !strings.Contains(r.stdout, "success") {
		t.Errorf("audit: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// The CLI is told to stop, and closes the plugin's socket: the teardown ends, and
// says so in the log.
func TestCLIPluginStopped(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(strings.Replace(slow, "QUICK", quick, 1)))
	s.docker("compose", "up", "--detach")
	host := s.plugged()
	cmd := s.command("", "docker", "--host", host, "ccdestroy", "--yes")
	var errs strings.Builder
	cmd.Stdout, cmd.Stderr = &errs, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the quick container to go", func() bool { return !s.has("PROJ-quick-1") })
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
	waitFor(t, "the outcome", func() bool { return s.last().Outcome != "pending" })
	if last := s.last(); last.Details.Signal != "TERM" || last.Outcome != "partial" && last.Outcome != "success" {
		t.Errorf("%s, signal %q\n%s", last.Outcome, last.Details.Signal, errs.String())
	}
}
