package e2e

import (
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// When an export of a teardown is interrupted, or the disk is full, its draft goes
// before the services start again, and it is said which do. Further signals do not
// keep it from the record.
func TestDraftGoesBeforeServicesStart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, s *stack)
		hold    func(*http.Request) bool
		args    []string
		signals []syscall.Signal
		code    int
		outcome string
	}{
		{"a teardown is interrupted", nil, isArchive, []string{"--export", "saved"}, []syscall.Signal{syscall.SIGINT, syscall.SIGINT, syscall.SIGTERM}, 130, "cancelled"},
		{"an export is interrupted", nil, isArchive, []string{"export", "--stop", "-o", "saved"}, []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}, 143, "cancelled"},
		{"the disk is full", fullDisk, nil, []string{"--export", "saved"}, nil, 5, "failed"},
		{"the disk is full for an export", fullDisk, nil, []string{"export", "--stop", "-o", "saved"}, nil, 1, "failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStack(t, one(talker))
			s.talking()
			if c.prepare != nil {
				c.prepare(t, s)
			}
			starting := false
			g := newGate(t, func(r *http.Request) bool {
				starting = starting || requested(r, http.MethodPost, "/start")
				return starting || c.hold != nil && c.hold(r)
			})
			b := s.start(s.command("", binary, append(c.args, "-H", g.host())...))
			if c.signals != nil {
				g.waitHeld()
			}
			if c.signals != nil {
				_ = b.cmd.Process.Signal(c.signals[0])
			}
			waitFor(t, "services to start", func() bool { g.mu.Lock(); defer g.mu.Unlock(); return starting || b.over() })
			for _, sig := range c.signals {
				_ = b.cmd.Process.Signal(sig)
			}
			if left, _ := filepath.Glob(filepath.Join(s.dir, "saved", "*Z*")); len(left) > 0 || len(s.running()) > 0 {
				t.Errorf("when they start there is %q, and %q runs", left, s.running())
			}
			g.open()
			code, last := b.wait(), s.last()
			if code != c.code || last.Outcome != c.outcome || last.ExportPath != "" || len(last.DataAffected) > 0 {
				t.Errorf("exit %d, %s, %q, %q\n%s", code, last.Outcome, last.ExportPath, last.DataAffected, b.stderr())
			}
			if want := s.expand("started again: PROJ-db-1, PROJ-web-1"); !strings.Contains(b.stderr(), want) {
				t.Errorf("it does not say that %s\n%s", want, b.stderr())
			}
			s.untouched()
		})
	}
}

// fullDisk has exports lie where there is no room for them.
func fullDisk(t *testing.T, s *stack) {
	t.Helper()
	need.Root(t)
	dir := filepath.Join(s.dir, "saved")
	need.Run(t, "mkdir", dir)
	need.Run(t, "mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", dir)
	t.Cleanup(func() { need.Run(t, "umount", dir) })
	s.docker("compose", "exec", "-T", "web", "sh", "-c", "head -c 2000000 /dev/urandom > /uploads/big")
}

// A container that was being stopped when the signal came runs again at the end:
// the engine stops it all the same, and only then can it be started.
func TestSignalWhileServicesStop(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"a teardown": {"--export", "saved"}, "an export": {"export", "--stop", "-o", "saved"}} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t, one(dawdler))
			s.docker("compose", "up", "--detach")
			started := s.docker("inspect", "--format", "{{.State.StartedAt}}", "PROJ-web-1")
			b := s.start(s.command("", binary, args...))
			waitFor(t, "the service to be told to stop", func() bool { return strings.Contains(s.docker("logs", "PROJ-web-1"), "told to stop") })
			b.endsBy(syscall.SIGINT)
			if got := s.docker("inspect", "--format", "{{.State.StartedAt}}", "PROJ-web-1"); got == started || len(s.running()) != 1 {
				t.Errorf("%q runs; the service was started at %s, and before at %s", s.running(), got, started)
			}
			if last := s.last(); last.Outcome != "cancelled" || last.Details.Signal != "INT" {
				t.Errorf("%s, signal %q", last.Outcome, last.Details.Signal)
			}
		})
	}
}

// dawdler takes a while to stop.
const dawdler = `
name: PROJ
services:
  web:
    image: IMAGE
    command: [sh, -c, "trap 'echo told to stop; sleep 4; exit' TERM; while :; do sleep 0.2 & wait; done"]
    volumes: [data:/data]
volumes:
  data:
`
