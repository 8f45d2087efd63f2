package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// scenario is a stack and one way of tearing it down. It is set up and torn
// down twice, once with docker compose and once with ccdestroy: both must leave
// the same behind, and the record must say what vanished.
type scenario struct {
	name  string
	files map[string]string
	env   []string     // added to the environment of everything
	ready func(*stack) // runs before setup
	setup [][]string   // docker commands
	after func(*stack)
	sub   string   // directory to tear down from
	flags []string // of compose, spelled alike by both
	down  []string // of down, spelled alike by both
	named []string // services
	stdin string   // file for standard input

	composeExit int
	exit        int
	outcome     string            // "" means that nothing is recorded
	mode        string            // "" means files
	lost        []string          // aliases of the volumes that go, sorted
	fates       map[string]string // "kind alias" -> "removed", or "kept" and a part of the reason
	// open: which of the resources goes is up to the engine, so that neither
	// the two runs nor the prediction need agree.
	open bool
	// podman changes what is expected of Podman, and unable says what it takes that
	// Podman does not do.
	podman func(*scenario)
	unable string
	// race is what the engine says when two of Compose's own requests meet. It is
	// up to chance, so that the scenario is played again.
	race  string
	check func(*testing.T, *stack, result, []event)
}

func (sc scenario) setUp(t *testing.T) *stack {
	t.Helper()
	s := newStack(t, sc.files)
	for _, v := range sc.env {
		s.env = append(s.env, s.expand(v))
	}
	if sc.ready != nil {
		sc.ready(s)
	}
	for _, args := range sc.setup {
		s.docker(slices.Clone(args)...)
	}
	if sc.after != nil {
		sc.after(s)
	}
	return s
}

func (sc scenario) expand(s *stack, args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = s.expand(a)
	}
	return out
}

func (sc scenario) run(t *testing.T, s *stack, cmd *exec.Cmd) result {
	t.Helper()
	if sc.stdin != "" {
		cmd.Stdin = strings.NewReader(s.expand(sc.files[sc.stdin]))
	}
	return run(t, cmd)
}

// raced reports whether Compose was in its own way.
func (sc scenario) raced(t *testing.T, r result) bool {
	t.Helper()
	if sc.race == "" || r.code == 0 || !strings.Contains(r.stderr, sc.race) {
		return false
	}
	t.Logf("Compose was in its own way: %s", sc.race)
	return true
}

// plain tears down with docker compose itself.
func (sc scenario) plain(t *testing.T) []string {
	t.Helper()
	s := sc.setUp(t)
	before := s.objects(context.Background())
	args := append(sc.expand(s, sc.flags), "down", "-v")
	args = append(append(args, sc.expand(s, sc.down)...), sc.named...)
	planned := sc.plan(t, s, args)
	r := sc.run(t, s, s.command(sc.sub, "docker", append([]string{"compose"}, args...)...))
	planned()
	if sc.raced(t, r) {
		return sc.plain(t)
	}
	if r.code != sc.composeExit {
		t.Errorf("docker compose down -v: exit %d, want %d\n%s", r.code, sc.composeExit, r.stderr)
	}
	return s.vanished(before)
}

func (sc scenario) test(t *testing.T) {
	t.Parallel()
	if onPodman {
		need.That(t, sc.unable, sc.unable == "")
		if sc.podman != nil {
			sc.podman(&sc)
		}
	}
	sc.ours(t, sc.plain(t))
}

// ours tears down with ccdestroy, after which has to be gone what Compose removed.
func (sc scenario) ours(t *testing.T, want []string) {
	t.Helper()
	s := sc.setUp(t)
	before := s.objects(context.Background())
	var args []string
	if len(sc.named) > 0 {
		args = append(args, "down")
	}
	args = append(append(args, sc.expand(s, sc.flags)...), sc.expand(s, sc.down)...)
	r := sc.run(t, s, s.command(sc.sub, binary, append(args, sc.named...)...))
	if sc.raced(t, r) {
		sc.ours(t, want)
		return
	}
	if r.code != sc.exit {
		t.Errorf("exit %d, want %d\n%s", r.code, sc.exit, r.stderr)
	}
	got := s.vanished(before)
	if !sc.open && !slices.Equal(got, want) {
		t.Errorf("not what Compose does:\n compose %q\n    ours %q", want, got)
	}
	events := sc.events(s)
	if sc.outcome == "" {
		if len(events) > 0 {
			t.Errorf("recorded %d events, want none", len(events))
		}
		return
	}
	if len(events) == 0 {
		t.Fatalf("nothing was recorded\n%s", r.stderr)
	}
	sc.compare(t, s, before, got, events)
	if sc.check != nil {
		sc.check(t, s, r, events)
	}
}

