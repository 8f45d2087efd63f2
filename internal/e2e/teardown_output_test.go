package e2e

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Compose believes that it writes to a terminal, and its progress arrives.
func TestProgressOnTerminal(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	p := s.terminal("--yes")
	if code := p.wait(); code != 0 {
		t.Errorf("exit %d", code)
	}
	// "[+] down 3/3" is what Compose shows on terminals only.
	if !strings.Contains(p.seen(), "[+] ") || !strings.Contains(p.seen(), "\x1b[") {
		t.Errorf("no terminal progress:\n%q", p.seen())
	}
}

// A failure's error output is in the record, on a terminal as well.
func TestStderrIsRecorded(t *testing.T) {
	t.Parallel()
	for _, terminal := range []bool{false, true} {
		t.Run(map[bool]string{true: "terminal", false: "pipe"}[terminal], func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one("name: PROJ\nservices:\n  web:\n    image: IMAGE\n    pre_stop: [{command: [\"sh\", \"-c\", \"echo no-such-luck >&2; exit 7\"]}]\n    volumes: [data:/data]\nvolumes:\n  data:\n"))
			s.docker("compose", "up", "--detach")
			var code int
			if terminal {
				code = s.terminal("--yes").wait()
			} else {
				code = s.ccdestroy().code
			}
			last := s.last()
			if code != 1 || last.Outcome != "failed" || !strings.Contains(last.Details.Stderr, "exit") || strings.Contains(last.Details.Stderr, "\x1b") {
				t.Errorf("exit %d, outcome %q, stderr %q", code, last.Outcome, last.Details.Stderr)
			}
		})
	}
}

// Whoever reads our output may go away: the record is written all the same.
func TestClosedPipe(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := s.command("", binary)
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	_, _ = io.ReadFull(read, make([]byte, 1))
	read.Close()
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 0 || s.last().Outcome != "success" {
		t.Errorf("exit %d, outcome %q", code, s.last().Outcome)
	}
}

// In GitHub Actions and GitLab CI a teardown is told in the system's own way;
// elsewhere in plain lines.
func TestCIOutput(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		env     []string
		before  [][]string
		args    []string
		code    int
		stderr  []string
		without []string
		summary []string
	}{
		{name: "github, all gone", env: []string{"GITHUB_ACTIONS=true"},
			stderr: []string{"\n::group::Inventory of PROJ\n", "\n::endgroup::\n", "PROJ_data"}, without: []string{"::warning", "::error"},
			summary: []string{"### Destroyed ", "| volume | "}},
		{name: "github, partly", env: []string{"GITHUB_ACTIONS=true"}, code: 3,
			before: [][]string{{"run", "--detach", "--name", "PROJ-other", "--volume", "PROJ_data:/d", "IMAGE"}},
			stderr: []string{"\n::warning title=Partly destroyed PROJ::volume PROJ_data: in use by PROJ-other"}, summary: []string{"### Partly destroyed ", "| remained | in use by "}},
		{name: "github, refused", env: []string{"GITHUB_ACTIONS=true"}, args: []string{"--log", "/proc/nowhere"}, code: 6,
			stderr: []string{"::error title=ccdestroy destroyed nothing::the audit record could not be written first"}, summary: []string{"### ccdestroy destroyed nothing\n\nthe audit record could not be written first", "\nTry: make the log writable"}},
		{name: "github, a failed export", env: []string{"GITHUB_ACTIONS=true"}, args: []string{"--export", "/proc/nowhere"}, code: 5,
			stderr: []string{"::error title=ccdestroy destroyed nothing::"}, summary: []string{"### ccdestroy destroyed nothing\n\n", "\nTry: "}},
		{name: "plain CI", env: []string{"CI=1"}, stderr: []string{"Project   PROJ", "  VOLUME ", "Destroys 1 volume", "Destroyed PROJ"}, without: []string{"::", "\x1b["}},
		{name: "gitlab", env: []string{"GITLAB_CI=true"}, stderr: []string{"\x1b[0Ksection_start:", ":ccdestroy[collapsed=true]\r\x1b[0KInventory of PROJ\n", "\x1b[0Ksection_end:"}, without: []string{"::group"}},
		{name: "jenkins", env: []string{"JENKINS_URL=http://ci.example/", "BUILD_URL=http://ci.example/1"}, without: []string{"::", "section_", "\x1b["}, stderr: []string{"Destroyed PROJ"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(single))
			s.docker("compose", "up", "--detach")
			for _, args := range c.before {
				s.docker(args...)
			}
			summary := filepath.Join(t.TempDir(), "summary.md")
			s.env = append(append(s.env, c.env...), "GITHUB_STEP_SUMMARY="+summary)
			r := s.ccdestroy(c.args...)
			if r.code != c.code {
				t.Errorf("exit %d", r.code)
			}
			for _, want := range c.stderr {
				if !strings.Contains(r.stderr, s.expand(want)) {
					t.Errorf("%q is missing in\n%q", s.expand(want), r.stderr)
				}
			}
			for _, bad := range c.without {
				if strings.Contains(r.stderr, bad) {
					t.Errorf("%q is in\n%q", bad, r.stderr)
				}
			}
			data, err := os.ReadFile(summary)
			if (err == nil) != (len(c.summary) > 0) {
				t.Errorf("summary: %v %q", err, data)
			}
			for _, want := range c.summary {
				if !strings.Contains(string(data), want) {
					t.Errorf("%q is missing in the summary\n%s", want, data)
				}
			}
		})
	}
}
