package e2e

import (
	"os"
	"strings"
	"testing"
)

// A teardown that cannot begin is recorded as failed, where there is a project.
func TestCannotBegin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		args     []string
		env      func(*stack) []string
		says     string
		recorded bool
	}{
		{name: "unreachable engine", args: []string{"-H", "unix:///nowhere.sock"}, says: "the Docker Engine does not answer at unix:///nowhere.sock", recorded: true},
		{name: "unreachable engine by variable", env: func(*stack) []string { return []string{"DOCKER_HOST=tcp://127.0.0.1:1"} }, says: "does not answer at tcp://127.0.0.1:1", recorded: true},
		{name: "unknown context", args: []string{"--context", "nobody"}, says: `no such docker context: "nobody"`},
		{name: "host and context", args: []string{"-H", "unix:///x", "--context", "y"}, says: "exclude each other"},
		{name: "no docker command", env: func(*stack) []string { return []string{"PATH=/nowhere"} }, says: "neither docker nor docker-compose was found", recorded: true},
		{name: "no plugin", env: func(s *stack) []string {
			for _, dir := range []string{"/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec"} {
				if _, err := os.Stat(dir + "/docker/cli-plugins/docker-compose"); err == nil {
					s.t.Skip("SKIPPED: a plugin for everybody is installed on this machine")
				}
			}
			return []string{"DOCKER_CONFIG=" + s.t.TempDir()}
		}, says: "the docker command has no compose plugin", recorded: true},
		{name: "no such file", args: []string{"-f", "nope.yaml"}, says: `no such compose file: "nope.yaml"`},
		{name: "no YAML", args: []string{"-f", "broken.yaml"}, says: "broken.yaml: "},
		{name: "no such env file", args: []string{"--env-file", "nope.env"}, says: "nope.env"},
		{name: "a project name that Compose refuses", args: []string{"-p", "Bad!", "-f", "compose.yaml"}, says: "Bad!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, map[string]string{"compose.yaml": single, "broken.yaml": "services: ["})
			s.docker("compose", "up", "--detach")
			if c.env != nil {
				s.env = append(s.env, c.env(s)...)
			}
			r := s.ccdestroy(c.args...)
			if r.code != 1 || !strings.Contains(r.stderr, c.says) || !strings.Contains(r.stderr, "\nTry: ") {
				t.Errorf("exit %d\n%s", r.code, r.stderr)
			}
			if !s.hasVolume("PROJ_data") || !s.has("PROJ-web-1") {
				t.Error("something was destroyed")
			}
			events := s.events()
			if c.recorded && (len(events) != 1 || events[0].Outcome != "failed" || !strings.Contains(events[0].Details.Error, c.says)) {
				t.Errorf("not recorded as failed: %+v", events)
			}
		})
	}
}

func TestProtected(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single+"    labels: {ccdestroy.protect: \"true\"}\n"))
	s.docker("compose", "up", "--detach")
	if r := s.ccdestroy("--unprotect", "nosuch"); r.code != 2 || !strings.Contains(r.stderr, "nosuch") || !s.hasVolume("PROJ_data") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	for _, args := range [][]string{{}, {"--yes"}} {
		r := s.ccdestroy(args...)
		if r.code != 5 || !strings.Contains(r.stderr, s.expand("ccdestroy.protect=true: volume PROJ_data")) || !strings.Contains(r.stderr, s.expand(" --unprotect PROJ_data\n")) {
			t.Errorf("%q: exit %d\n%s", args, r.code, r.stderr)
		}
		if last := s.last(); last.Outcome != "failed" || !s.hasVolume("PROJ_data") || !s.has("PROJ-web-1") {
			t.Errorf("%q: outcome %q", args, last.Outcome)
		}
	}
	if r := s.ccdestroy("--unprotect", s.expand("PROJ_data")); r.code != 0 || s.hasVolume("PROJ_data") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

// A wrong command line tears nothing down, names the word, and exits 2.
func TestUsageErrors(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	for flag, args := range map[string][]string{"--export": {"--yes"}, "--store": {"--yes"}, "--log": {"--yes"}, "--as": {"undo", "data"}} { // "$DIR" that is not set
		r := s.ccdestroy(append(args, flag, "")...)
		if r.code != 2 || !strings.Contains(r.stderr, flag+": its value is empty") || !s.hasVolume("PROJ_data") {
			t.Errorf("%s: exit %d\n%s", flag, r.code, r.stderr)
		}
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"audti", "list"}, "audti"},
		{[]string{"-n", "20"}, "-n"},
		{[]string{"web"}, "web"},
		{[]string{"--nope"}, "--nope"},
		{[]string{"-t", "soon"}, "soon"},
		{[]string{"--rmi", "some"}, "--rmi"},
		{[]string{"audit", "--limit", "-1"}, "--limit"},
		{[]string{"audit", "--operation", "Destroy Things"}, "Destroy Things"},
		{[]string{"audit", "--format", "yaml"}, "--format"},
		{[]string{"audit", "show"}, "id"},
		{[]string{"inventory", "--format", "xml"}, "--format"},
		{[]string{"run", "--operation", "destroy", "--path", "", "--", "true"}, "--path: the name is empty"},
		{[]string{"run", "--operation", "destroy", "--compose-project", "", "--", "true"}, "--compose-project: the name is empty"},
		{[]string{"undo", "data", "--as", "../x"}, `"../x"`},
	} {
		r := s.ccdestroy(c.args...)
		if r.code != 2 || !strings.Contains(r.stderr, c.says) || !strings.Contains(r.stderr, "\nTry: ccdestroy ") || r.stdout != "" {
			t.Errorf("%q: exit %d\n%s%s", c.args, r.code, r.stdout, r.stderr)
		}
	}
	for _, args := range [][]string{{"--help"}, {"--version"}, {"version"}, {"audit", "--help"}, {"down", "--help"}} {
		if r := s.ccdestroy(args...); r.code != 0 || !strings.Contains(strings.ToLower(r.stdout), "ccdestroy") {
			t.Errorf("%q: exit %d\n%s", args, r.code, r.stderr)
		}
	}
	if s.events() != nil || !s.hasVolume("PROJ_data") || !s.has("PROJ-web-1") {
		t.Error("something was destroyed or recorded")
	}
}
