package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestSignalWithoutTerminal(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
