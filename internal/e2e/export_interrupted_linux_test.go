package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A signal in the middle of an export, and a kill: nothing is destroyed, and
// what ran runs again, at once or with the next run.
func TestExportInterrupted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		signal  syscall.Signal
		args    []string
		outcome string
	}{
		{"ctrl-c in a teardown", syscall.SIGINT, []string{"--export", "saved"}, "cancelled"},
		{"killed in a teardown", syscall.SIGKILL, []string{"--export", "saved"}, "failed"},
		{"terminated in an export", syscall.SIGTERM, []string{"export", "--stop"}, "cancelled"},
		{"killed in an export", syscall.SIGKILL, []string{"export", "--stop"}, "failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(talker))
			p := newProxy(t)
			s.talking()
			p.stall.Store(true)
			cmd := s.command("", binary, append(c.args, "-H", p.host())...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the export to read", func() bool { return p.waiting.Load() > 0 })
			if s.helpers() != 1 || len(s.running()) != 0 || s.last().Outcome != "pending" {
				t.Errorf("in mid-export: %d helpers, %q runs, %s", s.helpers(), s.running(), s.last().Outcome)
			}
			_ = cmd.Process.Signal(c.signal)
			_ = cmd.Wait()
			p.stall.Store(false)
			if c.signal == syscall.SIGKILL {
				if r := s.ccdestroy("reconcile", "-H", p.host()); r.code != 0 || !strings.Contains(r.stderr, "Settled") || !strings.Contains(r.stderr, "; started again: ") {
					t.Errorf("reconcile: exit %d\n%s", r.code, r.stderr)
				}
			} else if code := cmd.ProcessState.ExitCode(); code != 128+int(c.signal) {
				t.Errorf("exit %d", code)
			}
			if last := s.last(); last.Outcome != c.outcome || len(last.DataAffected) > 0 || last.ExportPath != "" {
				t.Errorf("%s, %q, %q", last.Outcome, last.DataAffected, last.ExportPath)
			}
			s.untouched()
			if half, _ := filepath.Glob(filepath.Join(s.dir, "saved", "*.incomplete")); len(half) != map[bool]int{true: 1}[c.signal == syscall.SIGKILL && c.args[0] == "--export"] {
				t.Errorf("half exports: %q", half)
			}
			if r := s.ccdestroy("audit", "verify"); r.code != 0 {
				t.Errorf("verify: %s", r.stdout)
			}
		})
	}
}

// A teardown with an export is killed in every phase; reconcile then leaves
// either everything as it was, running, or tells what went, and what went is in
// a whole export.
func TestExportKilledAnywhere(t *testing.T) {
	t.Parallel()
	phases := []phase{begun, containerDied, made("saved/*.incomplete"), made("saved/*.incomplete/volumes/*"), made("saved/*Z"), lines(2),
		containerGone, volumeGone, ended}
	var found tally
	t.Run("all", func(t *testing.T) {
		for part := range 3 {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				s := newStack(t, one(talker))
				for i := range 2 * len(phases) / 3 {
					p := phases[(3*part+i)%len(phases)]
					found.add(p, s.exportKilledIn(p))
				}
			})
		}
	})
	found.cutOff(t, phases[:len(phases)-1]...)
}

// exportKilledIn kills one teardown with an export, checks what is recorded of
// it, and says what it was.
func (s *stack) exportKilledIn(p phase) string {
	s.t.Helper()
	s.talking()
	before := s.objects(context.Background())
	s.killedAt(p, "--export", "saved", "-q")
	vanished := s.atRest(before)
	if r := s.ccdestroy("reconcile"); r.code != 0 {
		s.t.Fatalf("reconcile: exit %d\n%s", r.code, r.stderr)
	}
	last := s.last()
	s.compareWith(last, before, vanished)
	if len(vanished) == 0 {
		s.untouched()
	}
	for _, lost := range last.DataAffected {
		if !slices.ContainsFunc(manifestOf(s.t, last.ExportPath).Volumes, func(v savedVolume) bool { return v.Name == lost }) {
			s.t.Errorf("%s is lost and not in the export", lost)
		}
	}
	return settledAs(last)
}
