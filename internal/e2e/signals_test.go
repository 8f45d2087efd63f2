package e2e

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// slow has a service that takes seconds to stop, and one that does not: there
// is time for a signal before anything is gone, and after the quick one is.
const slow = `
name: PROJ
services:
  slow:
    image: IMAGE
    command: [sh, -c, "trap '' TERM; sleep infinity & wait"]
    stop_grace_period: 6s
    volumes: [data:/data]
QUICK
volumes:
  data:
`

const quick = "  quick:\n    image: IMAGE\n"

// has reports whether the engine has a container of this name.
func (s *stack) has(name string) bool {
	_, err := s.api.ContainerInspect(context.Background(), s.expand(name))
	return err == nil
}

func (s *stack) hasVolume(name string) bool {
	_, err := s.api.VolumeInspect(context.Background(), s.expand(name))
	return err == nil
}

// child is the pid of the docker command that ccdestroy runs, or 0.
func child(pid int) int {
	data, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + strconv.Itoa(pid) + "/children")
	for _, tid := range threads(pid) {
		more, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + tid + "/children")
		data = append(data, more...)
	}
	for _, word := range strings.Fields(string(data)) {
		if n, err := strconv.Atoi(word); err == nil {
			return n
		}
	}
	return 0
}

func threads(pid int) []string {
	entries, _ := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// stopping waits until Compose is at work: the slow container has got its TERM
// once the log has the pending event and the child's progress says so.
func (s *stack) stopping(progress func() string) {
	s.t.Helper()
	waitFor(s.t, "Compose to stop containers", func() bool { return strings.Contains(progress(), "Stopping") })
}

func TestSignalWithoutTerminal(t *testing.T) {
	for _, c := range []struct {
		signal  syscall.Signal
		name    string
		quick   bool
		outcome string
	}{
		{syscall.SIGINT, "INT", false, "cancelled"},
		{syscall.SIGINT, "INT", true, "partial"},
		{syscall.SIGTERM, "TERM", false, "cancelled"},
		{syscall.SIGTERM, "TERM", true, "partial"},
		{syscall.SIGHUP, "HUP", false, "cancelled"},
		{syscall.SIGHUP, "HUP", true, "partial"},
	} {
		t.Run(c.name+" "+c.outcome, func(t *testing.T) {
			t.Parallel()
			body := strings.Replace(slow, "QUICK", map[bool]string{true: quick}[c.quick], 1)
			s := newStack(t, one(body))
			s.docker("compose", "up", "--detach")
			before := s.objects(context.Background())
			errs := filepath.Join(t.TempDir(), "stderr")
			f, err := os.Create(errs)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			cmd := s.command("", binary)
			cmd.Stderr = f
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			progress := func() string { data, _ := os.ReadFile(errs); return string(data) }
			s.stopping(progress)
			if c.quick {
				waitFor(t, "the quick container to go", func() bool { return !s.has("PROJ-quick-1") })
			}
			if err := cmd.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			s.settled(before, cmd.ProcessState.ExitCode(), 128+int(c.signal), c.outcome, c.name)
			if !s.hasVolume("PROJ_data") {
				t.Error("the volume of the slow service is gone")
			}
		})
	}
}

// settled holds the record of a teardown that a signal met against the engine.
func (s *stack) settled(before []object, code, wantCode int, outcome, signal string) {
	s.t.Helper()
	last := s.last()
	if code != wantCode || last.Outcome != outcome || last.Details.Signal != signal {
		s.t.Errorf("exit %d, outcome %q, signal %q; want %d, %q, %q (%s)", code, last.Outcome, last.Details.Signal, wantCode, outcome, signal, last.Details.Stderr)
	}
	vanished := s.vanished(before)
	for _, r := range last.Details.Resources {
		key := r.Kind + " " + strings.ReplaceAll(r.Name, s.name, "PROJ")
		if went := slices.Contains(vanished, key); r.Kind != "bind" && went != (r.Result == "gone") {
			s.t.Errorf("%s: recorded as %s, vanished: %v", key, r.Result, went)
		}
	}
	if first := s.events()[0]; first.Outcome != "pending" || first.ID != last.ID {
		s.t.Errorf("no pending event precedes: %+v", first)
	}
}

func TestSecondSignalIsPassedOn(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(strings.Replace(slow, "QUICK", "", 1)))
	s.docker("compose", "up", "--detach")
	before := s.objects(context.Background())
	p := s.terminal("--yes")
	p.waitText("Stopp") // older releases of Compose cut it short
	p.send("\x03\x03")
	code := p.wait()
	s.settled(before, code, 130, "cancelled", "INT")
}

func TestSignalOnTerminal(t *testing.T) {
	for _, c := range []struct {
		name string
		act  func(*pseudo)
		code int
		want string
	}{
		{"ctrl-c", func(p *pseudo) { p.send("\x03") }, 130, "INT"},
		{"ctrl-backslash", func(p *pseudo) { p.send("\x1c") }, 131, "QUIT"},
		{"TERM", func(p *pseudo) { _ = p.cmd.Process.Signal(syscall.SIGTERM) }, 143, "TERM"},
		{"the window closes", func(p *pseudo) { p.hangUp() }, 129, "HUP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(strings.Replace(slow, "QUICK", quick, 1)))
			s.docker("compose", "up", "--detach")
			before := s.objects(context.Background())
			p := s.terminal("--yes")
			waitFor(t, "the quick container to go", func() bool { return !s.has("PROJ-quick-1") })
			c.act(p)
			s.settled(before, p.wait(), c.code, "partial", c.want)
		})
	}
}

