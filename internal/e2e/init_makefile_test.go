package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A Makefile's destroy target is shown, asked about, changed, and then recorded by
// make itself.
func TestInitMakefile(t *testing.T) {
	t.Parallel()
	before := "up:\n\tdocker compose up --detach\n\ndestroy: up\n\t@docker compose down -v --remove-orphans\n\nclean:\n\tdocker compose down -v\n"
	s := newStack(t, map[string]string{"compose.yaml": single, "Makefile": before})
	path := filepath.Join(s.dir, "Makefile")
	p := s.terminal("init", "--makefile")
	p.waitText("Type yes to write this, or Enter to cancel: ")
	p.send("\n")
	screen := plainText(p.seen())
	if code := p.wait(); code != 4 || read(t, path) != before {
		t.Errorf("declined: exit %d\n%s", code, read(t, path))
	}
	for _, want := range []string{"Makefile, line 5:", "-        @docker compose down -v --remove-orphans", "+        @ccdestroy down --remove-orphans", "Line 8 removes volumes too"} {
		if !strings.Contains(screen, want) {
			t.Errorf("%q is not on the screen:\n%s", want, screen)
		}
	}
	p = s.terminal("init", "--makefile")
	p.waitText("Type yes to write this, or Enter to cancel: ")
	p.send("yes\n")
	after := strings.Replace(before, "docker compose down -v --remove-orphans", "ccdestroy down --remove-orphans", 1)
	if code := p.wait(); code != 0 || read(t, path) != after {
		t.Errorf("exit %d\n%s", code, read(t, path))
	}
	if r := s.ccdestroy("init", "--makefile"); r.code != 0 || !strings.Contains(r.stderr, "runs ccdestroy already (line 5)") || read(t, path) != after {
		t.Errorf("again: exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("init", "--makefile", "--target", "up"); r.code != 1 || !strings.Contains(r.stderr, "line 2: the recipe of up has no docker compose down") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	for _, args := range [][]string{{"--fallback"}, {"--target", "x"}, {"--makefile", "--require", "export"}, {"--makefile", "-f", "none"}, {"--makefile", "-f", "compose.yaml"}} {
		if r := s.ccdestroy(append([]string{"init"}, args...)...); r.code != 2 || read(t, path) != after || read(t, filepath.Join(s.dir, "compose.yaml")) != s.expand(single) {
			t.Errorf("%q: exit %d\n%s", args, r.code, r.stderr)
		}
	}
	s.env = append(withoutVariables(s.env, "PATH"), "PATH="+filepath.Dir(binary)+":/usr/sbin:/usr/bin:/sbin:/bin")
	if r := run(t, s.command("", "make", "destroy")); r.code != 0 || s.last().Outcome != "success" || len(s.running()) != 0 {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// A link of somebody's clone has no file elsewhere changed.
func TestInitStaysWithin(t *testing.T) {
	t.Parallel()
	s, other := newStack(t, nil), filepath.Join(t.TempDir(), "theirs")
	for name, args := range map[string][]string{"Makefile": {"init", "--makefile"}, "compose.yaml": {"init"}} {
		if err := os.WriteFile(other, []byte(single), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(other, filepath.Join(s.dir, name)); err != nil {
			t.Skip(err)
		}
		if r := s.ccdestroy(args...); r.code != 2 || !strings.Contains(r.stderr, "leads out of its directory") || read(t, other) != single {
			t.Errorf("%q: exit %d\n%s", args, r.code, r.stderr)
		}
	}
}
