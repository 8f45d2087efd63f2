package makefile

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// planned is the file after the change, or the error.
func planned(t *testing.T, text string, o Options) (string, Change, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "Makefile")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Plan("", path, o)
	if err == nil && len(c.Added) > 0 {
		err = c.Write()
	}
	data, _ := os.ReadFile(path)
	if info, _ := os.Stat(path); err == nil && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	return string(data), c, err
}

const guard = `if command -v ccdestroy >/dev/null 2>&1; then `

func TestPlan(t *testing.T) {
	for _, c := range []struct{ name, before, after string }{
		{"plain", "destroy:\n\tdocker compose down -v\n", "destroy:\n\tccdestroy\n"},
		{"flags", "up:\n\tdocker compose up\n\ndestroy: stop # all\n\t@docker-compose -f ci.yaml -p shop down --remove-orphans --volumes -t 5 # bye\n\trm -rf tmp\n",
			"up:\n\tdocker compose up\n\ndestroy: stop # all\n\t@ccdestroy -f ci.yaml -p shop down --remove-orphans -t 5 # bye\n\trm -rf tmp\n"},
		{"within a line", ".PHONY: destroy\ndestroy:\n\t-cd deploy && docker compose --profile $(P) down -v || true\n", ".PHONY: destroy\ndestroy:\n\t-cd deploy && ccdestroy --profile $(P) down || true\n"},
		{"prerequisites elsewhere", "destroy: a\ndestroy:\n\n# why\nifdef X\n\techo\nendif\n\tdocker compose down -v", "destroy: a\ndestroy:\n\n# why\nifdef X\n\techo\nendif\n\tccdestroy"},
		{"in a define", "define X\ndestroy: a\n\tdocker compose down -v\nendef\ndestroy: V = 1\ndestroy:\n\tdocker compose down -v\n", "define X\ndestroy: a\n\tdocker compose down -v\nendef\ndestroy: V = 1\ndestroy:\n\tccdestroy\n"},
		{"added", "up:\n\tdocker compose up", "up:\n\tdocker compose up\n\n.PHONY: destroy\ndestroy: ## Tear down with volumes, audited (was: docker compose down -v)\n\tccdestroy\n"},
		{"empty", "", ".PHONY: destroy\ndestroy: ## Tear down with volumes, audited (was: docker compose down -v)\n\tccdestroy\n"},
		{"another system's lines", "destroy:\r\n\tdocker compose down -v\r\n", "destroy:\r\n\tccdestroy\r\n"},
		{"a variable of that name", "destroy := x\ndestroyed:\n\tdocker compose down\n", "destroy := x\ndestroyed:\n\tdocker compose down\n\n.PHONY: destroy\ndestroy: ## Tear down with volumes, audited (was: docker compose down -v)\n\tccdestroy\n"},
		{"already", "destroy:\n\t$(BIN)/ccdestroy\n", "destroy:\n\t$(BIN)/ccdestroy\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _, err := planned(t, c.before, Options{Target: "destroy"}); err != nil || got != c.after {
				t.Errorf("%v\n%s", err, got)
			}
		})
	}
	for _, before := range []string{"", "-@", "cd a && ", "if x; then ", "(cd a; "} {
		if _, _, err := planned(t, "destroy:\n\t"+before+"docker compose down -v || true\n", Options{Target: "destroy", Fallback: true}); err != nil {
			t.Errorf("%q: %v", before, err)
		}
	}
	got, change, err := planned(t, "clean:\n\tdocker compose down -v\nnuke:\n\t@docker compose -p x down -v --rmi all\n", Options{Target: "nuke", Fallback: true})
	want := "clean:\n\tdocker compose down -v\nnuke:\n\t@" + guard + "ccdestroy -p x down --rmi all; else " + warning + "; docker compose -p x down -v --rmi all; fi\n"
	if err != nil || got != want || len(change.Others) != 1 || change.Others[0] != 2 {
		t.Errorf("%v %v\n%s", err, change.Others, got)
	}
}

