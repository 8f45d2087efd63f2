package cli

import (
	"encoding/json"
	"net"
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

// A plugin's socket that nobody listens at is named, with how to remove it.
func TestDoctorPlugins(t *testing.T) {
	dir, err := os.MkdirTemp("", "cc") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "a b.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false) // as one that is killed leaves it
	d := &doctor{}
	if d.plugins(dir); len(d.all) > 0 {
		t.Errorf("%+v", d.all)
	}
	l.Close()
	if d.plugins(dir); len(d.all) != 1 || d.all[0].State != "warn" || !strings.Contains(d.all[0].Text, path) || d.all[0].Try != "rm '"+path+"'" {
		t.Errorf("%+v", d.all)
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
	parser := newParser(&g, Process{Now: time.Now}, &settings{})
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
