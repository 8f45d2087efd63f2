package e2e

import (
	"slices"
	"strings"
	"testing"
)

func TestKilledAndReconciled(t *testing.T) {
	t.Parallel()
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
			list := s.ccdestroy("audit")
			if !strings.Contains(list.stdout, "UNFINISHED") {
				t.Errorf("audit does not mark it:\n%s", list.stdout)
			}
			s.obey(list.stdout, "To find out")
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
	s.docker("kill", "PROJ-slow-1")
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
