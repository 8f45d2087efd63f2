package e2e

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// What the list says of exports, and the inventory of volumes.
func TestExportsList(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(talker))
	s.talking()
	lastExport := func() string {
		t.Helper()
		r := s.ccdestroy("inventory")
		for line := range strings.Lines(r.stdout) {
			if strings.Contains(line, s.name+"_uploads") {
				return line
			}
		}
		t.Fatalf("no line for the volume:\n%s%s", r.stdout, r.stderr)
		return ""
	}
	if line := lastExport(); !strings.Contains(line, "never") {
		t.Error(line)
	}
	if r := s.ccdestroy("exports"); r.code != 0 || r.stdout != "No exports.\n" {
		t.Errorf("%d %q %s", r.code, r.stdout, r.stderr)
	}
	var paths []string
	for range 4 {
		paths = append(paths, s.exported("--stop"))
	}
	if line := lastExport(); !strings.Contains(line, " ago") || strings.Contains(line, "gone") {
		t.Error(line)
	}
	need.Run(t, "rm", "-r", paths[3])
	need.Run(t, "sh", "-c", "echo >> "+filepath.Join(paths[2], "manifest.json"))
	need.Run(t, "truncate", "--size=5", filepath.Join(paths[1], "volumes", s.name+"_data.tar.zst"))
	if line := lastExport(); !strings.Contains(line, " ago, gone") {
		t.Error(line)
	}
	states := func(args ...string) (out []string) {
		t.Helper()
		r := s.ccdestroy(append([]string{"exports", "--format", "json"}, args...)...)
		var list []struct{ ID, Project, State, Path string }
		if err := json.Unmarshal([]byte(r.stdout), &list); err != nil {
			t.Fatalf("%v\n%s%s", err, r.stdout, r.stderr)
		}
		for _, e := range list {
			out = append(out, e.State)
			if e.Project != s.name && e.State != "incomplete" || e.Path == "" {
				t.Errorf("%+v", e)
			}
		}
		return out
	}
	if got := states(); !slices.Equal(got, []string{"missing", "changed", "damaged", "complete"}) {
		t.Errorf("%q", got)
	}
	dir := filepath.Dir(paths[0])
	need.Run(t, "mkdir", filepath.Join(dir, "x-20261123T101500Z.incomplete"))
	if got := states(dir); len(got) != 4 || !slices.Contains(got, "incomplete") {
		t.Errorf("%q", got)
	}
	if r := s.ccdestroy("exports", "check", paths[0], paths[1], paths[2]); r.code != 7 || strings.Count(r.stdout, "DAMAGED") != 2 || strings.Count(r.stdout, "intact") != 1 {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	// A younger volume of the same name was never exported.
	s.ccdestroy("--yes")
	s.docker("compose", "up", "--detach")
	if line := lastExport(); !strings.Contains(line, "never") {
		t.Error(line)
	}
}
