package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A flag counts before its variable, the variable before the file, and the file
// before the default.
func TestSettings(t *testing.T) {
	dir := project(t)
	sub := filepath.Join(dir, "deep", "down")
	if err := os.MkdirAll(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	ids := func(env []string, args ...string) int {
		r := call(t, sub, append(env, "CCDESTROY_QUIET=true"), append([]string{"audit"}, args...)...)
		if r.code != 0 {
			t.Fatalf("exit %d\n%s", r.code, r.stderr)
		}
		return strings.Count(r.stdout, "\n")
	}
	file := filepath.Join(dir, ".ccdestroy.yaml")
	if n := ids(nil); n != 20 {
		t.Errorf("default: %d", n)
	}
	put(t, file, "# ours\nlimit: 5\noperation: [destroy, export]\nreverse: yes\n")
	if n := ids(nil); n != 5 {
		t.Errorf("file: %d", n)
	}
	if n := ids([]string{"CCDESTROY_LIMIT=4"}); n != 4 {
		t.Errorf("variable: %d", n)
	}
	if n := ids([]string{"CCDESTROY_LIMIT=4"}, "-n", "3"); n != 3 {
		t.Errorf("flag: %d", n)
	}
	r := call(t, sub, []string{"CCDESTROY_LIMIT=4", "CCDESTROY_OUTCOME=failed,partial"}, "config", "--format", "json")
	var all []struct{ Key, Value, From string }
	if err := json.Unmarshal([]byte(r.stdout), &all); err != nil || r.code != 0 {
		t.Fatalf("exit %d, %v", r.code, err)
	}
	got := map[string]string{}
	for _, s := range all {
		got[s.Key] = s.Value + " " + s.From
	}
	for key, want := range map[string]string{"limit": "4 $CCDESTROY_LIMIT", "operation": "destroy,export " + file + ":3", "outcome": "failed,partial $CCDESTROY_OUTCOME", "prompt-timeout": "10m default"} {
		if got[key] != want {
			t.Errorf("%s: %q, not %q", key, got[key], want)
		}
	}
	if r := call(t, sub, nil, "config"); !strings.Contains(r.stdout, "limit") || strings.Contains(r.stdout, "help") {
		t.Error(r.stdout)
	}
	put(t, file, "log: .contextcore/audit.jsonl\nfile: [a.yaml, /b.yaml, \"-\"]\n") // from the file's own directory
	if n := ids(nil); n != 20 {
		t.Errorf("log: %d", n)
	}
	if r := call(t, sub, nil, "config"); !strings.Contains(r.stdout, filepath.Join(dir, "a.yaml")+",/b.yaml,-") {
		t.Error(r.stdout)
	}
	put(t, file, "format: csv\n") // which audit has, and version has not
	if r := call(t, sub, nil, "audit"); !strings.HasPrefix(r.stdout, "id,timestamp,") {
		t.Errorf("exit %d %.200s%s", r.code, r.stdout, r.stderr)
	}
	if r := call(t, sub, nil, "version"); r.code != 0 {
		t.Error(r.stderr)
	}
	for text, says := range map[string]string{
		"limit: 5\nlimti: 6\n":     `.ccdestroy.yaml:2: unknown key "limti"`,
		"limit: 5\nlimit: 6\n":     "limit",
		"limit: [1, 2]\n":          ".ccdestroy.yaml:1: one value is wanted",
		"limit: many\n":            "many",
		"quiet: perhaps\n":         ".ccdestroy.yaml:1: true or false",
		"- limit\n":                ".ccdestroy.yaml:1: it must hold",
		"limit: {a: b}\n":          ".ccdestroy.yaml:1",
		"limit: \"5\n":             ".ccdestroy.yaml",
		"format: xml\n":            "xml",
		"help: true\n":             `unknown key "help"`,
		"operation: [[destroy]]\n": ".ccdestroy.yaml:1",
	} {
		put(t, file, text)
		if r := call(t, sub, nil, "audit"); r.code != 2 || !strings.Contains(r.stderr, says) || !strings.Contains(r.stderr, "\nTry: ") {
			t.Errorf("%q: exit %d\n%s", text, r.code, r.stderr)
		}
	}
	put(t, file, "")
	if n := ids(nil); n != 20 {
		t.Errorf("an empty file: %d", n)
	}
	need.Root(t)
	if err := os.Chown(file, 4711, 4711); err != nil {
		t.Fatal(err)
	}
	if r := call(t, sub, nil, "audit"); r.code != 2 || !strings.Contains(r.stderr, "belongs to another account (uid 4711)") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

func TestVersion(t *testing.T) {
	dir := t.TempDir()
	if r := call(t, dir, nil, "version"); r.code != 0 || !strings.HasPrefix(r.stdout, "ccdestroy ") || !strings.Contains(r.stdout, "go1.") {
		t.Error(r)
	}
	var b struct{ Version, Go, Platform string }
	if r := call(t, dir, nil, "version", "--format", "json"); json.Unmarshal([]byte(r.stdout), &b) != nil || b.Version == "" || b.Go == "" || !strings.Contains(b.Platform, "/") {
		t.Error(r)
	}
}

// The page has every command and every flag, and man finds nothing wrong.
func TestManual(t *testing.T) {
	r := call(t, t.TempDir(), nil, "man")
	for _, want := range []string{".SS \"audit verify", ".SS \"inventory", `\-\-[no\-]volumes`, `\-\-head WORD`, `\-\-prompt\-timeout`, "audit verify or exports check"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%q is missing", want)
		}
	}
	need.Command(t, "groff")
	cmd := exec.Command("groff", "-man", "-Tutf8", "-ww", "-z")
	cmd.Stdin = strings.NewReader(r.stdout)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

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
	t.Chdir(dir)
	put(t, filepath.Join(dir, "other.yaml"), "services:\n  xweb: {image: x}\n")
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
		t.Setenv("DOCKER_HOST", "unix:///nowhere.sock")
		r := call(t, dir, []string{"COMP_LINE=" + line, "DOCKER_HOST=unix:///nowhere.sock"})
		if r.code != 0 || !strings.Contains(r.stdout, want) || want == "" && r.stdout != "" {
			t.Errorf("%q: exit %d %q, not %q", line, r.code, r.stdout, want)
		}
	}
}

