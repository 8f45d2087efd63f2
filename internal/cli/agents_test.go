package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/contextcore/ccdestroy/internal/record"
)

// What an agent can set itself makes its rule stricter only; the user's and the
// machine's files may loosen it.
func TestAgentRule(t *testing.T) {
	f := settingsIn(t, project(t))
	const agent = "CLAUDECODE=1"
	rule := func(want string, env []string, args ...string) {
		t.Helper()
		p := Process{Environ: append(append([]string{"XDG_CONFIG_HOME=" + strings.TrimSuffix(f.user, "/ccdestroy/config.yaml")}, agent), env...), Dir: f.dir}
		var g grammar
		p.set = &settings{p: p}
		parser := newParser(&g, p, p.set)
		p.set.app = func() *kong.Application { return parser.Model }
		p.set.read()
		if _, err := parser.Parse(append([]string{"down"}, args...)); err != nil || p.set.wrong != nil {
			t.Fatal(err, p.set.wrong)
		}
		if got := g.Down.agent(p); got != (record.Agent{Name: "claude-code", Rule: want}) {
			t.Errorf("%q %q: %+v, not %s", env, args, got, want)
		}
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rule("keep", nil)
	rule("keep", nil, "--agents", "allow")
	rule("keep", []string{"CCDESTROY_AGENTS=allow"})
	rule("refuse", nil, "--agents", "refuse")
	write(f.machine, "agents: refuse\n")
	rule("refuse", nil)
	rule("refuse", nil, "--agents", "allow")
	write(f.user, "agents: allow\n")
	rule("allow", nil)
	rule("keep", nil, "--agents", "keep")
	write(f.project, "agents: keep\n")
	rule("keep", nil)
	write(f.machine, "enforce:\n  agents: refuse\n")
	rule("refuse", nil)
	write(f.project, "agents: allow\n")
	refused(t, call(t, f.dir, nil, "prune"), "must be keep or refuse in a project's file")
	write(f.project, "")
	refused(t, call(t, f.dir, nil, "prune", "--agents", "keep"), "enforces refuse")
}

// A refusal is JSON too where JSON is asked for, whoever refuses.
func TestRefusalsForPrograms(t *testing.T) {
	f := settingsIn(t, project(t))
	if err := os.WriteFile(f.project, []byte("yes: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := call(t, f.dir, nil, "down", "--format", "json")
	if r.code != 2 || !strings.HasPrefix(r.stdout, "{\n  \"error\": \"") || !strings.Contains(r.stdout, "\"try\": \"remove the line") || !strings.Contains(r.stdout, "\"exit\": 2") {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if r := call(t, f.dir, nil, "down"); r.code != 2 || r.stdout != "" {
		t.Errorf("exit %d, %q", r.code, r.stdout)
	}
}

// The hook answers whatever the files of settings say, and says no to what it does
// not understand.
func TestHook(t *testing.T) {
	f := settingsIn(t, project(t))
	if err := os.WriteFile(f.project, []byte("yes: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := func(text string) result {
		in := f.dir + "/in"
		if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(in)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		return callWith(t, f.dir, nil, func(p *Process) { p.Stdin = file }, "hook")
	}
	if r := ask(`{"hook_event_name":"PreToolUse","tool_input":{"command":"docker volume rm a"}}`); r.code != 0 || !strings.Contains(r.stdout, `"permissionDecision":"deny"`) {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if r := ask("hello"); r.code != 2 || r.stdout != "" || !strings.Contains(r.stderr, "\nTry: ") {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}
