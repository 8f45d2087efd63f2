package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// lingering is audited with a container that does not stop by itself.
var lingering = strings.Replace(audited, "    volumes: [uploads:/uploads]\n",
	"    volumes: [uploads:/uploads]\n    command: [sh, -c, \"trap '' TERM; sleep infinity & wait\"]\n    stop_grace_period: 300s\n", 1)

// plainDown starts docker compose down -v of a lingering project, and returns when
// it waits for the last container; quick lets that one end.
func (s *stack) plainDown() (quick func(), wait func() int) {
	s.t.Helper()
	cmd := s.command("", "docker", "compose", "down", "-v")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if cmd.ProcessState == nil { // nobody has waited for it, so the number is still its own
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			_ = cmd.Wait()
		}
	})
	waitFor(s.t, "the first container to go", func() bool { return !s.has("PROJ-db-1") })
	return func() { s.docker("kill", "PROJ-web-1") }, func() int {
		_ = cmd.Wait()
		return cmd.ProcessState.ExitCode()
	}
}

// endFinisher ends the process that stands beside Compose, as the sweep of a CI
// runner does.
func (s *stack) endFinisher(sig syscall.Signal) {
	s.t.Helper()
	id := s.last().ID
	pid := 0
	paths, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range paths {
		data, _ := os.ReadFile(path)
		if strings.Contains(string(data), "finish\x00--id\x00"+id+"\x00") {
			pid, _ = strconv.Atoi(filepath.Base(filepath.Dir(path)))
		}
	}
	if pid == 0 {
		s.t.Fatal("there is no finisher")
	}
	if err := syscall.Kill(pid, sig); err != nil {
		s.t.Fatal(err)
	}
	waitFor(s.t, "the finisher to end", func() bool { // as a zombie, perhaps
		data, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
		return len(data) == 0
	})
}

// endings are the outcomes of a log, oldest first, each with how many volumes
// went and who settled it.
func (s *stack) endings() (all []string) {
	s.t.Helper()
	for _, a := range s.accounts(s.logPath()) {
		if a.Outcome != "pending" {
			all = append(all, strings.TrimSpace(a.Outcome+" "+strconv.Itoa(len(a.DataAffected))+" "+a.Details.Settled))
		}
	}
	return all
}

func (s *stack) want(outcomes ...string) {
	s.t.Helper()
	if got := s.endings(); !slices.Equal(got, outcomes) {
		s.t.Errorf("the outcomes are %q, want %q", got, outcomes)
	}
	if r := s.ccdestroy("audit", "verify"); r.code != 0 {
		s.t.Error(r.stdout)
	}
}

// The finisher is killed: as long as Compose is at work nobody settles its
// teardown, and another teardown of the project waits; then it is settled.
func TestFinisherKilled(t *testing.T) {
	t.Parallel()
	t.Run("reconcile", func(t *testing.T) {
		t.Parallel()
		s := withProvider(t, lingering)
		s.docker("compose", "up", "--detach")
		quick, wait := s.plainDown()
		s.endFinisher(syscall.SIGKILL)
		if r := s.ccdestroy("reconcile"); r.code != 0 || len(s.endings()) > 0 {
			t.Errorf("exit %d, outcomes %q\n%s", r.code, s.endings(), r.stderr)
		}
		if r := s.ccdestroy("--yes", "--lock-timeout", "300ms"); r.code != 5 || !strings.Contains(r.stderr, "is still in use by the destroy by tester on ") {
			t.Errorf("a teardown meanwhile: exit %d\n%s", r.code, r.stderr)
		}
		quick()
		if code := wait(); code != 0 {
			t.Errorf("docker compose down: exit %d", code)
		}
		if r := s.ccdestroy("reconcile"); r.code != 0 || !strings.Contains(r.stderr, "Settled destroy") {
			t.Errorf("exit %d\n%s", r.code, r.stderr)
		}
		s.want("failed 0", "success 3 reconcile")
		if s.hasVolume("PROJ_data") || s.hasVolume("PROJ_uploads") {
			t.Error("a volume is there")
		}
	})
	t.Run("the next teardown", func(t *testing.T) {
		t.Parallel()
		s := withProvider(t, lingering)
		s.docker("compose", "up", "--detach")
		quick, wait := s.plainDown()
		s.endFinisher(syscall.SIGTERM)
		down := s.start(s.command("", binary, "--yes"))
		down.waitText("destroy by tester on ")
		quick()
		if code := wait(); code != 0 {
			t.Errorf("docker compose down: exit %d", code)
		}
		if code := down.wait(); code != 0 {
			t.Errorf("exit %d\n%s", code, down.stderr())
		}
		s.want("success 3 reconcile", "success 0")
	})
}

