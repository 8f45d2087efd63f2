package compose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
)

var (
	errNoPlugin = errors.New("the Docker Compose plugin does not answer")
	errMissing  = errors.New("the docker command has no compose plugin")
	errNotTwo   = errors.New("docker-compose does not answer as version 2 or later does")
)

// remembered is the answer of one pair of binaries. Asking them costs about as
// much as all our own work, so it is done once per change of either.
type remembered struct {
	Binaries string `json:"binaries"` // path, size and mtime of docker, of its configuration and of the plugin candidates
	Version  string `json:"version"`
	Plugin   string `json:"plugin,omitempty"` // path of the one that docker runs, where it can be run in its place
}

// Version makes sure that Docker Compose answers, and says which it is. Without
// the plugin, `docker compose down -v` prints Docker's own version and exits 0.
// Down and Stop then run that plugin without docker, where that makes no
// difference.
func (c *Compose) Version(ctx context.Context) (string, error) {
	binary, err := c.Program()
	if err != nil {
		return "", err
	}
	print := c.fingerprint(binary)
	file := filepath.Join(c.Cache, "compose.json")
	if c.Cache != "" {
		var r remembered
		if data, err := os.ReadFile(file); err == nil && json.Unmarshal(data, &r) == nil && r.Binaries == print && r.Version != "" {
			if c.candidate(r.Plugin) {
				c.plugin = r.Plugin
			}
			return r.Version, nil
		}
	}
	r := remembered{Binaries: print}
	var asking sync.WaitGroup
	asking.Go(func() { r.Plugin = c.askPlugin(ctx) })
	r.Version, err = c.askVersion(ctx)
	asking.Wait()
	if err != nil {
		return "", err
	}
	c.plugin = r.Plugin
	if c.Cache != "" && ctx.Err() == nil && durable.MkdirAll(c.Cache, 0o700) == nil {
		data, _ := json.Marshal(r)
		_ = durable.ReplaceFile(file, data, 0o600) // if it is not remembered, it is asked again
	}
	return r.Version, nil
}

func (c *Compose) askVersion(ctx context.Context) (string, error) {
	stdout, stderr, err := c.run(ctx, "compose", "version", "--format", "json")
	var answer struct{ Version string }
	if err == nil && json.Unmarshal(stdout, &answer) == nil && answer.Version != "" {
		return answer.Version, nil
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	what := errNoPlugin
	if c.alone {
		what = errNotTwo
	}
	if missing(string(stderr)) {
		return "", &fault.Fault{Err: errMissing, Try: "install it: https://docs.docker.com/compose/install/linux/; then docker compose version", Code: fault.ExitFailed}
	}
	if line := firstLine(stderr); line != "" {
		what = fmt.Errorf("%w: %s", errNoPlugin, line)
	}
	try := strings.Join(c.typed([]string{"compose", "version"}), " ")
	return "", &fault.Fault{Err: what, Try: try + "   # and install the plugin docker-compose (v2 or later)", Code: fault.ExitFailed}
}

// missing reports whether docker has no command compose: it then treats the flags that
// follow as its own.
func missing(stderr string) bool {
	return strings.Contains(stderr, "unknown flag: --format") || strings.Contains(stderr, "is not a docker command") || strings.Contains(stderr, "unknown command")
}

// fingerprint names the docker binary, its configuration, and every file that it
// could take for the Compose plugin.
func (c *Compose) fingerprint(binary string) string {
	parts := []string{stamp(binary), stamp(c.configFile())}
	for _, dir := range c.pluginDirs() {
		if s := stamp(filepath.Join(dir, pluginName())); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "\n")
}

func pluginName() string {
	if runtime.GOOS == "windows" {
		return "docker-compose.exe"
	}
	return "docker-compose"
}

func stamp(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s %d %d", path, info.Size(), info.ModTime().UnixNano())
}

// configFile is the configuration file of the docker command.
func (c *Compose) configFile() string {
	dir := c.getenv("DOCKER_CONFIG")
	if dir == "" {
		home, _ := os.UserHomeDir()
		dir = filepath.Join(home, ".docker")
	}
	return filepath.Join(dir, "config.json")
}

// pluginDirs lists where the Docker CLI looks for plugins.
func (c *Compose) pluginDirs() []string {
	config := c.configFile()
	var extra struct{ CLIPluginsExtraDirs []string }
	if data, err := os.ReadFile(config); err == nil {
		_ = json.Unmarshal(data, &extra) // docker itself complains about a broken one
	}
	dirs := append(extra.CLIPluginsExtraDirs, filepath.Join(filepath.Dir(config), "cli-plugins"))
	if runtime.GOOS == "windows" {
		return append(dirs, filepath.Join(c.getenv("ProgramData"), "Docker", "cli-plugins"),
			filepath.Join(c.getenv("ProgramFiles"), "Docker", "cli-plugins"))
	}
	return append(dirs, "/usr/local/lib/docker/cli-plugins", "/usr/local/libexec/docker/cli-plugins",
		"/usr/lib/docker/cli-plugins", "/usr/libexec/docker/cli-plugins")
}

// getenv looks a variable up in the child's environment; the last one counts.
func (c *Compose) getenv(name string) string {
	for i := len(c.Env) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(c.Env[i], name+"="); ok {
			return value
		}
	}
	return ""
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(line)
}
