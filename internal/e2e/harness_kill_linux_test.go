package e2e

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// maxTurns bounds how often other processes are let past before a kill.
const maxTurns = 200

// killedAt runs ccdestroy and kills it with SIGKILL right after it was seen in a
// phase, and some turns of the scheduler later.
func (s *stack) killedAt(p phase, args ...string) {
	s.t.Helper()
	w := s.begin(s.command("", binary, args...), p)
	defer w.engine.stop()
	waitFor(s.t, p.name, func() bool { return w.killIn(p) || p.seen(w) })
}

// begin starts an operation of which a phase is to be seen.
func (s *stack) begin(cmd *exec.Cmd, p phase) *watched {
	s.t.Helper()
	w := &watched{s: s, cmd: cmd, engine: listen(s.t, s.api, s.name), found: map[string]bool{}, done: make(chan struct{})}
	w.before, _ = os.ReadFile(s.logPath())
	for _, path := range s.matching(p.pattern) {
		w.found[path] = true
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { _ = cmd.Wait(); close(w.done) }()
	return w
}

// killIn waits until the operation is seen in a phase, and kills it, or until it
// has ended without; it reports which.
func (w *watched) killIn(p phase) bool {
	w.s.t.Helper()
	limit := time.After(patience)
	for !p.seen(w) {
		select {
		case <-w.done:
			return false
		case <-limit:
			_ = w.cmd.Process.Kill()
			w.s.t.Fatalf("waited %s for %q: neither it has ended nor %s", patience, w.cmd.Args, p.name)
		case <-time.After(100 * time.Microsecond):
		}
	}
	for range rand.IntN(maxTurns) {
		_, _, _ = unix.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	}
	_ = w.cmd.Process.Kill()
	<-w.done
	return true
}

// tally counts, for each phase, how the operations ended that were killed in it.
type tally struct {
	mu     sync.Mutex // guards counts
	counts map[string]map[string]int
}

func (c *tally) add(p phase, how string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]map[string]int{}
	}
	if c.counts[p.name] == nil {
		c.counts[p.name] = map[string]int{}
	}
	c.counts[p.name][how]++
}

// settledAs says whether reconcile settled an operation, and how, for a tally.
func settledAs(last event) string {
	if last.Details.Settled == "reconcile" {
		return "settled " + last.Outcome
	}
	return "had ended: " + last.Outcome
}

// cutOff fails the test unless some operations were cut off in each of the
// phases, so that reconcile had to settle them.
func (c *tally) cutOff(t *testing.T, phases ...phase) {
	t.Helper()
	for name, how := range c.counts {
		t.Logf("killed when %s: %v", name, how)
	}
	for _, p := range phases {
		n := 0
		for how, count := range c.counts[p.name] {
			if strings.HasPrefix(how, "settled ") {
				n += count
			}
		}
		if n == 0 {
			t.Errorf("nothing was cut off when %s", p.name)
		}
	}
}
