package cli

import (
	"path/filepath"
	"slices"
	"testing"
)

// The guard that systemd runs looks at the engine that it was installed for, and records
// where it was told to. What it cannot be told is refused.
func TestGuardFlags(t *testing.T) {
	dir := t.TempDir()
	p := Process{Dir: dir, Environ: []string{"DOCKER_HOST=unix:///run/other engine.sock"}}
	for name, c := range map[string]struct {
		install guardInstallCmd
		want    []string
	}{
		"the environment": {guardInstallCmd{}, []string{"--host", "unix:///run/other engine.sock"}},
		"the host":        {guardInstallCmd{guardFlags: guardFlags{engineFlags: engineFlags{Host: "unix:///run/x.sock"}}}, []string{"--host", "unix:///run/x.sock"}},
		"from here":       {guardInstallCmd{guardFlags: guardFlags{engineFlags: engineFlags{Host: "unix://x.sock"}}}, []string{"--host", "unix://" + filepath.Join(dir, "x.sock")}},
		"a log, shared":   {guardInstallCmd{logFlag: logFlag{Log: "a b.jsonl", LogGroup: 4800}}, []string{"--host", "unix:///run/other engine.sock", "--log", filepath.Join(dir, "a b.jsonl"), "--log-group", "4800"}},
		"no units":        {guardInstallCmd{guardFlags: guardFlags{NoUnits: true, engineFlags: engineFlags{Host: "tcp://x:1"}}, logFlag: logFlag{Log: "a"}}, nil},
	} {
		client, err := p.connect(c.install.engineFlags)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.install.flags(p, client); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		client.Close()
	}
	for _, host := range []string{"tcp://ana:secret@127.0.0.1:1", "ssh://ana@example"} {
		refused(t, call(t, dir, nil, "guard", "install", "--yes", "--host", host), "the guard that systemd runs reaches its engine by a Unix socket, not at ", "Try: -H unix:///var/run/docker.sock")
	}
}
