package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// worker has a service of another profile that shares a volume.
const worker = `
name: PROJ
services:
  web:
    image: IMAGE
    volumes: [data:/data, uploads:/uploads]
  worker:
    image: IMAGE
    profiles: [worker]
    network_mode: none
    volumes: [data:/data]
volumes:
  data:
  uploads:
`

// sharing is a volume of another project, which another name belongs to.
const sharing = `
name: PROJ-other
services:
  reader:
    image: IMAGE
    network_mode: none
    volumes: [data:/data]
volumes:
  data: {name: PROJ_data, external: true}
`

// holders are what can keep a volume from going.
var holders = []struct {
	name string
	hold [][]string // docker commands
}{
	{"a container of nobody's", then(up, "run --detach --name PROJ-other --network none --volume PROJ_data:/x IMAGE")},
	{"one that was never started", then(up, "create --name PROJ-other --network none --volume PROJ_data:/x IMAGE")},
	{"two of them", then(up, "create --name PROJ-other --network none --volume PROJ_data:/x IMAGE", "run --detach --name PROJ-more --network none --volume PROJ_data:/x IMAGE")},
	{"another project", then(up, "compose --file other.yaml up --detach")},
	{"an inactive profile", [][]string{{"compose", "--profile", "worker", "up", "--detach"}}},
	{"all of these", then([][]string{{"compose", "--profile", "worker", "up", "--detach"}}, "compose --file other.yaml up --detach", "create --name PROJ-other --volume PROJ_data:/x IMAGE")},
}

// held is a project whose teardown ends partly, with the data in place.
func heldBack(t *testing.T, hold [][]string) *stack {
	s := newStack(t, map[string]string{"compose.yaml": worker, "other.yaml": sharing})
	for _, args := range hold {
		s.docker(slices.Clone(args)...)
	}
	s.fill("PROJ_data", "data")
	s.fill("PROJ_uploads", "uploads")
	return s
}

// What a partial teardown offers to finish it finishes it.
func TestToFinish(t *testing.T) {
	t.Parallel()
	for _, c := range holders {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := heldBack(t, c.hold)
			r := s.ccdestroy("--reason", "it's over")
			if r.code != 3 || !s.hasVolume("PROJ_data") {
				t.Fatalf("exit %d\n%s", r.code, r.stderr)
			}
			s.obey(r.stderr, "To finish")
			if last := s.last(); s.hasVolume("PROJ_data") || last.Outcome != "success" || !slices.Equal(last.DataAffected, []string{s.name + "_data"}) {
				t.Errorf("%s, lost %q", last.Outcome, last.DataAffected)
			}
		})
	}
}

// Where Compose refuses the command, its error says what to do: nothing of the
// project itself is in the way.
func TestNothingToFinish(t *testing.T) {
	t.Parallel()
	s := heldBack(t, up)
	r := s.ccdestroy("--progress", "nonsense")
	if r.code != 1 || !s.hasVolume("PROJ_data") || s.last().Outcome != "failed" {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	if !strings.Contains(r.stderr, "nonsense") || strings.Contains(r.stderr, "docker rm") {
		t.Errorf("it says\n%s", r.stderr)
	}
}

// After a partial teardown with an export, and after one of everything, what is
// offered brings back what went.
func TestToBringBack(t *testing.T) {
	t.Parallel()
	for _, c := range append(holders[:1:1], holders[4], struct {
		name string
		hold [][]string
	}{"nobody", up}) {
		for label, args := range map[string][]string{"To bring the volumes back": {"--export", "saved copies"}, "Undo until": {"--keep-for", "1h"}} {
			t.Run(fmt.Sprintf("%s, %s", c.name, args[0]), func(t *testing.T) {
				t.Parallel()
				s := heldBack(t, c.hold)
				r := s.ccdestroy(args...)
				want := map[bool]int{true: 0, false: 3}[c.name == "nobody"]
				if r.code != want || s.hasVolume("PROJ_uploads") {
					t.Fatalf("exit %d\n%s", r.code, r.stderr)
				}
				back := s.obey(r.stderr, label)
				if s.held("PROJ_uploads") != "uploads" || s.held("PROJ_data") != "data" {
					t.Errorf("%q, %q", s.held("PROJ_uploads"), s.held("PROJ_data"))
				}
				if label == "Undo until" && want == 0 {
					s.obey(back.stderr, "To run it again")
					if !slices.Contains(s.running(), s.name+"-web-1") {
						t.Errorf("running: %q", s.running())
					}
				}
			})
		}
	}
}

// What a refused restore offers restores.
func TestRestoreRemedies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		now    [][]string // docker commands after the export
		labels []string
		says   string
		aside  bool // what is there stays
	}{
		{name: "content", says: "has content"},
		{name: "in use by a project", now: up, says: "is in use by PROJ-web-1"},
		{name: "in use by a container", now: then(nil, "run --detach --name PROJ-other --network none --volume PROJ_data:/x IMAGE"), says: "is in use by PROJ-other"},
		{name: "in use by both", now: then(up, "create --name PROJ-other --network none --volume PROJ_data:/x IMAGE"), says: "is in use by PROJ-other, PROJ-web-1"},
		{name: "protected", labels: []string{protectLabel}, says: "is protected by", aside: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(single))
			s.docker(slices.Concat([]string{"volume", "create"}, c.labels, []string{"PROJ_data"})...)
			s.fill("PROJ_data", "saved")
			export := s.exported(s.name + "_data")
			s.fill("PROJ_data", "later")
			for _, args := range c.now {
				s.docker(slices.Clone(args)...)
			}
			r := s.ccdestroy("restore", export, s.name+"_data", "--reason", "a rehearsal")
			for _, name := range strings.Split(strings.TrimPrefix(s.expand(c.says), "is in use by "), ", ") {
				if r.code != 5 || !strings.Contains(r.stderr, name) || s.held("PROJ_data") != "later" {
					t.Fatalf("exit %d, without %q\n%s", r.code, name, r.stderr)
				}
			}
			s.obey(r.stderr, "Try")
			data, beside := s.held("PROJ_data"), "PROJ_data-restored"
			if c.aside && (data != "later" || s.held(beside) != "saved") || !c.aside && data != "saved" {
				t.Errorf("%q, and beside it %q", data, s.held(beside))
			}
		})
	}
}