// What is not understood for certain stays as it is, and the line is named.
func TestPlanRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"destroy:\n\tdocker compose down\n":                              "line 2: this docker compose down keeps the volumes",
		"destroy:\n\t$(COMPOSE) down -v\n":                               "line 2: the recipe of destroy has no docker compose down",
		"destroy:\n\tdocker compose down -v\n\tdocker compose down -v":   "line 3: the recipe of destroy has a second",
		"destroy:\n\tdocker compose \\\n\t  down -v\n":                   "no docker compose down",
		"destroy:\n\tdocker compose down -v \\\n\t  --rmi all\n":         "line 2: the command continues on the next line",
		"destroy clean:\n\tdocker compose down -v\n":                     "line 1: the recipe is for other targets, too: destroy clean",
		"destroy::\n\tdocker compose down -v\n":                          "line 1: destroy has several recipes",
		"destroy: ; docker compose down -v\n":                            "line 1: the recipe of destroy is in the line of its rule",
		".RECIPEPREFIX = >\ndestroy:\n> docker compose down -v\n":        "RECIPEPREFIX",
		"destroy:\n\tdocker-compose down -v || docker compose down -v\n": "line 2: a second docker compose down",
		"destroy:\n\tdocker compose down -v; docker compose down\n":      "line 2: a second docker compose down",
		"destroy:\n\tdocker compose down -v || $(COMPOSE) down -v\n":     "line 2: what follows ||",
		"destroy: down # all\ndown:\n\tdocker compose down -v\n":         "line 1: destroy has no recipe of its own",
	} {
		if got, _, err := planned(t, text, Options{Target: "destroy"}); err == nil || !strings.Contains(err.Error(), want) || got != text {
			t.Errorf("%q: %v\n%s", text, err, got)
		}
	}
	for _, before := range []string{"sudo ", "@ssh host ", "X=1 ", "cd a && env "} {
		text := "destroy:\n\t" + before + "docker compose down -v\n"
		if got, _, err := planned(t, text, Options{Target: "destroy", Fallback: true}); err == nil || !strings.Contains(err.Error(), "line 2: another command") || got != text {
			t.Errorf("%q: %v\n%s", text, err, got)
		}
	}
	already := "destroy:\n\tccdestroy\n"
	if got, _, err := planned(t, already, Options{Target: "destroy", Fallback: true}); err == nil || !strings.Contains(err.Error(), "line 2: the target destroy runs ccdestroy already, and has no fallback") || got != already {
		t.Errorf("%v\n%s", err, got)
	}
	fallback := "destroy:\n\t" + down{}.command(true) + "\n"
	if got, change, err := planned(t, fallback, Options{Target: "destroy", Fallback: true}); err != nil || len(change.Added) > 0 || got != fallback {
		t.Errorf("%v\n%s", err, got)
	}
	if _, _, err := planned(t, "", Options{Target: "a b"}); err == nil {
		t.Error("a b is taken for a target")
	}
}

// A directory that came from somebody else must not have a file elsewhere changed,
// nor a pipe waited for.
func TestPlanStaysWithin(t *testing.T) {
	need.That(t, "links and pipes", runtime.GOOS != "windows")
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "bashrc")
	if err := os.WriteFile(out, []byte("x:\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "Makefile")
	if err := os.Symlink(out, path); err != nil {
		t.Fatal(err)
	}
	if c, err := Plan(dir, "", Options{Target: "destroy"}); err == nil || !strings.Contains(err.Error(), "leads out") {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := Plan(dir, path, Options{Target: "destroy"}); err != nil || c.Path != out { // it was named
		t.Errorf("%+v, %v", c, err)
	}
	if err := os.Mkdir(filepath.Join(dir, "build"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "build", "Makefile"), []byte("x:\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("build", "Makefile"), filepath.Join(dir, "GNUmakefile")); err != nil {
		t.Fatal(err)
	}
	if c, err := Plan(dir, "", Options{Target: "destroy"}); err != nil || !strings.HasSuffix(c.Path, filepath.Join("build", "Makefile")) {
		t.Errorf("%+v, %v", c, err)
	}
	pipe := t.TempDir()
	need.Run(t, "mkfifo", filepath.Join(pipe, "Makefile"))
	if c, err := Plan(pipe, "", Options{Target: "destroy"}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("%+v, %v", c, err)
	}
}

// Make runs what was written: ccdestroy where it is there, and else nothing, or
// Compose after a warning.
func TestMakeRunsIt(t *testing.T) {
	need.Command(t, "make", "sh")
	for _, fallback := range []bool{false, true} {
		for _, there := range []bool{false, true} {
			dir := t.TempDir()
			c, err := Plan(dir, "", Options{Target: "destroy", Fallback: fallback})
			if err == nil {
				err = c.Write()
			}
			if err != nil {
				t.Fatal(err)
			}
			commands := []string{"docker"}
			if there {
				commands = append(commands, "ccdestroy")
			}
			for _, name := range commands {
				if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho ran "+name+" $*\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command("make", "--silent", "destroy")
			cmd.Dir, cmd.Env = dir, []string{"PATH=" + dir + ":/usr/bin:/bin"}
			out, err := cmd.CombinedOutput()
			text := string(out)
			switch {
			case there && (err != nil || text != "ran ccdestroy\n"),
				!there && fallback && (err != nil || !strings.HasPrefix(text, "WARNING: ccdestroy is not installed") || !strings.HasSuffix(text, "\nran docker compose down -v\n")),
				!there && !fallback && (err == nil || strings.Contains(text, "ran ")):
				t.Errorf("fallback %v, there %v: %v\n%s", fallback, there, err, text)
			}
		}
	}
}
