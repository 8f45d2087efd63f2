package e2e

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
)

// cancel is how a question for a word ends.
const cancel = ", or Enter to cancel: "

// What moves while prune asks stays, and what has gone by itself is not claimed:
// nothing goes that was not shown. Only volumes with a label of this test's own
// are taken.
func TestWorldMovesWhilePruneAsks(t *testing.T) {
	for _, c := range []struct {
		name   string
		moves  [][]string // docker commands
		answer string
		code   int
		lost   []string
	}{
		{"nothing, and no", nil, "", 4, nil},
		{"a new volume", [][]string{{"volume", "create", "--label=PROJ", "PROJ_late"}}, "prune", 0, []string{"PROJ_a", "PROJ_b"}},
		{"made again", [][]string{{"volume", "rm", "PROJ_a"}, {"volume", "create", "--label=PROJ", "PROJ_a"}}, "prune", 0, []string{"PROJ_b"}},
		{"made again, protected", [][]string{{"volume", "rm", "PROJ_a"}, {"volume", "create", "--label=PROJ", protectLabel, "PROJ_a"}}, "prune", 0, []string{"PROJ_b"}},
		{"one comes into use", [][]string{{"create", "--name=PROJ-user", "--volume=PROJ_a:/a", "IMAGE"}}, "prune", 0, []string{"PROJ_b"}},
		{"one goes by itself", [][]string{{"volume", "rm", "PROJ_a"}}, "prune", 0, []string{"PROJ_b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, nil)
			s.docker("volume", "create", "--label=PROJ", "PROJ_a")
			s.docker("volume", "create", "--label=PROJ", "PROJ_b")
			p := s.terminal("prune", "--all", "--filter", "label="+s.name)
			p.asks(cancel, 1)
			for _, args := range c.moves {
				s.docker(slices.Clone(args)...)
			}
			p.send(c.answer + "\n")
			if p.asks(cancel, 2) {
				t.Fatalf("asked again:\n%s", p.seen())
			}
			if code := p.wait(); code != c.code {
				t.Errorf("exit %d, want %d\n%s", code, c.code, p.seen())
			}
			s.prunedTruly(c.code, c.lost)
		})
	}
}

// prunedTruly holds the record of a prune against the engine.
func (s *stack) prunedTruly(code int, lost []string) {
	s.t.Helper()
	all := s.events()
	if len(all) == 0 {
		s.t.Error("nothing is recorded")
		return
	}
	want := []string{}
	for _, name := range lost {
		want = append(want, s.expand(name))
	}
	last := all[len(all)-1]
	if outcome := map[int]string{0: "success", 4: "cancelled"}[code]; last.Operation != "prune" || last.Outcome != outcome || last.Details.Confirmation != "typed" {
		s.t.Errorf("%s %s, confirmed %q", last.Operation, last.Outcome, last.Details.Confirmation)
	}
	if first := all[0]; !slices.Equal(last.DataAffected, want) || first.Outcome == "pending" && !slices.Equal(first.DataAffected, want) {
		s.t.Errorf("announced %q, lost %q, want %q", first.DataAffected, last.DataAffected, want)
	}
	for _, name := range want {
		if s.hasVolume(name) {
			s.t.Errorf("%s is recorded as lost and is there", name)
		}
	}
	for _, name := range []string{"PROJ_a", "PROJ_b"} {
		if len(want) == 0 && !s.hasVolume(name) {
			s.t.Errorf("%s is gone", name)
		}
	}
}

