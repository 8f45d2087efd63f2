package e2e

import (
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// On a terminal the history goes through the pager that the user chose, and
// elsewhere it does not.
func TestPager(t *testing.T) {
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	if r := s.ccdestroy(); r.code != 0 {
		t.Fatal(r.stderr)
	}
	base := s.env
	for _, c := range []struct {
		env     []string
		args    []string
		has     string
		without string
		code    int
	}{
		{[]string{"PAGER=sed 's/^/PAGED /'"}, nil, "PAGED ID ", "", 0},
		{[]string{"PAGER=false", "CCDESTROY_PAGER=sed 's/^/OURS /'"}, nil, "OURS ID ", "", 0},
		{[]string{"PAGER=sed 's/^/PAGED /'"}, []string{"--no-pager"}, "OPERATION", "PAGED", 0},
		{[]string{"PAGER=sed 's/^/PAGED /'", "CCDESTROY_NO_PAGER=true"}, nil, "OPERATION", "PAGED", 0},
		{[]string{"PAGER=cat"}, nil, "OPERATION", "", 0},
		{[]string{"PAGER="}, nil, "OPERATION", "", 0},
		{[]string{"PAGER=cat >/dev/null; echo $LESS"}, nil, "FRX", "OPERATION", 0},
		{[]string{"PAGER=head -n 1"}, []string{"-n", "0", "--format", "wide"}, "ENGINE", "", 0},
		{[]string{"PAGER=no-such-pager"}, nil, "no-such-pager", "", 1},
	} {
		s.env = append(base[:len(base):len(base)], c.env...)
		p := s.terminal(append([]string{"audit"}, c.args...)...)
		if code := p.wait(); code != c.code || !strings.Contains(p.seen(), c.has) || c.without != "" && strings.Contains(p.seen(), c.without) {
			t.Errorf("%q %q: exit %d\n%s", c.env, c.args, code, p.seen())
		}
		if r := s.ccdestroy(append([]string{"audit"}, c.args...)...); r.code != 0 || strings.Contains(r.stdout, "PAGED") || strings.Contains(r.stdout, "\x1b") {
			t.Errorf("%q into a pipe: exit %d\n%s", c.env, r.code, r.stdout)
		}
	}
}

// Somebody who has seen enough is no error.
func TestEnoughSeen(t *testing.T) {
	s := newStack(t, nil)
	r := run(t, s.command("", "bash", "-c", "set -o pipefail; "+binary+" man | true"))
	if r.code != 141 || r.stderr != "" {
		t.Errorf("exit %d %s", r.code, r.stderr)
	}
}

// buffer is a place that a process writes to and a test reads from.
type buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// --follow shows each event as it is recorded, also of a log that is not there
// yet and of one that is replaced, until Ctrl-C.
func TestFollow(t *testing.T) {
	s := newStack(t, one(single))
	var out, errs buffer
	cmd := s.command("", binary, "audit", "--follow", "--format", "jsonl")
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	down := func(outcome string, times int) {
		t.Helper()
		s.docker("compose", "up", "--detach")
		if r := s.ccdestroy(); r.code != 0 {
			t.Fatal(r.stderr)
		}
		waitFor(t, "the events", func() bool { return strings.Count(out.String(), `"outcome":"`+outcome+`"`) == times })
	}
	waitFor(t, "it to look for the log", func() bool { return strings.Contains(errs.String(), "No audit log") })
	down("success", 1)
	down("success", 2)
	if got := strings.Count(out.String(), `"outcome":"pending"`); got != 2 {
		t.Errorf("%d pending events", got)
	}
	if err := os.Remove(s.logPath()); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the removal", func() bool { return strings.Contains(errs.String(), "cut, replaced or removed") })
	down("success", 3)
	_ = cmd.Process.Signal(syscall.SIGINT)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit %d\n%s", code, errs.String())
	}
}
