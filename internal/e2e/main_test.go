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
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/client"
)

// binary is the program under test: CCDESTROY_BINARY, so that these tests can be
// held against another version, or else what TestMain builds.
var binary = os.Getenv("CCDESTROY_BINARY")

func TestMain(m *testing.M) {
	if os.Getenv("CCDESTROY_LAB") == "" {
		fmt.Fprintln(os.Stderr, "e2e: SKIPPED, no engine was provided; make test runs these")
		if os.Getenv("CI") != "" && os.Getenv("CCDESTROY_UNIT") == "" {
			os.Exit(1)
		}
		os.Exit(0)
	}
	dir, err := os.MkdirTemp("", "ccdestroy-e2e-*")
	if err != nil {
		panic(err)
	}
	if binary == "" {
		binary = filepath.Join(dir, "ccdestroy")
		if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/ccdestroy").CombinedOutput(); err != nil {
			panic(string(out))
		}
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// patience bounds every wait in these tests; no test asserts how long anything
// took.
const patience = 60 * time.Second

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited %s for %s", patience, what)
}

// waitABit is between two looks at something that nobody tells of.
func waitABit() { time.Sleep(20 * time.Millisecond) }

var projects atomic.Int64

// stack is one project in a directory of its own, removed when the test ends.
type stack struct {
	t   *testing.T
	dir string
	// name is unlike any other test's; everything that the test makes on the
	// engine is called after it.
	name string
	env  []string
	api  *client.Client
}

func newStack(t *testing.T, files map[string]string) *stack {
	t.Helper()
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{
		t: t, dir: t.TempDir(), api: api,
		name: fmt.Sprintf("e2e%d-%d", os.Getpid(), projects.Add(1)),
	}
	home := t.TempDir()
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		// No CI, so that tests with a terminal are asked; a home of our own.
		if strings.HasPrefix(name, "COMPOSE_") || name == "CI" || name == "XDG_STATE_HOME" || name == "XDG_CACHE_HOME" {
			continue
		}
		s.env = append(s.env, v)
	}
	s.env = append(s.env, "XDG_STATE_HOME="+filepath.Join(home, "state"), "XDG_CACHE_HOME="+filepath.Join(home, "cache"),
		"USER=tester")
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

// ccdestroy runs the program under test.
func (s *stack) ccdestroy(args ...string) result {
	s.t.Helper()
	return run(s.t, s.command("", binary, args...))
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
