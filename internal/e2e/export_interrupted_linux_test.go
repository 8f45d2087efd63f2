package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A signal in the middle of an export, and a kill: nothing is destroyed, and
// what ran runs again, at once or with the next run.
func TestExportInterrupted(t *testing.T) {
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
				if r := s.ccdestroy("reconcile", "-H", p.host()); r.code != 0 || !strings.Contains(r.stderr, "Settled") {
					t.Errorf("reconcile: exit %d\n%s", r.code, r.stderr)
				}
			} else if code := cmd.ProcessState.ExitCode(); code != 128+int(c.signal) {
				t.Errorf("exit %d", code)
			}
			if last := s.last(); last.Outcome != c.outcome || len(last.DataAffected) > 0 || last.ExportPath != "" {
				t.Errorf("%s, %q, %q", last.Outcome, last.DataAffected, last.ExportPath)
			}
			s.untouched()
			if half, _ := filepath.Glob(filepath.Join(s.dir, "saved", "*.incomplete")); c.args[0] == "--export" && len(half) != 1 {
				t.Errorf("half exports: %q", half)
			}
			if r := s.ccdestroy("audit", "verify"); r.code != 0 {
				t.Errorf("verify: %s", r.stdout)
			}
		})
	}
}

// A teardown with an export is killed at any moment; reconcile then leaves
// either everything as it was, running, or tells what went, and what went is in
// a whole export.
func TestExportKilledAnywhere(t *testing.T) {
	s := newStack(t, one(talker))
	seen := map[string]int{}
	for i := range 14 {
		s.talking()
		cmd := s.command("", binary, "--export", "saved", "-q")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i) * 60 * time.Millisecond) // anywhere will do
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if r := s.ccdestroy("reconcile"); r.code != 0 {
			t.Fatalf("reconcile: exit %d\n%s", r.code, r.stderr)
		}
		last := event{Outcome: "nothing recorded"}
		if all := s.events(); len(all) > 0 {
			last = all[len(all)-1]
		}
		seen[last.Outcome]++
		if last.Outcome == "failed" || last.Outcome == "nothing recorded" {
			s.untouched()
		}
		for _, lost := range last.DataAffected {
			m := manifestOf(t, last.ExportPath)
			if !slices.ContainsFunc(m.Volumes, func(v savedVolume) bool {
				return v.Name == lost
			}) {
				t.Errorf("%s is lost and not in the export", lost)
			}
		}
	}
	t.Logf("%v", seen)
	if len(seen) < 2 {
		t.Errorf("all ended in the same way: %v", seen)
	}
}
