package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/docker/docker/client"

	"github.com/contextcore/ccdestroy/internal/actor"
)

var projects atomic.Int64

// stack is one project in a directory of its own, removed when the test ends.
type stack struct {
	t   *testing.T
	dir string
	// name is in no other test's name; everything that the test makes on the
	// engine is called after it.
	name string
	env  []string
	api  *client.Client
	// host is the engine's address as the program under test is given it, and
	// certificates a directory with what it takes, or "".
	host, certificates string
}

func newStack(t *testing.T, files map[string]string) *stack {
	t.Helper()
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{
		t: t, dir: t.TempDir(), api: api, host: engineHost(),
		name: fmt.Sprintf("e2e%d-%04d", os.Getpid(), projects.Add(1)),
	}
	home := t.TempDir()
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		// No CI and no agent, so that tests with a terminal are asked; a home of our own.
		if slices.Contains(actor.AgentVariables(), name) || strings.HasPrefix(name, "COMPOSE_") || name == "CI" || name == "XDG_STATE_HOME" || name == "XDG_CACHE_HOME" {
			continue
		}
		s.env = append(s.env, v)
	}
	s.env = append(s.env, "XDG_STATE_HOME="+filepath.Join(home, "state"), "XDG_CACHE_HOME="+filepath.Join(home, "cache"),
		"USER=tester")
	if route != "" {
		s.reach(engineHost())
	}
	for name, content := range files {
		s.write(name, content)
	}
	t.Cleanup(s.remove)
	return s
}

// token is the project's name in a test's texts; COMPOSE_PROJECT_NAME holds none.
var token = regexp.MustCompile(`\b(PROJ|UPPER|IMAGE)`)

// expand replaces PROJ, UPPER and IMAGE, which stand for the project's name, the
// same in capitals, and the test image.
func (s *stack) expand(text string) string {
	return token.ReplaceAllStringFunc(text, func(word string) string {
		return map[string]string{"PROJ": s.name, "UPPER": strings.ToUpper(s.name), "IMAGE": os.Getenv("CCDESTROY_IMAGE")}[word]
	})
}

func (s *stack) write(name, content string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(s.expand(content)), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// result is how a command ended.
type result struct {
	stdout, stderr string
	code           int
}

// command prepares a command in the project's directory, or in sub of it.
func (s *stack) command(sub, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = filepath.Join(s.dir, sub)
	cmd.Env = append(slices.Clone(s.env), "PWD="+cmd.Dir)
	return cmd
}

func run(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// docker runs docker and fails the test when it fails.
func (s *stack) docker(args ...string) string {
	s.t.Helper()
	for i := range args {
		args[i] = s.expand(args[i])
	}
	r := run(s.t, s.command("", "docker", args...))
	if r.code != 0 {
		s.t.Fatalf("docker %s: exit %d\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	return strings.TrimSpace(r.stdout)
}

func (s *stack) compose(args ...string) result {
	s.t.Helper()
	return run(s.t, s.command("", "docker", append([]string{"compose"}, args...)...))
}

// ccdestroy runs the program under test.
func (s *stack) ccdestroy(args ...string) result {
	s.t.Helper()
	return run(s.t, s.command("", binary, args...))
}

// stopping waits until Compose is at work: the slow container has got its TERM
// once the log has the pending event and the child's progress says so.
func (s *stack) stopping(progress func() string) {
	s.t.Helper()
	waitFor(s.t, "Compose to stop containers", func() bool { return strings.Contains(progress(), "Stopping") })
}

// remove deletes whatever of the test is left on the engine.
func (s *stack) remove() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, o := range s.objects(ctx) {
		o.remove(ctx, s.api)
	}
	s.api.Close()
}

// engineHost is the address of the engine that the tests use.
func engineHost() string {
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		return host
	}
	return "unix:///var/run/docker.sock"
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// block is the first code block of a language in a page of docs/.
func block(t *testing.T, page, language string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../docs", page))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "```"+language+"\n")
	text, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatalf("%s has no %s", page, language)
	}
	return text
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
