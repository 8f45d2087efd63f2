package e2e

import (
	"os"
	"strings"
	"testing"
)

// A restore is killed after it has written, before it has said so: reconcile
// compares.
func TestRestoreKilled(t *testing.T) {
	for _, c := range []struct{ name, outcome string }{{"as written", "success"}, {"changed since", "failed"}} {
		t.Run(c.name, func(t *testing.T) {
			s := newStack(t, one(talker))
			p := newProxy(t)
			s.talking()
			export := s.exported("uploads", "--stop")
			p.stall.Store(true)
			cmd := s.command("", binary, "restore", export, "--as", s.name+"_back", "-H", p.host())
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the restore to compare", func() bool { return p.waiting.Load() > 0 })
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			p.stall.Store(false)
			if c.outcome == "failed" {
				s.docker("run", "--rm", "--volume", "PROJ_back:/v", os.Getenv("CCDESTROY_IMAGE"), "sh", "-c", "echo more >> /v/p")
			}
			if last := s.last(); last.Operation != "restore" || last.Outcome != "pending" {
				t.Fatalf("%s %s", last.Operation, last.Outcome)
			}
			if r := s.ccdestroy("reconcile", "-H", p.host()); r.code != 0 {
				t.Errorf("exit %d\n%s", r.code, r.stderr)
			}
			if last := s.last(); last.Outcome != c.outcome || last.Details.Settled != "reconcile" || (c.outcome == "failed") != strings.Contains(last.Details.Error, `"./p": size`) {
				t.Errorf("%s: %s", last.Outcome, last.Details.Error)
			}
			if s.helpers() > 0 {
				t.Error("a helper is left")
			}
		})
	}
}
