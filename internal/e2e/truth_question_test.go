package e2e

import (
	"slices"
	"strings"
	"testing"
)

// half has a service that is not up yet, with a volume of its own.
const half = `
name: PROJ
services:
  web:
    image: IMAGE
    volumes: [data:/data]
  job:
    image: IMAGE
    volumes: [late:/late]
volumes:
  data:
  late:
`

// remake destroys a volume with what holds it and makes another of its name.
func (s *stack) remake(volume, container string, labels ...string) {
	s.t.Helper()
	s.docker("rm", "--force", container)
	s.docker("volume", "rm", volume)
	s.docker(append(append([]string{"volume", "create"}, labels...), volume)...)
}

const protectLabel = "--label=ccdestroy.protect=true"

// What moves while the question stands is shown and asked about again, as far as
// it makes more go; what is protected is refused. Nothing goes that was not shown,
// and the record has what went.
func TestWorldMovesAtTheQuestion(t *testing.T) {
	for _, c := range []struct {
		name    string
		before  []string // docker command
		moves   func(*stack)
		again   string // the change that the second question shows; "" is no question
		no      bool   // the answer to the second question
		remote  bool   // the engine is not this host's: no volume's birth is seen
		code    int
		outcome string
		lost    []string
		says    string
	}{
		{name: "a new volume", moves: func(s *stack) { s.docker("volume", "create", "PROJ_late") }, again: "volume PROJ_late is new",
			outcome: "success", lost: []string{"PROJ_data", "PROJ_late"}},
		{name: "a new volume, and no", moves: func(s *stack) { s.docker("volume", "create", "PROJ_late") }, again: "volume PROJ_late is new", no: true,
			code: 4, outcome: "cancelled"},
		{name: "a new volume that is protected", moves: func(s *stack) { s.docker("volume", "create", protectLabel, "PROJ_late") },
			code: 5, outcome: "failed", says: "protected by the label ccdestroy.protect=true: volume PROJ_late"},
		{name: "made again", moves: func(s *stack) { s.remake("PROJ_data", "PROJ-web-1") }, again: "volume PROJ_data was made again",
			outcome: "success", lost: []string{"PROJ_data"}},
		{name: "made again, and no", moves: func(s *stack) { s.remake("PROJ_data", "PROJ-web-1") }, again: "volume PROJ_data was made again", no: true,
			code: 4, outcome: "cancelled"},
		{name: "made again on an engine elsewhere", moves: func(s *stack) { s.remake("PROJ_data", "PROJ-web-1") }, again: "volume PROJ_data was made again", remote: true,
			outcome: "success", lost: []string{"PROJ_data"}},
		{name: "made again, protected", moves: func(s *stack) { s.remake("PROJ_data", "PROJ-web-1", protectLabel) },
			code: 5, outcome: "failed", says: "protected by the label ccdestroy.protect=true: volume PROJ_data"},
		{name: "a service comes up", moves: func(s *stack) { s.docker("compose", "up", "--detach", "job") }, again: "container PROJ-job-1 is new",
			outcome: "success", lost: []string{"PROJ_data", "PROJ_late"}},
		{name: "a stranger holds it", moves: func(s *stack) { s.docker("create", "--name", "PROJ-stranger", "--volume", "PROJ_data:/d", "IMAGE") },
			code: 3, outcome: "partial"},
		{name: "one goes by itself", before: []string{"volume", "create", "PROJ_late"}, moves: func(s *stack) { s.docker("volume", "rm", "PROJ_late") },
			outcome: "success", lost: []string{"PROJ_data"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(half))
			s.docker("compose", "up", "--detach", "web")
			if c.before != nil {
				s.docker(slices.Clone(c.before)...)
			}
			var args []string
			if c.remote {
				args = append(args, "-H", newGate(t, nil).host())
			}
			p := s.terminal(args...)
			p.waitText(question)
			c.moves(s)
			p.send(s.name + "\n")
			answered, asked := len(p.seen()), 1
			if p.asks(question, 2) {
				asked++
				if !p.shows(s.expand(c.again)) {
					t.Errorf("the second question does not show %q:\n%s", s.expand(c.again), p.seen())
				}
				p.send(map[bool]string{false: s.name, true: ""}[c.no] + "\n")
			}
			code, last, first := p.wait(), s.last(), s.events()[0]
			if want := map[bool]int{false: 2, true: 1}[c.again == ""]; asked != want {
				t.Errorf("asked %d times, want %d:\n%s", asked, want, p.seen()[answered:])
			}
			if code != c.code || last.Outcome != c.outcome || last.Details.Confirmation != "typed" && c.code != 5 {
				t.Errorf("exit %d, %s, confirmed %q\n%s", code, last.Outcome, last.Details.Confirmation, p.seen())
			}
			if !p.shows(s.expand(c.says)) {
				t.Errorf("the screen lacks %q:\n%s", s.expand(c.says), p.seen())
			}
			s.recordsTruly(first, last, c.lost)
			for _, name := range last.DataAffected {
				if !strings.Contains(p.seen(), name) {
					t.Errorf("%s went and was not shown", name)
				}
			}
		})
	}
}

// recordsTruly holds the record of a teardown of half against the engine: what is
// said to be lost, and was announced, is what has gone.
func (s *stack) recordsTruly(first, last event, lost []string) {
	s.t.Helper()
	want := []string{}
	for _, name := range lost {
		want = append(want, s.expand(name))
	}
	if !slices.Equal(last.DataAffected, want) {
		s.t.Errorf("recorded as lost: %q, want %q", last.DataAffected, want)
	}
	if first.Outcome == "pending" && !slices.Equal(first.DataAffected, want) {
		s.t.Errorf("announced: %q, went: %q", first.DataAffected, want)
	}
	for _, name := range want {
		if s.hasVolume(name) {
			s.t.Errorf("%s is recorded as lost and is there", name)
		}
	}
	if len(want) == 0 && !s.hasVolume("PROJ_data") {
		s.t.Error("the volume is gone")
	}
}
