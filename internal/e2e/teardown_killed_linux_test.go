package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// kills is how many teardowns are killed at random moments.
const kills = 56

// TestKilledAnywhere kills teardowns with SIGKILL at random moments. Nothing
// goes without a pending event; and reconcile settles each as the engine shows
// it, also when a volume was made again under its name meanwhile.
func TestKilledAnywhere(t *testing.T) {
	counts, mu := map[string]int{}, sync.Mutex{}
	t.Run("all", func(t *testing.T) {
		for part := range 4 {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				s := newStack(t, one(double))
				for range kills / 4 {
					how := s.killedSomewhere()
					mu.Lock()
					counts[how]++
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("%d teardowns killed: %v", kills, counts)
	if counts["settled failed"]+counts["settled partial"]+counts["settled success"] < 5 {
		t.Errorf("hardly any was cut off: %v", counts)
	}
}

// killedSomewhere kills one teardown, checks what is recorded of it, and says
// what it was.
func (s *stack) killedSomewhere() string {
	s.t.Helper()
	s.docker("compose", "up", "--detach")
	before, known := s.objects(context.Background()), len(s.events())
	cmd := s.command("", binary)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(time.Duration(20+rand.IntN(600)) * time.Millisecond) // any moment will do
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
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
	s.compareWith(last, vanished, len(before))
	if r := s.ccdestroy("audit", "verify"); r.code != 0 || strings.Contains(r.stdout, "unfinished") {
		s.t.Fatalf("verify: exit %d\n%s", r.code, r.stdout)
	}
	if last.Details.Settled == "reconcile" {
		return "settled " + last.Outcome
	}
	return "had ended: " + last.Outcome
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
