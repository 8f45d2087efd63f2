package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// The plugin that docker names is run in its place, and the record says so; with a
// setting of docker that only docker follows, it is docker that runs.
func TestPluginInPlaceOfDocker(t *testing.T) {
	t.Parallel()
	for name, setting := range map[string]string{"ordinary": `{}`, "an alias": `{"aliases":{"builder":"buildx"}}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(single))
			plugin := s.plugin()
			config := t.TempDir()
			need.Run(t, "mkdir", filepath.Join(config, "cli-plugins"))
			need.Run(t, "ln", "-s", plugin, filepath.Join(config, "cli-plugins", "docker-compose"))
			if err := os.WriteFile(filepath.Join(config, "config.json"), []byte(setting), 0o600); err != nil {
				t.Fatal(err)
			}
			s.env = append(withoutVariables(s.env, "DOCKER_CONFIG"), "DOCKER_CONFIG="+config)
			want := ""
			if name == "ordinary" {
				want = filepath.Join(config, "cli-plugins", "docker-compose")
			}
			for range 2 { // asked, and remembered
				s.compose("up", "--detach")
				r := s.ccdestroy("--yes")
				e := s.last()
				if r.code != 0 || e.Outcome != "success" || e.Details.Executed != want || strings.Join(e.Details.Command[:2], " ") != "docker compose" {
					t.Errorf("exit %d, %s: %q executed, want %q; command %q\n%s", r.code, e.Outcome, e.Details.Executed, want, e.Details.Command, r.stderr)
				}
			}
		})
	}
}

// Without a docker command docker-compose tears down, and the record says that it
// did.
func TestStandaloneCompose(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(double))
	plugin := s.plugin()
	s.compose("up", "--detach")
	bin := t.TempDir()
	need.Run(t, "ln", "-s", plugin, filepath.Join(bin, "docker-compose"))
	host := s.docker("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
	s.env = append(withoutVariables(s.env, "PATH", "DOCKER_HOST"), "PATH="+bin)
	r := s.ccdestroy("--yes", "-H", host, "--timeout", "1")
	e := s.last()
	want := "docker-compose --host " + host + " down --volumes --timeout 1"
	if got := strings.Join(e.Details.Command, " "); r.code != 0 || e.Outcome != "success" || len(e.DataAffected) != 2 || e.Details.Executed != "" || got != want {
		t.Errorf("exit %d, %s of %q by %q, want %q\n%s", r.code, e.Outcome, e.DataAffected, got, want, r.stderr)
	}
	if r := s.ccdestroy("doctor", "-H", host); !strings.Contains(r.stdout, filepath.Join(bin, "docker-compose")) {
		t.Errorf("doctor: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}
