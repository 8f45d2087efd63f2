package e2e

import (
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// stubborn has a service that does not end before it is killed.
const stubborn = `
name: PROJ
services:
  slow:
    image: IMAGE
    command: [sh, -c, "trap '' TERM; sleep infinity & wait"]
    stop_grace_period: 10m
    volumes: [data:/data, more:/more]
volumes:
  data:
  more:
`

// claimedOnce fails when two operations of the log claim one volume.
func (s *stack) claimedOnce() (claims map[string]string) {
	s.t.Helper()
	claims = map[string]string{}
	for _, e := range s.events() {
		if e.Outcome == "pending" {
			continue
		}
		for _, name := range e.DataAffected {
			if claims[name] != "" {
				s.t.Errorf("%s is claimed by %s and by %s", name, claims[name], e.ID)
			}
			claims[name] = e.ID
		}
	}
	return claims
}

// outcomes are those of each operation, by id.
func (s *stack) outcomes() map[string][]string {
	s.t.Helper()
	out := map[string][]string{}
	for _, e := range s.events() {
		if e.Outcome != "pending" {
			out[e.ID] = append(out[e.ID], e.Outcome)
		}
	}
	return out
}

const waiting = " is in use by the destroy by tester on "

// Of several teardowns of a project at once, one destroys and claims its volumes;
// the others say for whom they wait, and then find nothing to destroy.
func TestTeardownsAtOnce(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(stubborn))
	s.docker("compose", "up", "--detach")
	first := s.start(s.command("", binary))
	first.waitText("Stopping")
	var others []*background
	for range 2 {
		b := s.start(s.command("", binary, "--yes"))
		b.waitText("waiting: project " + s.name + waiting)
		if !strings.Contains(b.stderr(), ", since ") {
			t.Errorf("it does not say since when:\n%s", b.stderr())
		}
		others = append(others, b)
	}
	s.docker("kill", "PROJ-slow-1")
	if code := first.wait(); code != 0 {
		t.Errorf("the first: exit %d\n%s", code, first.stderr())
	}
	for _, b := range others {
		if code := b.wait(); code != 0 || !strings.Contains(b.stderr(), "Nothing to destroy") {
			t.Errorf("another: exit %d\n%s", code, b.stderr())
		}
	}
	claims := s.claimedOnce()
	if len(claims) != 2 || claims[s.expand("PROJ_data")] != s.events()[0].ID {
		t.Errorf("claims: %q", claims)
	}
	if all := s.outcomes(); len(all) != 3 {
		t.Errorf("outcomes: %q", all)
	}
}

// The same, whoever comes first.
func TestTeardownsStartedTogether(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(shop))
	s.docker("compose", "up", "--detach")
	var all []*background
	for range 3 {
		all = append(all, s.start(s.command("", binary)))
	}
	for _, b := range all {
		if code := b.wait(); code != 0 {
			t.Errorf("exit %d\n%s", code, b.stderr())
		}
	}
	claims := s.claimedOnce()
	if claims[s.expand("PROJ_data")] == "" || len(claims) != 3 || len(s.outcomes()) != 3 {
		t.Errorf("claims %q, outcomes %q", claims, s.outcomes())
	}
}

// Whoever will not wait is told for whom it would be.
func TestLockTimeout(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(stubborn))
	s.docker("compose", "up", "--detach")
	first := s.start(s.command("", binary))
	first.waitText("Stopping")
	r := s.ccdestroy("--lock-timeout", "300ms")
	if want := s.expand(`project "PROJ" is still in use by the destroy by tester on `); r.code != 5 || !strings.Contains(r.stderr, want) || !strings.Contains(r.stderr, "\nTry: ") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if last := s.last(); last.Outcome != "failed" || len(last.DataAffected) > 0 {
		t.Errorf("%s, %q", last.Outcome, last.DataAffected)
	}
	s.docker("kill", "PROJ-slow-1")
	if code := first.wait(); code != 0 {
		t.Errorf("the first: exit %d\n%s", code, first.stderr())
	}
	s.claimedOnce()
}

// The Compose of a killed ccdestroy is at work until it ends: another teardown
// waits for it, and then settles the first.
func TestChildKeepsTheLock(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(stubborn))
	s.docker("compose", "up", "--detach")
	first := s.start(s.command("", binary))
	first.waitText("Stopping")
	compose := child(first.cmd.Process.Pid)
	_ = first.cmd.Process.Kill()
	first.wait()
	if compose == 0 || syscall.Kill(compose, 0) != nil {
		t.Fatal("Compose has ended: this test shows nothing")
	}
	if r := s.ccdestroy("reconcile"); r.code != 0 || strings.Contains(r.stderr, "Settled") {
		t.Errorf("reconcile: exit %d\n%s", r.code, r.stderr)
	}
	second := s.start(s.command("", binary))
	second.waitText("waiting: project " + s.name + waiting)
	s.docker("kill", "PROJ-slow-1") // Compose ends at its next word
	if code := second.wait(); code != 0 || !strings.Contains(second.stderr(), "Settled destroy of "+s.events()[0].ID) {
		t.Errorf("exit %d\n%s", code, second.stderr())
	}
	all := s.events()
	if all[1].ID != all[0].ID || all[1].Details.Settled != "reconcile" || all[2].ID == all[0].ID || all[2].Outcome != "pending" {
		t.Errorf("the first is not settled before the second begins: %+v", all)
	}
	if claims := s.claimedOnce(); len(claims) != 2 || s.hasVolume("PROJ_data") || s.hasVolume("PROJ_more") {
		t.Errorf("claims: %q", claims)
	}
}

// An operation is at work also where its process cannot be seen: it is not
// settled, and writes its one outcome.
func TestOtherProcessNamespace(t *testing.T) {
	t.Parallel()
	need.Root(t)
	need.Command(t, "unshare")
	for _, c := range []struct{ name, operation, reconcile string }{
		{"the operation is in another", "unshare --pid --fork --kill-child --mount-proc", ""},
		{"reconcile is in another", "", "unshare --pid --fork --kill-child --mount-proc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStack(t, one(talker))
			g := newGate(t, isArchive)
			s.talking()
			at := append(strings.Fields(c.operation), binary, "--export", "saved", "-H", g.host())
			b := s.start(s.command("", at[0], at[1:]...))
			g.waitHeld()
			by := append(strings.Fields(c.reconcile), binary, "reconcile", "-H", engineHost())
			if r := run(t, s.command("", by[0], by[1:]...)); r.code != 0 || strings.Contains(r.stderr, "Settled") {
				t.Errorf("reconcile: exit %d\n%s", r.code, r.stderr)
			}
			if len(s.running()) > 0 || len(s.events()) != 1 {
				t.Errorf("in mid-export %q runs, and there are %d events", s.running(), len(s.events()))
			}
			g.open()
			if code := b.wait(); code != 0 {
				t.Errorf("exit %d\n%s", code, b.stderr())
			}
			last := s.last()
			if all := s.outcomes(); len(all) != 1 || !slices.Equal(all[last.ID], []string{"success"}) || last.Details.Settled != "" {
				t.Errorf("outcomes: %q, settled %q", all, last.Details.Settled)
			}
		})
	}
}
