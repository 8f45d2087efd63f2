package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/lab/trees"
)

// Both ways of reading and both ways of writing, on one tree, in every pairing.
func TestExportBothWays(t *testing.T) {
	t.Parallel()
	s := newStack(t, nil)
	p := newProxy(t)
	dir := s.hardVolume("PROJ_hard")
	hard := s.name + "_hard"
	direct := s.exported(hard, "-o", "direct")
	remote := s.exported(hard, "-o", "remote", "-H", p.host())
	m, n := manifestOf(t, direct).Volumes[0], manifestOf(t, remote).Volumes[0]
	if m.Method != "direct" || n.Method != "engine_api" || p.archives.Load() == 0 {
		t.Fatalf("read by %s and by %s", m.Method, n.Method)
	}
	if m.Root.Mode != "2751" || n.Root.UID != 999 || fmt.Sprint(m.Entries) != fmt.Sprint(n.Entries) || m.Bytes != n.Bytes || m.Entries["hardlink"] != 2 || m.Entries["device"] != 2 {
		t.Errorf("the manifests differ: %+v and %+v", m, n)
	}
	if len(m.Skipped) != 1 || m.Skipped[0].What != "socket" || m.Skipped[0].Count != 1 || m.Skipped[0].Names[0] != "./socket" || m.Skipped[0].Why == "" {
		t.Errorf("skipped directly: %+v", m.Skipped)
	}
	var lost []string
	for _, l := range n.Skipped {
		lost = append(lost, l.What)
		if l.Why == "" {
			t.Errorf("%s: no reason", l.What)
		}
	}
	for _, want := range []string{"ACLs", "fractions of a second", "holes", "sockets"} {
		if !strings.Contains(strings.Join(lost, "; "), want) {
			t.Errorf("lost through the engine: %q lacks %s", lost, want)
		}
	}
	for _, c := range []struct {
		name, export, host string
		coarse             bool
	}{
		{"direct-direct", direct, "", false},
		{"direct-remote", direct, p.host(), true},
		{"remote-direct", remote, "", true},
		{"remote-remote", remote, p.host(), true},
	} {
		args := []string{"restore", c.export, "--as", s.name + "_" + c.name}
		if c.host != "" {
			args = append(args, "-H", c.host)
		}
		r := s.ccdestroy(args...)
		want, got := treeOf(t, dir, c.coarse), treeOf(t, s.mountpoint("PROJ_"+c.name), c.coarse)
		code := 0
		if c.host != "" { // the engine writes no time before 1970, and we say so
			code = 3
			if delete(want, "empty"); strings.Count(r.stderr, "differs") != 1 || !strings.Contains(r.stderr, `"./empty": time`) || !strings.Contains(got["empty"], "time 0") {
				t.Errorf("%s: %s\n%s", c.name, got["empty"], r.stderr)
			}
			delete(got, "empty")
		}
		if r.code != code {
			t.Errorf("%s: exit %d\n%s", c.name, r.code, r.stderr)
		}
		sameTree(t, c.name, want, got)
		if labels := s.docker("volume", "inspect", "--format", "{{.Labels}}", "PROJ_"+c.name); labels != "map[keep:me]" {
			t.Errorf("labels: %s", labels)
		}
	}
	if s.helpers() > 0 {
		t.Error("a helper is left")
	}
}

// What the engine passes over in silence is told.
func TestExportLongPaths(t *testing.T) {
	t.Parallel()
	need.Root(t)
	s := newStack(t, nil)
	p := newProxy(t)
	s.docker("volume", "create", "PROJ_long")
	if err := trees.Hard(s.mountpoint("PROJ_long"), trees.Options{Long: true}); err != nil {
		t.Fatal(err)
	}
	direct, remote := s.exported(s.name+"_long", "-o", "direct"), s.ccdestroy("export", s.name+"_long", "-o", "remote", "-H", p.host())
	m, n := manifestOf(t, direct).Volumes[0], manifestOf(t, strings.TrimSpace(remote.stdout)).Volumes[0]
	last := n.Skipped[len(n.Skipped)-1]
	if m.Entries["file"]-n.Entries["file"] != 1 || !strings.HasPrefix(last.What, "paths of more than 4,096 bytes") || !strings.Contains(remote.stderr, "is NOT in the export") {
		t.Errorf("%d and %d files, %+v\n%s", m.Entries["file"], n.Entries["file"], last, remote.stderr)
	}
	if r := s.ccdestroy("restore", direct, "--as", s.name+"_back"); r.code != 0 {
		t.Errorf("restored directly: exit %d\n%s", r.code, r.stderr)
	}
}

// Very many files, one large one, and none at all, both ways there and back;
// a restore compares every entry itself.
func TestExportSizes(t *testing.T) {
	t.Parallel()
	need.Root(t)
	s := newStack(t, nil)
	p := newProxy(t)
	for _, c := range []struct {
		name  string
		fill  func(dir string) error
		files int
	}{
		{"many", func(dir string) error { return trees.Many(dir, 100_000) }, 100_000},
		{"large", func(dir string) error { return halfRandom(filepath.Join(dir, "file"), 96) }, 1},
		{"none", func(string) error { return nil }, 0},
	} {
		s.memoryVolume("PROJ_" + c.name)
		if err := c.fill(s.mountpoint("PROJ_" + c.name)); err != nil {
			t.Fatal(err)
		}
		for way, host := range map[string]string{"direct": engineHost(), "remote": p.host()} {
			export := s.exported(s.name+"_"+c.name, "-o", way, "-H", host)
			if v := manifestOf(t, export).Volumes[0]; v.Entries["file"] != c.files {
				t.Errorf("%s, %s: %d files in the export", c.name, way, v.Entries["file"])
			}
			back := s.memoryVolume("PROJ_" + c.name + "-" + way)
			if r := s.ccdestroy("restore", export, "--as", back, "-H", host, "-q"); r.code != 0 || strings.Contains(r.stderr, "differs") {
				t.Errorf("%s, %s: exit %d\n%s", c.name, way, r.code, r.stderr)
			}
		}
	}
}
