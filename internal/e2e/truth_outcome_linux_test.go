package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/versions"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// An operation that somebody settles by force while it is at work writes no second
// outcome, and says so. Where it has not announced yet what it will destroy, it
// destroys nothing.
func TestOutcomeAfterOutcome(t *testing.T) {
	t.Parallel()
	need.Root(t)
	need.Command(t, "unshare")
	for _, c := range []struct {
		name    string
		file    string
		args    []string
		code    int
		gone    bool // what the operation was about, when it ends
		says    string
		settled string
	}{
		{"before the deed", talker, []string{"--export", "saved"}, 5, false, "the operation has ended already: failed", "failed"},
		{"in the deed", stubborn, nil, 1, true, "Somebody settled the operation while it was at work", "failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStack(t, one(c.file))
			g := newGate(t, isArchive)
			s.docker("compose", "up", "--detach")
			b := s.start(s.command("", binary, append(c.args, "-H", g.host())...))
			if c.args != nil {
				g.waitHeld()
			} else {
				b.waitText("Stopping")
			}
			id := s.last().ID
			s.unlock()
			if r := s.ccdestroy("reconcile", "--force"); r.code != 0 || !strings.Contains(r.stderr, "stays unfinished: it is at work") {
				t.Fatalf("reconcile where its process is seen: exit %d\n%s", r.code, r.stderr)
			}
			s.unlock()
			force := s.command("", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", binary, "reconcile", "--force", "-H", engineHost())
			if r := run(t, force); r.code != 0 || s.last().Outcome != c.settled {
				t.Fatalf("reconcile where it is not: exit %d, %s\n%s", r.code, s.last().Outcome, r.stderr)
			}
			g.open()
			if c.args == nil {
				s.docker("kill", "PROJ-slow-1")
			}
			if code := b.wait(); code != c.code || !strings.Contains(b.stderr(), c.says) {
				t.Errorf("exit %d, want %d and %q\n%s", code, c.code, c.says, b.stderr())
			}
			if all := s.outcomes(); !slices.Equal(all[id], []string{c.settled}) {
				t.Errorf("outcomes: %q", all)
			}
			if s.hasVolume("PROJ_data") == c.gone {
				t.Errorf("the volume is gone: %t", !c.gone)
			}
			if r := s.ccdestroy("audit", "verify"); r.code != 0 {
				t.Errorf("verify: exit %d\n%s", r.code, r.stdout)
			}
		})
	}
}

// unlock removes the locks of all operations, as somebody does who thinks that
// they are leftovers.
func (s *stack) unlock() {
	s.t.Helper()
	if err := os.RemoveAll(s.logPath() + ".ops"); err != nil {
		s.t.Fatal(err)
	}
}