// What moves while restore asks whether volumes may be overwritten: nothing is
// removed that was not shown.
func TestWorldMovesWhileRestoreAsks(t *testing.T) {
	remade := func(labels ...string) func(*stack) {
		return func(s *stack) {
			s.docker("volume", "rm", "PROJ_a")
			s.docker(append(append([]string{"volume", "create"}, labels...), "PROJ_a")...)
			s.fill("PROJ_a", "new")
		}
	}
	for _, c := range []struct {
		name   string
		moves  func(*stack)
		again  string // the change that the second question shows; "" is no question
		answer string // to the last question
		remote bool
		code   int
		says   string
		holds  [2]string // what the volumes hold afterwards
		lost   []string
	}{
		{name: "nothing, and no", moves: func(*stack) {}, code: 4, holds: [2]string{"later", ""}},
		{name: "another volume", moves: remade(), again: "volume PROJ_a was made again", answer: "overwrite", holds: [2]string{"saved", "saved"}, lost: []string{"PROJ_a"}},
		{name: "another volume, and no", moves: remade(), again: "volume PROJ_a was made again", code: 4, holds: [2]string{"new", ""}},
		{name: "another volume on an engine elsewhere", moves: remade(), again: "volume PROJ_a was made again", remote: true, code: 4, holds: [2]string{"new", ""}},
		{name: "a protected one", moves: remade(protectLabel), answer: "overwrite", code: 5, says: "is protected by the label", holds: [2]string{"new", ""}},
		{name: "one that is used", moves: func(s *stack) { s.docker("create", "--name=PROJ-user", "--volume=PROJ_a:/a", "IMAGE") }, answer: "overwrite",
			code: 5, says: "is in use by PROJ-user", holds: [2]string{"later", ""}},
		{name: "one is empty no more", moves: func(s *stack) { s.fill("PROJ_b", "new") }, again: "volume PROJ_b would go now", code: 4, holds: [2]string{"later", "new"}},
		{name: "one goes by itself", moves: func(s *stack) { s.docker("volume", "rm", "PROJ_a") }, answer: "overwrite", holds: [2]string{"saved", "saved"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, nil)
			for _, name := range []string{"PROJ_a", "PROJ_b"} {
				s.docker("volume", "create", name)
				s.fill(name, "saved")
			}
			export := s.exported(s.name+"_a", s.name+"_b")
			s.fill("PROJ_a", "later")
			s.docker("volume", "rm", "PROJ_b")
			s.docker("volume", "create", "PROJ_b")
			known := len(s.events())
			args := []string{"restore", export, "--overwrite"}
			if c.remote {
				args = append(args, "-H", newGate(t, nil).host())
			}
			p := s.terminal(args...)
			p.asks(cancel, 1)
			c.moves(s)
			if c.again == "" {
				p.send(c.answer + "\n")
			} else {
				p.send("overwrite\n")
			}
			asked := 1
			if p.asks(cancel, 2) {
				asked++
				if !p.shows(s.expand(c.again)) {
					t.Errorf("the second question does not show %q:\n%s", s.expand(c.again), p.seen())
				}
				p.send(c.answer + "\n")
			}
			code := p.wait()
			if want := map[bool]int{false: 2, true: 1}[c.again == ""]; asked != want || code != c.code || !p.shows(s.expand(c.says)) {
				t.Errorf("asked %d times, want %d; exit %d, want %d\n%s", asked, want, code, c.code, p.seen())
			}
			for i, name := range []string{"PROJ_a", "PROJ_b"} {
				if got := s.held(name); got != c.holds[i] {
					t.Errorf("%s holds %q, want %q", name, got, c.holds[i])
				}
			}
			s.restoredTruly(s.events()[known:], c.code, c.lost)
		})
	}
}

// held is what a volume holds, "" where it is empty.
func (s *stack) held(volume string) string {
	s.t.Helper()
	return s.docker("run", "--rm", "--volume", volume+":/v", "--network", "none", os.Getenv("CCDESTROY_IMAGE"), "sh", "-c", "cat /v/* 2>/dev/null || true")
}

// restoredTruly holds the events of a restore against what was lost for it.
func (s *stack) restoredTruly(all []event, code int, lost []string) {
	s.t.Helper()
	if len(all) == 0 {
		s.t.Error("nothing is recorded")
		return
	}
	want := []string{}
	for _, name := range lost {
		want = append(want, s.expand(name))
	}
	last := all[len(all)-1]
	if outcome := map[int]string{0: "success", 4: "cancelled", 5: "failed"}[code]; last.Operation != "restore" || last.Outcome != outcome {
		s.t.Errorf("%s %s", last.Operation, last.Outcome)
	}
	if first := all[0]; !slices.Equal(last.DataAffected, want) || first.Outcome == "pending" && !slices.Equal(first.DataAffected, want) {
		s.t.Errorf("announced %q, lost %q, want %q", first.DataAffected, last.DataAffected, want)
	}
}

// Where nobody is asked the world can move as well, between the look and the
// deed: what is another volume then stays, and is not claimed.
func TestWorldMovesUnasked(t *testing.T) {
	for _, c := range []struct {
		name string
		args func(s *stack, export string) []string
		look int // the one before the deed
		code int
		says string
	}{
		{"prune", func(s *stack, _ string) []string {
			return []string{"prune", "--all", "--yes", "--filter", "label=" + s.name}
		}, 3, 0, ""},
		{"restore", func(_ *stack, export string) []string { return []string{"restore", export, "--overwrite", "--yes"} }, 2, 1, "it is another one than before"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, nil)
			s.docker("volume", "create", "--label=PROJ", "PROJ_a")
			s.fill("PROJ_a", "old")
			export := s.exported(s.name + "_a")
			known := len(s.events())
			// The look between the pending event and the deed waits.
			g := newGate(t, func(r *http.Request) bool {
				data, _ := os.ReadFile(s.logPath())
				return requested(r, http.MethodGet, "/volumes") && strings.Count(string(data), "\n") > known
			})
			b := s.start(s.command("", binary, append(c.args(s, export), "-H", g.host())...))
			g.waitHeld()
			old := s.created("PROJ_a")
			s.docker("volume", "rm", "PROJ_a")
			s.createLater(old, "PROJ_a", "--label=PROJ") // through the gate only its time tells them apart
			s.fill("PROJ_a", "new")
			g.open()
			if code := b.wait(); code != c.code || !strings.Contains(b.stderr(), c.says) {
				t.Errorf("exit %d, want %d\n%s", code, c.code, b.stderr())
			}
			if got := s.held("PROJ_a"); got != "new" {
				t.Errorf("the volume holds %q", got)
			}
			if last := s.last(); len(s.events()) != known+2 || last.Outcome == "pending" || len(last.DataAffected) > 0 {
				t.Errorf("%d events; %s, lost %q", len(s.events())-known, last.Outcome, last.DataAffected)
			}
		})
	}
}
