package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

var update = flag.Bool("update", false, "write the goldens anew")

// screens compares what commands say with a golden for each width, and finds lines
// that are wider and no command.
func screens(t *testing.T, name string, show func(width int) string) {
	t.Helper()
	for _, width := range []int{80, 120} {
		path := filepath.Join(home, "testdata", fmt.Sprintf("%s-%d.txt", name, width))
		got := show(width)
		for line := range strings.Lines(got) {
			line = strings.TrimSuffix(line, "\n")
			if runewidth.StringWidth(line) > width && !strings.HasPrefix(line, "Try: ccdestroy ") && !strings.HasPrefix(line, "$ ") {
				t.Errorf("%s: wider than %d: %q", name, width, line)
			}
		}
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			put(t, path, got)
		}
		if want, err := os.ReadFile(path); err != nil || got != string(want) {
			t.Errorf("%s is not as it was (go test -update writes it anew): %v\n%s", filepath.Base(path), err, got)
		}
	}
}

// home is where the tests were started: some of them change directory.
var home, _ = os.Getwd()

// talk is what commands say on a terminal of a width, each under its prompt, with
// the directory left out.
func talk(t *testing.T, dir string, env []string, commands ...string) func(int) string {
	return func(width int) string {
		var b strings.Builder
		for _, command := range commands {
			r := callWith(t, dir, env, func(p *Process) { p.testOnlyWidth = width }, strings.Fields(command)...)
			if r.stderr == "" {
				t.Errorf("%s: nothing is said", command)
			}
			fmt.Fprintf(&b, "$ ccdestroy %s\n%s(exit %d)\n\n", command, strings.ReplaceAll(r.stderr, dir, "/src/shop"), r.code)
		}
		return b.String()
	}
}

func TestGuessScreens(t *testing.T) {
	dir, env, touched := tripwire(t)
	screens(t, "guesses", talk(t, dir, env, "audti", "frobnicate", "-n 20", "web", "wbe", "-p shop --profile p web", "-p shop audit", "-profile worker",
		"--profle x", "down -n 20", "help audti", "audit --limit many", "audit --since whenever", "--keep-for long"))
	if touched() {
		t.Error("the engine or docker was asked")
	}
}

func TestFilterScreens(t *testing.T) {
	dir := project(t)
	screens(t, "filters", talk(t, dir, nil, "audit --user nobody", "audit --volume nosuch --outcome failed", "audit --since 2030-01-01",
		"audit --until 2001-01-01", "audit --project nosuch --user nobody --operation restore"))
}

// An id of which only the beginning is given that several have.
func TestAmbiguousScreen(t *testing.T) {
	dir := project(t)
	screens(t, "ambiguous", talk(t, dir, nil, "audit show 01", "audit show 09"))
}

func TestAbsentScreen(t *testing.T) {
	snap := inventory.Snapshot{}
	for i, name := range []string{"shop", "typo", "a-project-with-a-long-name", "another-project-with-a-long-name", "stopped"} {
		c := inventory.Container{Name: name, State: "running", Labels: map[string]string{inventory.LabelProject: name}}
		if i == 4 {
			c.State = "exited"
		}
		snap.Containers = append(snap.Containers, c)
	}
	screens(t, "absent", func(width int) string {
		f, err := os.CreateTemp(t.TempDir(), "out")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		Process{Stderr: f, testOnlyWidth: width}.say("%s", snap.Absent(inventory.Model{Project: "tpyo", Mode: inventory.Labels}))
		data, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	})
}

// Compose is told what to try in commands as the user calls this program.
func TestProviderTells(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "compose.yaml"), "name: shop\nservices:\n  web: {image: x}\n")
	put(t, filepath.Join(dir, ".ccdestroy.yaml"), "reason: required\n")
	for _, plugin := range []bool{false, true} {
		want := map[bool]string{false: "(try: ccdestroy --reason TEXT", true: "(try: docker ccdestroy --reason TEXT"}[plugin]
		r := callWith(t, dir, nil, func(p *Process) { p.Plugin = plugin }, "compose", "--project-name", "shop", "down", "audit")
		if r.code != 2 || !strings.Contains(r.stdout, `"type":"error"`) || !strings.Contains(r.stdout, want) {
			t.Errorf("exit %d, without %q\n%s%s", r.code, want, r.stdout, r.stderr)
		}
	}
}