// One teardown of a project at a time, whoever performs it.
func TestProviderWaits(t *testing.T) {
	t.Parallel()
	t.Run("for ccdestroy", func(t *testing.T) {
		t.Parallel()
		s := withProvider(t, audited)
		s.docker("compose", "up", "--detach")
		real, err := exec.LookPath("docker")
		if err != nil {
			t.Fatal(err)
		}
		s.shim("down", until+`exec "$0" "$@"`)
		down := s.start(s.command("", binary, "--yes"))
		waitFor(t, "the pending event", func() bool { return len(s.events()) == 1 })
		plain := s.command("", real, "compose", "down", "-v")
		if err := plain.Start(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the provider", func() bool { return len(s.operations()) == 2 })
		if n := len(s.events()); n != 1 || !s.hasVolume("PROJ_data") {
			t.Errorf("%d events", n)
		}
		s.let()
		if code := down.wait(); code != 0 {
			t.Errorf("exit %d\n%s", code, down.stderr())
		}
		if err := plain.Wait(); err != nil {
			t.Errorf("docker compose down: %v", err)
		}
		waitFor(t, "both outcomes", func() bool { return len(s.endings()) == 2 })
		s.want("success 3", "success 0 provider")
	})
	t.Run("and is waited for", func(t *testing.T) {
		t.Parallel()
		s := withProvider(t, lingering)
		s.docker("compose", "up", "--detach")
		quick, wait := s.plainDown()
		down := s.start(s.command("", binary, "--yes"))
		down.waitText("destroy by tester on ")
		quick()
		if code := wait(); code != 0 {
			t.Errorf("docker compose down: exit %d", code)
		}
		if code := down.wait(); code != 0 {
			t.Errorf("exit %d\n%s", code, down.stderr())
		}
		s.want("success 3 provider", "success 0")
	})
}

// The finisher is killed: a watch waits for Compose to end, and then says what may
// have destroyed the volumes.
func TestWatchFinisherKilled(t *testing.T) {
	t.Parallel()
	s := withProvider(t, lingering)
	s.docker("compose", "up", "--detach")
	w := s.watcher()
	s.createVolumes("PROJ_other")
	quick, wait := s.plainDown()
	s.endFinisher(syscall.SIGKILL)
	s.docker("volume", "rm", "PROJ_other") // which the teardown keeps
	w.none("PROJ_other")
	quick()
	if code := wait(); code != 0 {
		t.Errorf("docker compose down: exit %d", code)
	}
	for _, name := range []string{"PROJ_other", "PROJ_data", "PROJ_uploads"} {
		if got := w.recorded(name); !slices.Equal(got.Details.Claims, []string{s.last().ID}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if r := s.ccdestroy("reconcile"); r.code != 0 {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	s.want("success 4 reconcile")
	w.none("PROJ_none")
	w.recorded("PROJ_data")
}

// Two services of a project that are ccdestroy do not wait for each other: they
// are one teardown.
func TestTwoProviders(t *testing.T) {
	t.Parallel()
	s := withProvider(t, strings.Replace(audited, "  audit:\n", "  ledger:\n    provider:\n      type: ccdestroy\n    depends_on: [db, web]\n  audit:\n", 1))
	s.docker("compose", "up", "--detach")
	if r := s.compose("down", "-v"); r.code != 0 {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	s.ended()
	s.want("success 3 provider")
	if left := s.operations(); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
