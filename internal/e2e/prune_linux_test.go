package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/volume"
)

// Prune on an engine of its own: it is about every volume that there is.
func TestPrune(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	e.start()
	s := e.stack(one(single))
	s.docker("compose", "up", "--detach")
	s.docker("compose", "stop") // its volume is in use all the same
	all := func() (names []string) {
		t.Helper()
		list, err := s.api.VolumeList(context.Background(), volume.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list.Volumes {
			names = append(names, v.Name)
		}
		slices.Sort(names)
		return names
	}
	for _, args := range [][]string{{"PROJ_a"}, {"--label", "team=x", "PROJ_b"}, {"--label", "ccdestroy.protect=true", "PROJ_guarded"},
		{"--opt", "type=tmpfs", "--opt", "device=tmpfs", "PROJ_ram"}} {
		s.docker(append([]string{"volume", "create"}, args...)...)
	}
	anonymous := s.docker("volume", "create")
	before := all()
	if r := s.ccdestroy("prune", "--all", "--dry-run"); r.code != 0 || !strings.Contains(r.stdout, s.name+"_a") || !strings.Contains(r.stdout, "in use by "+s.name+"-web-1") || !slices.Equal(all(), before) || s.events() != nil {
		t.Errorf("dry run: exit %d, %q\n%s", r.code, all(), r.stdout)
	}
	p := s.terminal("prune", "--all")
	p.waitText("Type prune to destroy these volumes, or Enter to cancel: ")
	p.send("y\n")
	if code := p.wait(); code != 4 || !slices.Equal(all(), before) || len(s.events()) != 1 || s.last().Outcome != "cancelled" {
		t.Errorf("declined: exit %d, %q", code, all())
	}
	// One appears while the question stands, one comes into use: both stay.
	p = s.terminal("prune", "--all", "--filter", "label!=team=x", "--reason", "tidy")
	p.waitText("Enter to cancel: ")
	s.docker("volume", "create", "PROJ_late")
	s.docker("create", "--volume", "PROJ_a:/a", "--name", "PROJ-user", "IMAGE")
	p.send("prune\n")
	code, last := p.wait(), s.last()
	if want := []string{anonymous}; code != 0 || last.Operation != "prune" || last.Outcome != "success" || !slices.Equal(last.DataAffected, want) || last.Details.Confirmation != "typed" {
		t.Errorf("exit %d, %s, %q\n%s", code, last.Outcome, last.DataAffected, p.seen())
	}
	if want := s.name + "_a: it stays: in use by " + s.name + "-user"; !p.shows(want) {
		t.Errorf("it is not said that %s:\n%s", want, p.seen())
	}
	s.docker("rm", "PROJ-user")
	if r := s.ccdestroy("prune", "--all", "--unprotect", s.name+"_guarded", "--dry-run"); r.code != 0 || strings.Contains(r.stdout, "refused") || !strings.Contains(r.stdout, "_guarded (protected)") {
		t.Errorf("a dry run that unprotects: exit %d\n%s", r.code, r.stdout)
	}
	if r := s.ccdestroy("prune", "--all", "--unprotect", "guarded"); r.code != 2 || !strings.Contains(r.stderr, "--unprotect guarded: no such volume") {
		t.Errorf("a key for a name: exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("prune", "--all", "--unprotect", s.name+"_guarded"); r.code != 0 || len(s.last().DataAffected) != 4 {
		t.Errorf("exit %d, %q\n%s", r.code, s.last().DataAffected, r.stderr)
	}
	if got := all(); !slices.Equal(got, []string{s.name + "_data", s.name + "_ram"}) {
		t.Errorf("left: %q", got)
	}
	events := len(s.events())
	if r := s.ccdestroy("prune"); r.code != 0 || !strings.Contains(r.stderr, "Nothing to destroy") || len(s.events()) != events {
		t.Errorf("nothing: exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("prune", "--filter", "until=1h"); r.code != 2 || !strings.Contains(r.stderr, `filter "until=1h"`) {
		t.Errorf("a bad filter: exit %d\n%s", r.code, r.stderr)
	}
	// What the engine's own prune would have taken is what ours takes.
	s.docker("volume", "create", "PROJ_x")
	s.docker("volume", "create")
	r := s.ccdestroy("prune", "--yes")
	ours := len(s.last().DataAffected)
	s.docker("volume", "create", "PROJ_x")
	s.docker("volume", "create")
	lines := 2 // around them
	if onPodman {
		lines++ // it takes PROJ_ram as well
	}
	if theirs := strings.Count(s.docker("volume", "prune", "--force"), "\n"); r.code != 0 || ours == 0 || theirs-ours != lines {
		t.Errorf("ours %d, theirs %d lines: exit %d", ours, theirs, r.code)
	}
}
