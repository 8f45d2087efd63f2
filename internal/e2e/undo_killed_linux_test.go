package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// keptKills is how many teardowns are killed with their volumes set aside, each
// way, and undone again under kills.
func keptKills() int {
	if testing.Short() {
		return 9
	}
	return 50
}

// Wherever a teardown that keeps, or an undo, is killed: each volume's data is in
// one place, reconcile puts it where it belongs, the record says so, and an undo
// brings all of it back.
func TestKeptAndKilled(t *testing.T) {
	t.Parallel()
	found := map[string]*tally{"directly": {}, "helper": {}}
	var back tally // both ways: an undo without a helper is over in milliseconds
	t.Run("all", func(t *testing.T) {
		for part := range 4 {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				ways(t, func(t *testing.T, newStack func(map[string]string) *stack) {
					s, of := newStack(one(double)), found[filepath.Base(t.Name())]
					downs := s.keptPhases()
					for i := part; i < keptKills(); i += 4 {
						s.keptAndKilled(i, downs, of, &back)
					}
				})
			})
		}
	})
	if testing.Short() {
		return
	}
	back.cutOff(t, begun)
	for _, down := range found {
		if len(down.counts) > 0 {
			down.cutOff(t, begun, keptAside, childRuns, containerDied, containerGone)
		}
	}
}

// keptPhases are those of a teardown that keeps, in their order.
func (s *stack) keptPhases() []phase {
	entry := made(filepath.Join(s.trashDir(), "*", s.name+"_*", "entry.json"))
	aside := made(filepath.Join(s.trashDir(), "*", s.name+"_*", "_data"))
	entry.name, aside.name = "an entry of the trash is there", keptAside.name
	return []phase{started, begun, entry, aside, childRuns, containerDied, containerGone, volumeGone, ended}
}

// keptAside is the name of the phase in which a volume is set aside, for tallies.
var keptAside = phase{name: "a volume is in the trash"}

// keptAndKilled is one trial.
func (s *stack) keptAndKilled(i int, downs []phase, down, back *tally) {
	s.t.Helper()
	backs := []phase{logOpened, begun, volumeMade, ended}
	s.docker("compose", "up", "--detach")
	for _, v := range []string{"one", "two"} {
		if err := os.WriteFile(filepath.Join(s.mountpoint("PROJ_"+v), "mark"), fmt.Append(nil, s.name, v, i), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	p, known := downs[i%len(downs)], len(s.events())
	s.killedAt(p, "--keep-for", "1h")
	down.add(p, s.settledKept(i, known))
	if len(s.trash()) > 0 {
		p, known = backs[i/2%len(backs)], len(s.events())
		w := s.begin(s.command("", binary, "undo"), p)
		w.killIn(p)
		w.engine.stop()
		back.add(p, s.settledKept(i, known))
	}
	if len(s.trash()) > 0 {
		s.undoes()
	}
	for _, v := range []string{"one", "two"} {
		if at := s.marks(v, i); len(at) != 1 || !strings.HasPrefix(at[0], "volumes/") {
			s.t.Fatalf("trial %d: volume %s is at the end in %q", i, v, at)
		}
	}
	if r := s.ccdestroy("audit", "verify"); len(s.events()) > 0 && (r.code != 0 || strings.Contains(r.stdout, "unfinished")) {
		s.t.Fatalf("verify: exit %d\n%s", r.code, r.stdout)
	}
	s.docker("compose", "down", "--volumes")
}

// marks are where the data of a volume of a trial is, below the docker root.
func (s *stack) marks(volume string, trial int) (at []string) {
	root := filepath.Dir(filepath.Dir(s.trashDir()))
	for _, pattern := range []string{"volumes/" + s.name + "_*/_data/mark", "ccdestroy-trash/v1/*/" + s.name + "_*/_data/mark"} {
		found, _ := filepath.Glob(filepath.Join(root, pattern))
		for _, path := range found {
			if text, err := os.ReadFile(path); err == nil && string(text) == fmt.Sprint(s.name, volume, trial) {
				where, _ := filepath.Rel(root, filepath.Dir(path))
				at = append(at, where)
			}
		}
	}
	return at
}

// settledKept settles what was killed, holds the record against the places of the
// data, and says how it was settled.
func (s *stack) settledKept(trial, known int) string {
	s.t.Helper()
	waitFor(s.t, "the child to end", func() bool { return !worksIn(s.dir) })
	if r := s.ccdestroy("reconcile"); r.code != 0 {
		s.t.Fatalf("trial %d: reconcile: exit %d\n%s", trial, r.code, r.stderr)
	}
	all := s.events()
	where := map[string]string{}
	for _, v := range []string{"one", "two"} {
		at := s.marks(v, trial)
		if len(at) != 1 {
			s.t.Fatalf("trial %d: the data of volume %s is in %q", trial, v, at)
		}
		where[v] = at[0]
		if in, there := strings.CutPrefix(at[0], "volumes/"); there != s.hasVolume("PROJ_"+v) && len(all) > known && all[len(all)-1].Operation == "destroy" {
			s.t.Fatalf("trial %d: volume %s is there: %t, and its data in %q", trial, v, !there, in)
		}
	}
	if len(all) == known {
		return "nothing begun"
	}
	last := all[len(all)-1]
	told := last.Details.Kept
	for _, v := range []string{"one", "two"} {
		name := s.name + "_" + v
		inTrash := strings.HasPrefix(where[v], "ccdestroy-trash/")
		listed := slices.ContainsFunc(told, func(k struct{ Name, Until, Operation, As string }) bool { return k.Name == name })
		back := slices.ContainsFunc(last.Details.Undone, func(k struct{ Name, Until, Operation, As string }) bool { return k.Name == name })
		switch {
		case last.Operation == "destroy" && inTrash != listed, last.Operation == "destroy" && inTrash != slices.Contains(last.DataAffected, name),
			last.Operation == "undo" && last.Outcome != "failed" && inTrash == back:
			s.t.Fatalf("trial %d: volume %s is in the trash: %t, and recorded is %+v", trial, v, inTrash, last)
		}
	}
	return settledAs(last)
}
