package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

func TestHistory(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	if r := s.ccdestroy("audit", "-n", "20"); r.code != 0 || r.stdout != "" || !strings.Contains(r.stderr, "looked for") {
		t.Errorf("without a log: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if r := s.ccdestroy("audit", "--format", "json"); r.code != 0 || strings.TrimSpace(r.stdout) != "[]" {
		t.Errorf("without a log: exit %d, %q", r.code, r.stdout)
	}
	for range 3 {
		s.docker("compose", "up", "--detach")
		if r := s.ccdestroy("--reason", "a \x1b[31mred\x1b[0m reason"); r.code != 0 {
			t.Fatal(r.stderr)
		}
	}
	r := s.ccdestroy("audit", "-n", "2")
	if r.code != 0 || strings.Count(r.stdout, "\n") != 3 || !strings.Contains(r.stdout, "tester@") {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	r = s.ccdestroy("audit", "--format", "json")
	var records []struct {
		ID, Outcome  string
		Unfinished   bool
		StartedAt    string   `json:"started_at"`
		DataAffected []string `json:"data_affected"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &records); err != nil || len(records) != 3 || records[0].Outcome != "success" || records[0].StartedAt == "" || len(records[0].DataAffected) != 1 {
		t.Errorf("%v: %s", err, r.stdout)
	}
	if r := s.ccdestroy("audit", "--raw", "--format", "jsonl", "-n", "0"); strings.Count(r.stdout, "\n") != 6 {
		t.Errorf("%s", r.stdout)
	}
	if r := s.ccdestroy("audit", "--operation", "prune,export"); r.code != 0 || r.stdout != "" {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	if r := s.ccdestroy("audit", "show", strings.ToLower(records[1].ID)); r.code != 0 || !strings.Contains(r.stdout, records[1].ID) || strings.Contains(r.stdout, "\x1b") || !strings.Contains(r.stdout, `a \x1b[31mred`) {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	if r := s.ccdestroy("audit", "show", "0"); r.code != 1 || !strings.Contains(r.stderr, "3 ids") || !strings.Contains(r.stderr, records[0].ID) {
		t.Errorf("ambiguous: exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("audit", "show", "7ZZZ"); r.code != 1 || !strings.Contains(r.stderr, "no such operation") {
		t.Errorf("unknown: exit %d\n%s", r.code, r.stderr)
	}
	sub := s.command("deep", binary, "audit", "-n", "1")
	need.Run(t, "mkdir", filepath.Join(s.dir, "deep"))
	if r := run(t, sub); r.code != 0 || !strings.Contains(r.stdout, "success") {
		t.Errorf("from a sub-directory: exit %d\n%s", r.code, r.stderr)
	}
}

func TestChosenLog(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	if r := s.ccdestroy("--log", "logs/mine.jsonl"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	if events := eventsIn(t, filepath.Join(s.dir, "logs/mine.jsonl")); len(events) != 2 || s.events() != nil {
		t.Errorf("%d events", len(events))
	}
	s.env = append(s.env, "CCDESTROY_LOG="+filepath.Join(s.dir, "logs/mine.jsonl"))
	if r := s.ccdestroy("audit"); !strings.Contains(r.stdout, "success") {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
	// Even what failed before the project was known is recorded there.
	if r := s.ccdestroy("-f", "nope.yaml"); r.code != 1 {
		t.Errorf("exit %d", r.code)
	}
	if events := eventsIn(t, filepath.Join(s.dir, "logs/mine.jsonl")); len(events) != 3 || events[2].Outcome != "failed" {
		t.Errorf("%d events", len(events))
	}
}

// On a terminal the history goes through the pager that the user chose, and
// elsewhere it does not.
func TestPager(t *testing.T) {
	t.Parallel()
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
		{[]string{"PAGER=head -n 1"}, []string{"-n", "0", "--format", "wide"}, "OUTCOME", "", 0},
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
	t.Parallel()
	s := newStack(t, nil)
	r := run(t, s.command("", "bash", "-c", "set -o pipefail; "+binary+" man | true"))
	if r.code != 141 || r.stderr != "" {
		t.Errorf("exit %d %s", r.code, r.stderr)
	}
}

// --follow shows each event as it is recorded, also of a log that is not there
// yet and of one that is replaced, until Ctrl-C.
func TestFollow(t *testing.T) {
	t.Parallel()
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
