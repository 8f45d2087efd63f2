package compose

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// installed is a docker command, of this program's own file or of a script, and a
// plugin that prints its arguments and what it finds in its environment.
func installed(t *testing.T, config string) (c *Compose, plugin string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the plugin is a script of the shell")
	}
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	plugin = filepath.Join(dir, "cli-plugins", "docker-compose")
	for path, text := range map[string]string{
		filepath.Join(dir, "config.json"): config,
		plugin:                            "#!/bin/sh\necho \"$DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND $*\"\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c = &Compose{Args: Args{Host: "unix:///x", Volumes: true}, Dir: dir, Env: append(os.Environ(), "DOCKER_CONFIG="+dir, fakeDocker+"="+plugin), Stdout: f, Stderr: f, Cache: filepath.Join(dir, "cache")}
	c.binary = self
	return c, plugin
}

// fakeDocker in the environment makes this test program a docker command that has
// the plugin at that path.
const fakeDocker = "CCDESTROY_TEST_DOCKER"

func TestMain(m *testing.M) {
	plugin, args := os.Getenv(fakeDocker), strings.Join(os.Args[1:], " ")
	switch {
	case plugin == "":
		os.Exit(m.Run())
	case strings.HasPrefix(args, "info "):
		_ = json.NewEncoder(os.Stdout).Encode([]map[string]string{{"Name": "buildx", "Path": "/x"}, {"Name": "compose", "Path": plugin}})
	case strings.HasPrefix(args, "compose version"):
		os.Stdout.WriteString(`{"version":"v5.6.0"}`)
	default:
		os.Stdout.WriteString("by docker: " + args + "\n")
	}
}

// down runs a teardown, and returns what was printed.
func down(t *testing.T, c *Compose) string {
	t.Helper()
	if version, err := c.Version(t.Context()); version != "v5.6.0" || err != nil {
		t.Fatalf("%q, %v", version, err)
	}
	if exit, err := c.Down(nil, nil); err != nil || exit.Code != 0 {
		t.Fatalf("%+v, %v", exit, err)
	}
	out, err := os.ReadFile(c.Stdout.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// The plugin that docker names is run as docker runs it, also when it is
// remembered; what is out of the ordinary is docker's.
func TestPluginInPlaceOfDocker(t *testing.T) {
	const direct, docker = "docker --host unix:///x compose down --volumes\n", "by docker: --host unix:///x compose down --volumes\n"
	for name, config := range map[string]string{"ordinary": `{"auths":{}}`, "empty": `{}`} {
		c, plugin := installed(t, config)
		if got := down(t, c); got != direct || c.Executed() != plugin {
			t.Errorf("%s: %q by %q", name, got, c.Executed())
		}
		again := &Compose{Args: c.Args, Dir: c.Dir, Env: c.Env, Stdout: c.Stdout, Stderr: c.Stderr, Cache: c.Cache, binary: c.binary}
		if got := down(t, again); got != direct+direct {
			t.Errorf("%s, remembered: %q", name, got)
		}
	}
	for name, config := range map[string]string{"aliases": `{"aliases":{"compose":"x"}}`, "hooks": `{"plugins":{"x":{"hooks":"y"}}}`, "not JSON": `{`} {
		c, _ := installed(t, config)
		if got := down(t, c); got != docker || c.Executed() != "" {
			t.Errorf("%s: %q by %q", name, got, c.Executed())
		}
	}
}

// A plugin that docker would not look for is not run, whoever names it.
func TestPluginElsewhere(t *testing.T) {
	c, plugin := installed(t, `{}`)
	elsewhere := filepath.Join(t.TempDir(), "docker-compose")
	if err := os.Rename(plugin, elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(c.Cache, 0o700); err != nil {
		t.Fatal(err)
	}
	data, _ := json.Marshal(remembered{Binaries: c.fingerprint(c.binary), Version: "v5.6.0", Plugin: elsewhere})
	if err := os.WriteFile(filepath.Join(c.Cache, "compose.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := down(t, c); !strings.HasPrefix(got, "by docker:") || c.Executed() != "" {
		t.Errorf("%q by %q", got, c.Executed())
	}
}

// A docker command that is a script has its reasons.
func TestDockerIsAScript(t *testing.T) {
	c, _ := installed(t, `{}`)
	c.binary = filepath.Join(t.TempDir(), "docker")
	self, _ := os.Executable()
	if err := os.WriteFile(c.binary, []byte("#!/bin/sh\nexec '"+self+"' \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := down(t, c); !strings.HasPrefix(got, "by docker:") {
		t.Errorf("%q", got)
	}
}
