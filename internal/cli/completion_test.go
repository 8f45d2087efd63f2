package cli

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every shell's script is one that the shell reads, and completes what is there.
func TestCompletion(t *testing.T) {
	dir := project(t)
	all := list(t, dir, "-n", "0")
	for _, shell := range []string{"bash", "zsh", "fish"} {
		r := call(t, dir, nil, "completion", shell)
		if r.code != 0 || !strings.Contains(r.stdout, "ccdestroy") {
			t.Errorf("%s: exit %d %s", shell, r.code, r.stderr)
		}
		if path, err := exec.LookPath(shell); err == nil {
			cmd := exec.Command(path, "-n")
			cmd.Stdin = strings.NewReader(r.stdout)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", shell, err, out)
			}
		}
	}
	if r := call(t, dir, nil, "completion", "tcsh"); r.code != 2 || !strings.Contains(r.stderr, "bash") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	put(t, filepath.Join(dir, "compose.yaml"), "services:\n  web: {image: x}\n  job: {image: x, profiles: [p]}\n")
	put(t, filepath.Join(dir, "other.yaml"), "services:\n  xweb: {image: x}\n")
	t.Chdir(dir)
	for line, want := range map[string]string{
		"ccdestroy audit ver":                                     "verify\n",
		"ccdestroy --unp":                                         "--unprotect\n",
		"ccdestroy audit --rev":                                   "--reverse\n",
		"ccdestroy audit --outcome par":                           "partial\n",
		"ccdestroy audit show " + all[0].ID[:20]:                  all[0].ID + "\n",
		"ccdestroy audit --project " + all[0].Details.Project[:9]: all[0].Details.Project + "\n",
		"ccdestroy reconcile --form":                              "",
		"ccdestroy down w":                                        "web\n",
		"ccdestroy down web jo":                                   "job\n",
		"ccdestroy down -f other.yaml x":                          "xweb\n",
		"ccdestroy inventory j":                                   "job\n",
	} {
		t.Setenv("COMP_LINE", line)
		t.Setenv("COMP_POINT", "999")
		r := call(t, dir, []string{"COMP_LINE=" + line, "DOCKER_HOST=unix:///nowhere.sock"}, "__complete", "ccdestroy", "word", "previous")
		if r.code != 0 || !strings.Contains(r.stdout, want) || want == "" && r.stdout != "" {
			t.Errorf("%q: exit %d %q, not %q", line, r.code, r.stdout, want)
		}
	}
}

// A variable of a shell's completion that is left in the environment changes
// nothing, and never makes a call do nothing.
func TestCompletionLeftOver(t *testing.T) {
	env := []string{"COMP_LINE=ccdestroy down", "COMP_POINT=14", "COMP_TYPE=9", "COMP_KEY=9"}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	dir := project(t)
	t.Chdir(dir) // Compose's files are looked for here, and not in this repository
	put(t, filepath.Join(dir, "compose.yaml"), "name: shop\nservices:\n  web: {image: x}\n")
	refused(t, call(t, dir, env), "COMP_LINE is set")
	refused(t, call(t, dir, env, "ccdestroy", "down", "ccdestroy"), "is not a command") // bash, by a script of an older version
	if r := call(t, dir, env, "--yes"); r.code != 1 {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if r := call(t, dir, env, "audit"); r.code != 0 || strings.Count(r.stdout, "\n") != 21 {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	if r := call(t, dir, nil, "__complete"); r.code != 0 || r.stdout != "" {
		t.Errorf("exit %d %q", r.code, r.stdout)
	}
}