// A compose file, or an image, can give a container the labels of a helper: it is
// no leftover of ours for that.
func TestOurLabelsOnTheirs(t *testing.T) {
	t.Parallel()
	s := newStack(t, nil)
	s.write("free", "")
	host, _ := os.Hostname()
	s.docker("run", "--detach", "--name", "PROJ-theirs", "--network", "none", "--label", "io.ccdestroy.helper=true",
		"--label", "io.ccdestroy.lock="+filepath.Join(s.dir, "free"), "--label", "io.ccdestroy.host="+host, "IMAGE", "sleep", "1000")
	if r := s.ccdestroy("prune", "--yes", "--filter", "label=none"); r.code != 0 {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	if out := s.docker("inspect", "--format", "{{.State.Status}}", "PROJ-theirs"); out != "running" {
		t.Error(out)
	}
}

// Two scripts end one operation: one of them is refused.
func TestTwoOutcomesByHand(t *testing.T) {
	t.Parallel()
	s := newStack(t, nil)
	id := strings.TrimSpace(s.ccdestroy("record", "--operation", "delete_dashboard", "--outcome", "pending").stdout)
	var all []*background
	for _, outcome := range []string{"success", "failed", "partial", "cancelled"} {
		all = append(all, s.start(s.command("", binary, "record", "--id", id, "--outcome", outcome)))
	}
	recorded := 0
	for _, b := range all {
		switch code := b.wait(); {
		case code == 0:
			recorded++
		case code != 1 || !strings.Contains(b.stderr(), "ended"):
			t.Errorf("exit %d\n%s", code, b.stderr())
		}
	}
	if recorded != 1 || len(s.outcomes()[id]) != 1 {
		t.Errorf("%d were told that it is recorded; outcomes: %q", recorded, s.outcomes())
	}
}

var chained = regexp.MustCompile(`"seq":\d+,"prev":"[0-9a-f]*"`)

// A second outcome that another program wrote, well chained, is found.
func TestVerifyFindsOutcomeAfterOutcome(t *testing.T) {
	t.Parallel()
	s := newStack(t, nil)
	s.ccdestroy("record", "--operation", "delete_dashboard", "--outcome", "success")
	data, err := os.ReadFile(s.logPath())
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSuffix(string(data), "\n")
	sum := sha256.Sum256([]byte(line))
	again := chained.ReplaceAllString(line, fmt.Sprintf(`"seq":2,"prev":%q`, hex.EncodeToString(sum[:])))
	again = strings.Replace(again, `"outcome":"success"`, `"outcome":"failed"`, 1)
	if err := os.WriteFile(s.logPath(), []byte(line+"\n"+again+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := s.ccdestroy("audit", "verify"); r.code != 7 || !strings.Contains(r.stdout, "after the outcome") {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
}

// Compose fails since it cannot call a provider: that nothing of the engine is
// left is no success.
func TestFailingProviderIsNoSuccess(t *testing.T) {
	t.Parallel()
	s := newStack(t, one("name: PROJ\nservices:\n  cloud:\n    provider:\n      type: no-such-provider\n"))
	r := s.ccdestroy()
	last := s.last()
	if r.code != 1 || last.Outcome != "failed" || last.Details.ExitCode == nil || *last.Details.ExitCode == 0 {
		t.Errorf("exit %d, %s, Compose's exit code %v\n%s", r.code, last.Outcome, last.Details.ExitCode, r.stderr)
	}
	if !slices.ContainsFunc(last.Details.Remaining, func(text string) bool { return strings.Contains(text, "provider of service cloud") }) {
		t.Errorf("remaining: %q", last.Details.Remaining)
	}
}

// On an engine that is not of this host, and that tells a volume's last change for
// its creation, nobody can say whether a volume was made again while nobody
// looked: that is not said to be a failure.
func TestMadeAgainUnseenIsUnknown(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(stubborn))
	g := newGate(t, nil)
	s.docker("compose", "up", "--detach")
	old := s.created("PROJ_data")
	b := s.start(s.command("", binary, "-H", g.host()))
	b.waitText("Stopping")
	_ = b.cmd.Process.Kill()
	b.wait()
	s.docker("kill", "PROJ-slow-1") // Compose ends at its next word
	waitFor(t, "Compose to end", func() bool { return !worksIn(s.dir) })
	s.docker("compose", "down", "--volumes")
	s.createLater(old, "PROJ_data")
	r := s.ccdestroy("reconcile", "-H", g.host())
	if version, err := s.api.ServerVersion(t.Context()); err != nil || versions.GreaterThanOrEqualTo(version.APIVersion, "1.42") {
		if last := s.last(); r.code != 0 || last.Outcome != "success" || len(last.DataAffected) != 2 {
			t.Errorf("%v: this engine tells; exit %d, %s, %q", err, r.code, last.Outcome, last.DataAffected)
		}
		return
	}
	if want := s.expand("cannot tell whether volume PROJ_data was destroyed and made again"); r.code != 1 || !strings.Contains(r.stderr, "stays unfinished: nothing shows how it ended: "+want) {
		t.Errorf("exit %d, without %q\n%s", r.code, want, r.stderr)
	}
	if last := s.last(); last.Outcome != "pending" {
		t.Errorf("recorded as %s", last.Outcome)
	}
	if r := s.ccdestroy("audit"); !strings.Contains(r.stdout, "UNFINISHED") {
		t.Errorf("audit does not mark it:\n%s", r.stdout)
	}
}

// created is what the engine says of when a volume was made, in whole seconds.
func (s *stack) created(volume string) string {
	s.t.Helper()
	return s.docker("volume", "inspect", "--format", "{{.CreatedAt}}", volume)
}

// createLater makes a volume whose time is another than the old one's.
func (s *stack) createLater(old, volume string, args ...string) {
	s.t.Helper()
	waitFor(s.t, "a volume of another time", func() bool {
		s.docker(append(append([]string{"volume", "create"}, args...), volume)...)
		if s.created(volume) != old {
			return true
		}
		s.docker("volume", "rm", volume)
		return false
	})
}
