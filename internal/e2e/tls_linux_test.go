package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/certs"
)

// An engine behind TLS is reached as the docker command reaches it: by variables,
// by its flags in front of the plugin, and by those in front of a docker compose
// down that calls the provider.
func TestEngineBehindTLS(t *testing.T) {
	ours := certs.New(t)
	host, dir := behindTLS(t, ours, engineHost()), ours.Dir(t, true)
	flags := []string{"--tlsverify", "--host", host}
	for _, file := range []string{"ca", "cert", "key"} {
		flags = append(flags, "--tls"+strings.Replace(file, "ca", "cacert", 1), filepath.Join(dir, file+".pem"))
	}
	for name, c := range map[string]struct {
		env  []string
		args []string
	}{
		"variables": {[]string{"DOCKER_HOST=" + host, "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=" + dir}, []string{binary, "--yes"}},
		"plugin":    {nil, append(append([]string{"docker"}, flags...), "ccdestroy", "--yes")},
		"provider":  {nil, append(append([]string{"docker"}, flags...), "compose", "down", "-v")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := withProvider(t, audited)
			s.docker("compose", "up", "--detach")
			s.plugged()
			s.env = append(s.env, c.env...)
			if r := run(t, s.command("", c.args[0], c.args[1:]...)); r.code != 0 || s.hasVolume("PROJ_data") {
				t.Fatalf("exit %d\n%s", r.code, r.stderr)
			}
			s.ended()
			text, err := os.ReadFile(s.logPath())
			if data := string(text); err != nil || !strings.Contains(data, `"host":"`+host+`"`) || !strings.Contains(data, `"outcome":"success"`) {
				t.Error(data)
			}
		})
	}
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	s.env = append(s.env, "DOCKER_HOST="+host, "DOCKER_TLS_VERIFY=1", "DOCKER_CONFIG="+t.TempDir())
	if r := s.ccdestroy("--yes"); r.code == 0 || !strings.Contains(r.stderr, "ca.pem") || !s.hasVolume("PROJ_data") {
		t.Errorf("without certificates: exit %d\n%s", r.code, r.stderr)
	}
}
