package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// Volumes that are not plain directories of the engine: on tmpfs, a view of a
// host directory, of a plugin's driver. An engine never forgets a driver, and
// looks for it at every step once its plugin is gone: so one of our own.
func TestExportOtherVolumes(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	driver, plugins := newVolumePlugin(t)
	e.plugins = plugins
	e.start()
	s := e.stack(nil)
	s.write("host/inner/file", "of the host\n")
	s.write("compose.yaml", `
name: PROJ
services:
  web:
    image: IMAGE
    volumes: [ram:/ram, view:/view, theirs:/theirs]
volumes:
  ram: {driver_opts: {type: tmpfs, device: tmpfs}}
  view: {driver_opts: {type: none, o: bind, device: "`+s.dir+`/host"}}
  theirs: {driver: "`+driver+`"}
`)
	s.docker("compose", "up", "--detach")
	s.docker("compose", "exec", "-T", "web", "sh", "-c", "echo in memory > /ram/a; echo with a plugin > /theirs/b")
	r := s.ccdestroy("--export", "saved")
	last := s.last()
	if r.code != 0 || last.Outcome != "success" || len(last.DataAffected) != 3 {
		t.Fatalf("exit %d, %s, %q\n%s", r.code, last.Outcome, last.DataAffected, r.stderr)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "host/inner/file")); err != nil {
		t.Error("the host's own file is gone")
	}
	want := map[string]struct{ file, content, consistency string }{
		"ram": {"./a", "in memory\n", "live"}, "view": {"./inner/file", "of the host\n", "stopped"}, "theirs": {"./b", "with a plugin\n", "stopped"},
	}
	for _, v := range manifestOf(t, last.ExportPath).Volumes {
		w := want[v.Key]
		out := run(t, s.command("", "sh", "-c", "zstd -d < "+filepath.Join(last.ExportPath, v.Archive.Path)+" | tar -x -O "+w.file))
		if v.Method != "engine_api" || v.Consistency != w.consistency || out.stdout != w.content {
			t.Errorf("%s: %s, %s, %q", v.Key, v.Method, v.Consistency, out.stdout)
		}
	}
	// What the view leads to is there still, and is not written over.
	if r := s.ccdestroy("restore", last.ExportPath, "view", "--with-options"); r.code != 1 || !strings.Contains(r.stderr, "there is content already") || s.hasVolume("PROJ_view") {
		t.Errorf("over a host directory: exit %d\n%s", r.code, r.stderr)
	}
	need.Run(t, "rm", "-r", filepath.Join(s.dir, "host/inner"))
	if r := s.ccdestroy("restore", last.ExportPath, "view", "theirs", "--with-options"); r.code != 0 {
		t.Fatalf("restore: exit %d\n%s", r.code, r.stderr)
	}
	if data, _ := os.ReadFile(filepath.Join(s.dir, "host/inner/file")); string(data) != "of the host\n" {
		t.Errorf("%q", data)
	}
	if got := s.docker("run", "--rm", "--volume", "PROJ_theirs:/v", os.Getenv("CCDESTROY_IMAGE"), "cat", "/v/b"); got != "with a plugin" {
		t.Errorf("%q", got)
	}
}
