package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// kills is how many teardowns are killed, each phase in turn.
const kills = 64

// TestKilledAnywhere kills teardowns with SIGKILL in every phase. Nothing goes
// without a pending event; and reconcile settles each as the engine shows it,
// also when a volume was made again under its name meanwhile.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	phases := []phase{started, logOpened, begun, childRuns, containerDied, containerGone, volumeGone, ended}
	var found tally
	t.Run("all", func(t *testing.T) {
		for part := range 4 {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				s := newStack(t, one(double))
				for i := range kills / 4 {
					p := phases[(part+i)%len(phases)]
					found.add(p, s.killedIn(p))
				}
			})
		}
	})
	found.cutOff(t, begun, childRuns, containerDied, containerGone, volumeGone)
}

// killedIn kills one teardown, checks what is recorded of it, and says what it
// was.
func (s *stack) killedIn(p phase) string {
	s.t.Helper()
	s.docker("compose", "up", "--detach")
	before, known := s.objects(context.Background()), len(s.events())
	s.killedAt(p)
	vanished := s.atRest(before)
	recorded := s.events()[known:]
	switch {
	case len(recorded) == 0:
		if len(vanished) > 0 {
			s.t.Fatalf("%q vanished without a record", vanished)
		}
		return "nothing begun"
	case len(vanished) > 0 && recorded[0].Outcome != "pending":
		s.t.Fatalf("%q vanished without a pending event", vanished)
	}
	if rand.IntN(2) == 0 {
		for _, volume := range []string{"PROJ_one", "PROJ_two"} {
			if slices.Contains(vanished, "volume "+volume) {
				s.docker("volume", "create", volume)
			}
		}
	}
	if r := s.ccdestroy("reconcile"); r.code != 0 {
		s.t.Fatalf("reconcile: exit %d\n%s", r.code, r.stderr)
	}
	last := s.last()
	s.compareWith(last, before, vanished)
	if r := s.ccdestroy("audit", "verify"); r.code != 0 || strings.Contains(r.stdout, "unfinished") {
		s.t.Fatalf("verify: exit %d\n%s", r.code, r.stdout)
	}
	return settledAs(last)
}

func TestChildKilled(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(strings.Replace(slow, "QUICK", quick, 1)))
	s.docker("compose", "up", "--detach")
	before := s.objects(context.Background())
	cmd := s.command("", binary)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the quick container to go", func() bool { return !s.has("PROJ-quick-1") })
	pid := child(cmd.Process.Pid)
	if pid == 0 {
		t.Fatal("no child")
	}
	if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	last := s.last()
	if code := cmd.ProcessState.ExitCode(); code != 3 || last.Outcome != "partial" || last.Details.ExitCode == nil || *last.Details.ExitCode != -1 {
		t.Errorf("exit %d, outcome %q, exit_code %v", code, last.Outcome, last.Details.ExitCode)
	}
	if got := s.vanished(before); !slices.Equal(got, []string{"container PROJ-quick-1"}) {
		t.Errorf("vanished %q", got)
	}
}