// events finds the log wherever the scenario put it below the test's directory.
func (sc scenario) events(s *stack) []event {
	s.t.Helper()
	out, err := exec.Command("find", s.dir, "-name", "audit.jsonl").Output()
	if err != nil {
		s.t.Fatal(err)
	}
	paths := strings.Fields(string(out))
	switch len(paths) {
	case 0:
		return nil
	case 1:
		return eventsIn(s.t, filepath.Clean(paths[0]))
	}
	s.t.Fatalf("more than one log: %q", paths)
	return nil
}

// compare holds the record against the engine.
func (sc scenario) compare(t *testing.T, s *stack, before []object, vanished []string, events []event) {
	t.Helper()
	last := events[len(events)-1]
	if last.Outcome != sc.outcome {
		t.Errorf("outcome %q, want %q (%s)", last.Outcome, sc.outcome, last.Details.Error)
	}
	if mode := map[string]string{"": "files", "none": "", "labels": "labels"}[sc.mode]; last.Details.Mode != mode {
		t.Errorf("mode %q, want %q", last.Details.Mode, mode)
	}
	if ran := last.Details.Executed == ""; last.Details.Mode != "" && ran != throughDocker {
		t.Errorf("docker itself ran: %t (%q), want %t", ran, last.Details.Executed, throughDocker)
	}
	affected := []string{}
	for _, name := range last.DataAffected {
		affected = append(affected, "volume "+s.alias(before, name))
	}
	slices.Sort(affected)
	gone := slices.DeleteFunc(slices.Clone(vanished), func(v string) bool { return !strings.HasPrefix(v, "volume ") })
	if !slices.Equal(affected, gone) {
		t.Errorf("data_affected does not equal the volumes that vanished:\n recorded %q\n vanished %q", affected, gone)
	}
	if !sc.open {
		lost := []string{}
		for _, name := range sc.lost {
			lost = append(lost, "volume "+name)
		}
		if !slices.Equal(gone, lost) {
			t.Errorf("volumes that vanished:\n got %q\nwant %q", gone, lost)
		}
	}
	sc.compareFates(t, s, before, vanished, last)
}

func (sc scenario) compareFates(t *testing.T, s *stack, before []object, vanished []string, last event) {
	t.Helper()
	seen := map[string]string{}
	for _, r := range last.Details.Resources {
		name := strings.ReplaceAll(r.Name, s.name, "PROJ")
		switch r.Kind {
		case "volume":
			name = s.alias(before, r.Name)
		case "container":
			name = runID.ReplaceAllString(name, "-run")
		}
		key := r.Kind + " " + name
		seen[key] = strings.ReplaceAll(strings.TrimSpace(r.Fate+" "+r.Reason), s.name, "PROJ")
		if r.Kind == "bind" || sc.open {
			continue
		}
		if went := slices.Contains(vanished, key); went != (r.Fate == "removed") {
			t.Errorf("%s: predicted %s (%s), went: %v", key, r.Fate, r.Reason, went)
		}
		if went := r.Result == "gone" || r.Result == "remade"; went != slices.Contains(vanished, key) {
			t.Errorf("%s: recorded as %s", key, r.Result)
		}
	}
	for _, v := range vanished {
		if _, ok := seen[v]; !ok {
			t.Errorf("%s vanished and is not in the inventory", v)
		}
	}
	for key, want := range sc.fates {
		fate, reason, _ := strings.Cut(want, " ")
		if got, ok := seen[key]; !ok || !strings.HasPrefix(got, fate) || !strings.Contains(got, reason) {
			t.Errorf("%s: fate %q, want %q (have %v)", key, got, want, seen)
		}
	}
}

func TestDifferential(t *testing.T) {
	t.Parallel()
	for _, sc := range slices.Concat(volumeScenarios, serviceScenarios, fileScenarios, otherScenarios) {
		t.Run(sc.name, sc.test)
	}
}
