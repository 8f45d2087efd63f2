package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// A shell completes a line by the script that is made for it.
func TestCompletionInShells(t *testing.T) {
	packaged, err := filepath.Abs("../lab/release/files")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		shell      string
		args, keys []string
	}{
		"bash": {"bash", []string{"--norc", "--noprofile"}, []string{"source <(ccdestroy completion bash)\n"}},
		"zsh":  {"zsh", []string{"-f"}, []string{"autoload -U compinit && compinit -u -D\n", "source <(ccdestroy completion zsh)\n"}},
		// zsh loads it at the first completion, as it does from a package.
		"zsh, packaged": {"zsh", []string{"-f"}, []string{"fpath=(" + packaged + " $fpath); autoload -U compinit && compinit -u -D\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			need.Command(t, c.shell)
			s := inShell(t)
			p := s.onTerminal(s.command("", c.shell, append(c.args, "-i")...))
			for _, keys := range append(c.keys, "echo re\"\"ady\n") {
				p.send(keys)
			}
			p.waitText("ready")
			p.send("ccdestroy audit ver\t --for\tjs\t\n") // which is audit verify --format json
			p.waitText(`"operations": 2`)
			p.send("ccdestroy --unp\t\x15ccdestroy version\n") // a line with nothing but flags
			p.waitText("go1.")
			p.send("ccdestroy \t\t\x15ccdestroy audit\n") // and one with nothing
			p.waitText("delete_dashboard")
			if len(s.events()) != 2 {
				t.Errorf("%+v\n%s", s.events(), p.seen())
			}
		})
	}
	t.Run("fish", func(t *testing.T) {
		t.Parallel()
		need.Command(t, "fish")
		s := inShell(t)
		for line, want := range map[string]string{"ccdestroy audit ver": "verify", "ccdestroy --unp": "--unprotect", "ccdestroy ": "inventory", "ccdestroy audit --outcome par": "partial"} {
			r := run(t, s.command("", "fish", "--no-config", "-c", "ccdestroy completion fish | source; complete --do-complete "+`"`+line+`"`))
			if r.code != 0 || !strings.Contains("\n"+r.stdout, "\n"+want+"\n") || len(s.events()) != 2 {
				t.Errorf("%q: exit %d %q\n%s", line, r.code, r.stdout, r.stderr)
			}
		}
	})
}

// inShell is a project with a short history, in which shells find ccdestroy.
func inShell(t *testing.T) *stack {
	t.Helper()
	s := newStack(t, one(single))
	s.env = append(withoutVariables(s.env, "PATH"), "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"), "HOME="+t.TempDir(), "TERM=dumb", "PS1=$ ")
	for _, outcome := range []string{"success", "failed"} {
		if r := s.ccdestroy("record", "--operation", "delete_dashboard", "--outcome", outcome); r.code != 0 {
			t.Fatal(r.stderr)
		}
	}
	return s
}

// What completes never tears down: neither a variable of a shell's completion
// that is left in the environment, nor a script of an older version, nor the
// Docker CLI, which has a plugin complete its own command.
func TestCompletionDestroysNothing(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	s.plugged()
	plugin := filepath.Join(strings.TrimPrefix(last(s.env, "DOCKER_CONFIG="), "DOCKER_CONFIG="), "cli-plugins", "docker-ccdestroy")
	for _, c := range []struct {
		program string
		env     []string
		args    []string
		code    int
		says    string
	}{
		{binary, []string{"COMP_LINE=ccdestroy "}, nil, 2, "COMP_LINE"},
		{binary, []string{"COMP_LINE=ccdestroy down w", "COMP_POINT=16", "COMP_TYPE=9", "COMP_KEY=9"}, []string{"ccdestroy", "w", "down"}, 2, "is not a command"},
		{binary, []string{"COMP_LINE=ccdestroy aud"}, []string{"__complete", "ccdestroy", "aud", "ccdestroy"}, 0, "audit\n"},
		{binary, nil, []string{"__complete"}, 0, ""},
		{binary, []string{"COMP_LINE=x"}, []string{"audit"}, 0, "No audit log"}, // it does what it was told
		{plugin, nil, []string{"__complete", "ccdestroy", "down", "web"}, 0, ":0\n"},
		{plugin, nil, []string{"__complete", "ccdestroy", "down", ""}, 0, ":0\n"},
		{plugin, nil, []string{"__completeNoDesc", "ccdestroy", "--yes", "--"}, 0, "--unprotect\n"},
		{plugin, nil, []string{"__complete", "ccdestroy", "audit", "ver"}, 0, "verify\n:0\n"},
		{plugin, nil, []string{"__complete", "ccdestroy", ""}, 0, "inventory\n"},
		{"docker", nil, []string{"__complete", "ccdestroy", "audit", "ver"}, 0, "verify\n:0\n"},
		{"docker", nil, []string{"__complete", "ccdestroy", "down", "web"}, 0, ":0\n"},
	} {
		cmd := s.command("", c.program, c.args...)
		cmd.Env = append(cmd.Env, c.env...)
		r := run(t, cmd)
		if r.code != c.code || !strings.Contains(r.stdout+r.stderr, c.says) || !s.hasVolume("PROJ_data") || !s.has("PROJ-web-1") || s.events() != nil {
			t.Fatalf("%s %q: exit %d %q, or something is gone\n%s", filepath.Base(c.program), c.args, r.code, r.stdout, r.stderr)
		}
	}
}

func last(env []string, prefix string) (found string) {
	for _, v := range env {
		if strings.HasPrefix(v, prefix) {
			found = v
		}
	}
	return found
}