func TestDoctor(t *testing.T) {
	dir := project(t)
	r := call(t, dir, []string{"DOCKER_HOST=unix:///nowhere.sock", "PATH=" + os.Getenv("PATH")}, "doctor", "--format", "json", "--host", "unix:///nowhere.sock")
	var checks []struct{ Name, State, Text, Try string }
	if err := json.Unmarshal([]byte(r.stdout), &checks); err != nil || r.code != 1 {
		t.Fatalf("exit %d %v\n%s", r.code, err, r.stderr)
	}
	state := map[string]string{}
	for _, c := range checks {
		state[c.Name] += c.State + " "
		if c.State == "fail" && c.Try == "" {
			t.Errorf("%s says nothing of what to do", c.Name)
		}
	}
	if state["engine"] != "fail " || !strings.HasPrefix(state["log"], "ok ") || state["log directory"] != "ok " || state["heads"] != "ok " {
		t.Errorf("%v", state)
	}
	if r := call(t, dir, []string{"CCDESTROY_DETAIL=x"}, "config"); strings.Contains(r.stdout, "detail") {
		t.Errorf("what record says of one operation can be set elsewhere:\n%s", r.stdout)
	}
	gone := t.TempDir()
	if r := call(t, gone, nil, "record", "--operation", "prune", "--outcome", "failed"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	if err := os.Remove(filepath.Join(gone, ".contextcore", "audit.jsonl")); err != nil {
		t.Fatal(err)
	}
	if r := call(t, gone, nil, "doctor", "--host", "unix:///nowhere.sock"); !strings.Contains(r.stdout, "not intact") {
		t.Errorf("a log that is gone is well:\n%s", r.stdout)
	}
	put(t, filepath.Join(dir, ".contextcore", "audit.jsonl"), "what\n")
	if r := call(t, dir, nil, "doctor", "--host", "unix:///nowhere.sock"); !strings.Contains(r.stdout, "not intact") || !strings.Contains(r.stdout, "Try: ccdestroy audit verify") {
		t.Error(r.stdout)
	}
}

// Every flag of every command is in the pages of docs/.
func TestFlagsDocumented(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, page := range pages {
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(data)
	}
	var g grammar
	parser, err := newParser(&g, Process{Now: time.Now}, &settings{})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	_ = kong.Visit(parser.Model, func(v kong.Visitable, next kong.Next) error {
		if f, ok := v.(*kong.Flag); ok && f.Name != "help" && f.Name != "version" && !f.Hidden {
			seen++
			if !regexp.MustCompile(`--` + f.Name + `\b`).MatchString(text.String()) {
				t.Errorf("--%s is in no page", f.Name)
			}
		}
		return next(nil)
	})
	if seen < 60 {
		t.Errorf("only %d flags were seen", seen)
	}
}