func TestChildKilled(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(strings.Replace(slow, "QUICK", quick, 1)))
	s.docker("compose", "up", "--detach")
	before := s.objects(context.Background())
	cmd := s.command("", binary)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the quick container to go", func() bool { return !s.has("PROJ-quick-1") })
	pid := child(cmd.Process.Pid)
	if pid == 0 {
		t.Fatal("no child")
	}
	if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	last := s.last()
	if code := cmd.ProcessState.ExitCode(); code != 3 || last.Outcome != "partial" || last.Details.ExitCode == nil || *last.Details.ExitCode != -1 {
		t.Errorf("exit %d, outcome %q, exit_code %v", code, last.Outcome, last.Details.ExitCode)
	}
	if got := s.vanished(before); !slices.Equal(got, []string{"container PROJ-quick-1"}) {
		t.Errorf("vanished %q", got)
	}
}

// killed starts a teardown and kills it with SIGKILL once the child runs; it
// returns when the child has ended too.
func (s *stack) killed() {
	s.t.Helper()
	cmd := s.command("", binary)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	waitFor(s.t, "the child", func() bool { return len(s.events()) > 0 && child(cmd.Process.Pid) != 0 })
	pid := child(cmd.Process.Pid)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	waitFor(s.t, "the child to end", func() bool { return syscall.Kill(-pid, 0) != nil })
}

func TestKilledAndReconciled(t *testing.T) {
	for _, c := range []struct {
		name    string
		then    [][]string // what happens before reconcile
		outcome string
		result  string // of the volume
	}{
		{"nothing went", nil, "failed", "remained"},
		{"it was finished by hand", [][]string{{"compose", "down", "--volumes"}}, "success", "gone"},
		{"the volume was made again", [][]string{{"compose", "down", "--volumes"}, {"volume", "create", "PROJ_data"}}, "success", "remade"},
		{"the container went", [][]string{{"rm", "--force", "PROJ-slow-1"}}, "partial", "remained"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(strings.Replace(slow, "QUICK", "", 1)))
			s.docker("compose", "up", "--detach")
			s.killed()
			for _, args := range c.then {
				s.docker(slices.Clone(args)...)
			}
			if r := s.ccdestroy("audit"); !strings.Contains(r.stdout, "UNFINISHED") {
				t.Errorf("audit does not mark it:\n%s", r.stdout)
			}
			if r := s.ccdestroy("reconcile"); r.code != 0 {
				t.Fatalf("reconcile: exit %d\n%s", r.code, r.stderr)
			}
			last := s.last()
			if last.Outcome != c.outcome || last.Details.Settled != "reconcile" || last.ID != s.events()[0].ID {
				t.Errorf("outcome %q, want %q; settled %q", last.Outcome, c.outcome, last.Details.Settled)
			}
			if r := last.Details.Resources[0]; r.Kind != "volume" || r.Result != c.result || (len(last.DataAffected) == 1) == (c.result == "remained") {
				t.Errorf("%s %s: %s, want %s; data_affected %q", r.Kind, r.Name, r.Result, c.result, last.DataAffected)
			}
			if r := s.ccdestroy("reconcile"); !strings.Contains(r.stderr, "Nothing is unfinished") {
				t.Errorf("not settled for good:\n%s", r.stderr)
			}
		})
	}
}

// A teardown under way is not unfinished business of an earlier run.
func TestReconcileLeavesRunningOnesAlone(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(strings.Replace(slow, "QUICK", "", 1)))
	s.docker("compose", "up", "--detach")
	cmd := s.command("", binary)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the pending event", func() bool { return len(s.events()) == 1 })
	r := s.ccdestroy("reconcile")
	_ = cmd.Wait()
	if events := s.events(); len(events) != 2 || events[1].Details.Settled != "" || events[1].Outcome != "success" {
		t.Errorf("%+v\n%s", events, r.stderr)
	}
}

// The next teardown settles what the one before could not.
func TestNextRunReconciles(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(strings.Replace(slow, "QUICK", "", 1)))
	s.docker("compose", "up", "--detach")
	s.killed()
	if r := s.ccdestroy("--timeout", "0"); r.code != 0 || !strings.Contains(r.stderr, "Settled") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	events := s.events()
	if len(events) != 4 || events[1].Details.Settled != "reconcile" || events[1].ID != events[0].ID || events[3].Outcome != "success" {
		t.Errorf("%d events: %+v", len(events), events)
	}
}

// Whoever reads our output may go away: the record is written all the same.
func TestClosedPipe(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := s.command("", binary)
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	_, _ = io.ReadFull(read, make([]byte, 1))
	read.Close()
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 0 || s.last().Outcome != "success" {
		t.Errorf("exit %d, outcome %q", code, s.last().Outcome)
	}
}
