package e2e

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A plain docker compose down is recorded, with what really went.
func TestProvider(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		args    []string
		hold    bool
		code    int
		outcome string
		gone    int
	}{
		{"down with volumes", []string{"down", "-v"}, false, 0, "success", 3},
		{"flags before and behind", []string{"-f", "compose.yaml", "--progress", "plain", "down", "--volumes", "-t", "1"}, false, 0, "success", 3},
		{"down without volumes", []string{"down"}, false, 0, "success", 0},
		{"of named services", []string{"down", "-v", "db", "audit"}, false, 0, "success", 2},
		{"a volume that is held", []string{"down", "-v"}, true, 0, "partial", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := withProvider(t, audited)
			s.docker("compose", "up", "--detach")
			if c.hold {
				s.docker("create", "--name", "PROJ-other", "--volume", "PROJ_uploads:/u", os.Getenv("CCDESTROY_IMAGE"))
			}
			if r := s.compose(c.args...); r.code != c.code {
				t.Fatalf("exit %d\n%s", r.code, r.stderr)
			}
			last, all := s.ended(), s.events()
			if last.Outcome != c.outcome || len(last.DataAffected) != c.gone || len(all) != 2 || all[0].Outcome != "pending" || last.Details.Settled != "provider" {
				t.Errorf("%s, %q, %d events, settled %q", last.Outcome, last.DataAffected, len(all), last.Details.Settled)
			}
			want := append([]string{"docker", "compose"}, c.args...)
			if last.Operation != "destroy" || last.Details.Project != s.name || !slices.Equal(last.Details.Command, want) || last.User != "tester" {
				t.Errorf("%+v", last)
			}
			if c.hold && (len(last.Details.Remaining) != 1 || !strings.Contains(last.Details.Remaining[0], "in use by "+s.name+"-other")) {
				t.Errorf("remaining: %q", last.Details.Remaining)
			}
			if r := s.ccdestroy("audit", "verify"); r.code != 0 {
				t.Error(r.stdout)
			}
		})
	}
}

// What the provider refuses, Compose does not do: everything stays.
func TestProviderRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, s *stack)
		says    string
		events  int
	}{
		{"the log cannot be written", func(t *testing.T, s *stack) {
			if err := os.MkdirAll(s.logPath(), 0o755); err != nil {
				t.Fatal(err)
			}
		}, "could not be written first", 0},
		{"a protected volume", func(_ *testing.T, s *stack) {
			s.write("compose.yaml", strings.Replace(audited, "  data:\n  uploads:", "  data:\n    labels: {ccdestroy.protect: \"true\"}\n  uploads:", 1))
		}, "protected by the label", 0},
		{"no export", func(_ *testing.T, s *stack) {
			s.write("compose.yaml", strings.Replace(audited, "type: ccdestroy", "type: ccdestroy\n      options: {require: export}", 1))
		}, "no export of volume", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := withProvider(t, audited)
			c.prepare(t, s)
			s.docker("compose", "up", "--detach")
			r := s.compose("down", "-v")
			if r.code == 0 || !strings.Contains(r.stderr, c.says) {
				t.Errorf("exit %d\n%s", r.code, r.stderr)
			}
			if !s.hasVolume("PROJ_data") || !s.hasVolume("PROJ_uploads") || !slices.Equal(s.running(), []string{s.name + "-db-1", s.name + "-web-1"}) {
				t.Errorf("something is gone: %q run", s.running())
			}
			if c.name != "no export" {
				return
			}
			s.exported("--stop")
			if r := s.compose("down", "-v"); r.code != 0 || s.ended().Outcome != "success" {
				t.Errorf("with an export: exit %d\n%s", r.code, r.stderr)
			}
		})
	}
}

// One deletion, one record: our own teardown, a dry run and an up record nothing
// beside it; a variable that was left behind does not silence the provider.
func TestProviderSilent(t *testing.T) {
	t.Parallel()
	s := withProvider(t, audited)
	s.docker("compose", "up", "--detach")
	if s.events() != nil {
		t.Error("up is recorded")
	}
	if r := s.compose("--dry-run", "down", "-v"); r.code != 0 || s.events() != nil || !s.hasVolume("PROJ_data") {
		t.Errorf("dry run: exit %d, %d events\n%s", r.code, len(s.events()), r.stderr)
	}
	if r := s.ccdestroy(); r.code != 0 || len(s.events()) != 2 || s.last().Details.Settled != "" {
		t.Errorf("our own: exit %d, %d events\n%s", r.code, len(s.events()), r.stderr)
	}
	s.docker("compose", "up", "--detach")
	cmd := exec.Command("sleep", "60") // alive, and no parent of the provider
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	s.env = append(s.env, "CCDESTROY_WITHIN="+within(t, cmd.Process.Pid))
	if r := s.compose("down", "-v"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	if last := s.ended(); len(s.events()) != 4 || len(last.DataAffected) != 3 {
		t.Errorf("with a forged variable: %d events", len(s.events()))
	}
}

// Compose is killed in mid-teardown: the finisher records what had gone by then.
// And when the finisher is killed as well, reconcile does.
func TestProviderKilled(t *testing.T) {
	t.Parallel()
	for _, both := range []bool{false, true} {
		t.Run(map[bool]string{false: "compose", true: "both"}[both], func(t *testing.T) {
			t.Parallel()
			s := withProvider(t, strings.Replace(audited, "    volumes: [uploads:/uploads]\n", "    volumes: [uploads:/uploads]\n    command: [sh, -c, \"trap '' TERM; sleep infinity & wait\"]\n    stop_grace_period: 10m\n", 1))
			s.docker("compose", "up", "--detach")
			cmd := s.command("", "docker", "compose", "down", "-v")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the first container to go", func() bool { return !s.has("PROJ-db-1") })
			if both {
				out, _ := exec.Command("pkill", "-KILL", "-f", "compose finish --id "+s.last().ID).CombinedOutput()
				if len(out) > 0 {
					t.Errorf("%s", out)
				}
				if r := s.ccdestroy("reconcile"); r.code != 0 || s.last().Outcome != "pending" {
					t.Errorf("settled while Compose is at work: %s", s.last().Outcome)
				}
			}
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			_ = cmd.Wait()
			if both {
				waitFor(t, "everybody who could record anything to end", func() bool { return !worksIn(s.dir) })
				if s.last().Outcome != "pending" {
					t.Fatalf("who recorded %s?", s.last().Outcome)
				}
				if r := s.ccdestroy("reconcile"); r.code != 0 {
					t.Errorf("exit %d\n%s", r.code, r.stderr)
				}
			}
			if last := s.ended(); last.Outcome != "partial" || !s.hasVolume("PROJ_data") || len(s.events()) != 2 {
				t.Errorf("%s, %d events", last.Outcome, len(s.events()))
			}
		})
	}
}
