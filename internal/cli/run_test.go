package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// data makes a directory with files that hold n bytes.
func data(t *testing.T, dir string, n int) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "data", "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "data", "sub", "file"), strings.Repeat("x", n))
}

// What became of a path decides on the outcome of an operation that destroys,
// and the command's exit code on that of any other.
func TestRunCommand(t *testing.T) {
	for name, c := range map[string]struct {
		args     []string
		code     int
		outcome  string
		affected string
		result   string // of the path
	}{
		"removed":                     {[]string{"--operation", "destroy", "--path", "data", "--", "rm", "-rf", "data"}, 0, "success", "DIR/data", "gone"},
		"emptied":                     {[]string{"--operation", "destroy", "--path", "data", "--", "sh", "-c", "rm -rf data/*"}, 0, "success", "DIR/data", "gone"},
		"made anew":                   {[]string{"--operation", "prune", "--path", "data", "--", "sh", "-c", "mv data old; mkdir data; touch data/x"}, 0, "success", "DIR/data", "remade"},
		"it says yes and does not":    {[]string{"--operation", "destroy", "--path", "data", "--", "true"}, 0, "failed", "", "remained"},
		"half":                        {[]string{"--operation", "destroy", "--path", "data", "--path", "state", "--", "rm", "-rf", "data"}, 0, "partial", "DIR/data", "gone"},
		"it fails and does":           {[]string{"--operation", "destroy", "--path", "data", "--", "sh", "-c", "rm -rf data; exit 7"}, 7, "success", "DIR/data", "gone"},
		"another operation":           {[]string{"--operation", "export", "--path", "data", "--affects", "x", "--", "true"}, 0, "success", "x", "remained"},
		"another operation fails":     {[]string{"--operation", "export", "--affects", "x", "--", "sh", "-c", "exit 9"}, 9, "failed", "", ""},
		"by name alone":               {[]string{"--operation", "delete_dashboard", "--affects", "a", "--affects", "b", "true"}, 0, "success", "a b", ""},
		"what was not there":          {[]string{"--operation", "destroy", "--path", "nothing", "--", "true"}, 0, "success", "", ""},
		"its own flags":               {[]string{"--operation", "export", "--", "sh", "-c", `test "$1" = --reason`, "x", "--reason"}, 0, "success", "", ""},
		"ended by a signal":           {[]string{"--operation", "export", "--affects", "x", "--", "sh", "-c", "kill -TERM $$"}, 143, "cancelled", "", ""},
		"a command that is not there": {[]string{"--operation", "export", "--", "no-such-command"}, 127, "failed", "", ""},
		"a file that is no command":   {[]string{"--operation", "export", "--", "./state"}, 126, "failed", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			data(t, dir, 1000)
			put(t, filepath.Join(dir, "state"), "s")
			r := call(t, dir, []string{"PATH=" + os.Getenv("PATH"), "USER=ana"}, append([]string{"run"}, c.args...)...)
			all := lines(t, dir)
			if r.code != c.code || len(all) != 2 || all[0]["outcome"] != "pending" || all[1]["outcome"] != c.outcome || all[0]["id"] != all[1]["id"] {
				t.Fatalf("exit %d, %v\n%s", r.code, all, r.stderr)
			}
			var affected []string
			for _, a := range all[1]["data_affected"].([]any) {
				affected = append(affected, strings.ReplaceAll(a.(string), dir, "DIR"))
			}
			if got := strings.Join(affected, " "); got != c.affected {
				t.Errorf("data_affected %q", got)
			}
			details := all[1]["details"].(map[string]any)
			result := ""
			if resources := details["resources"].([]any); len(resources) > 0 {
				first := resources[0].(map[string]any)
				result = first["result"].(string)
				if size := first["size"].(map[string]any)["bytes"]; size != 1000.0 {
					t.Errorf("size %v", size)
				}
			}
			if result != c.result {
				t.Errorf("result %q", result)
			}
			if r := call(t, dir, nil, "audit", "show", all[0]["id"].(string)); r.code != 0 {
				t.Error(r.stderr)
			}
		})
	}
}

// Without a durable record nothing is run.
func TestRunNeedsRecord(t *testing.T) {
	dir := t.TempDir()
	data(t, dir, 10)
	put(t, filepath.Join(dir, ".contextcore"), "in the way")
	if r := call(t, dir, []string{"PATH=" + os.Getenv("PATH")}, "run", "--operation", "destroy", "--path", "data", "--", "rm", "-rf", "data"); r.code != 6 || !strings.Contains(r.stderr, "so nothing was destroyed") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "sub", "file")); err != nil {
		t.Error(err)
	}
	for _, args := range [][]string{{"run", "--operation", "destroy"}, {"run", "--operation", "destroy", "--"}, {"run", "--", "true"}, {"run", "--operation", "No", "--", "true"}} {
		if r := call(t, t.TempDir(), nil, args...); r.code != 2 || !strings.Contains(r.stderr, "\nTry: ") {
			t.Errorf("%q: exit %d\n%s", args, r.code, r.stderr)
		}
	}
}
