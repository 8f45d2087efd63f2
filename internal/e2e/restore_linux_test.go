package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// What stands in the way of a restore, and what does not.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	need.Root(t)
	s := newStack(t, one(talker))
	s.talking()
	export := s.exported("--stop")
	content := treeOf(t, s.mountpoint("PROJ_uploads"), remote())
	refused := func(what, says string, code int, args ...string) {
		t.Helper()
		before := len(s.events())
		r := s.ccdestroy(append([]string{"restore"}, args...)...)
		recorded := map[int]int{5: 1}[code] // what a rule forbids is recorded as failed
		if r.code != code || !strings.Contains(r.stderr, says) || !strings.Contains(r.stderr, "\nTry: ") || len(s.events()) != before+recorded || recorded > 0 && s.last().Outcome != "failed" {
			t.Errorf("%s: exit %d, %d events\n%s", what, r.code, len(s.events())-before, r.stderr)
		}
		if s.hasVolume("PROJ_uploads") {
			sameTree(t, what, content, treeOf(t, s.mountpoint("PROJ_uploads"), remote()))
		}
	}
	refused("in use", "is in use by "+s.name+"-web-1", 5, export, "uploads")
	s.docker("compose", "stop")
	refused("content", "has content", 5, export, "uploads")
	refused("referred to", "is in use by "+s.name+"-web-1", 5, export, "uploads", "--overwrite")
	s.docker("compose", "down")
	refused("no such volume", `volume "nothing" is not in the export`, 2, export, "nothing")
	refused("two volumes as one", "--as names one volume", 2, export, "--as", "x")
	refused("no export", "no such file or directory", 1, "nowhere")
	s.docker("volume", "create", "--label", "ccdestroy.protect=true", "PROJ_guarded")
	need.Run(t, "touch", filepath.Join(s.mountpoint("PROJ_guarded"), "x"))
	refused("protected", "is protected", 5, export, "uploads", "--as", s.name+"_guarded", "--overwrite")

	need.Run(t, "sh", "-c", "echo other > "+filepath.Join(s.mountpoint("PROJ_uploads"), "other"))
	p := s.terminal("restore", export, "uploads", "--overwrite")
	p.waitText("Enter to cancel: ")
	p.send("\n")
	if code := p.wait(); code != 4 || !s.hasVolume("PROJ_uploads") {
		t.Errorf("not confirmed: exit %d\n%s", code, p.seen())
	}
	p = s.terminal("restore", export, "uploads", "--overwrite", "--reason", "rehearsal")
	p.waitText("Enter to cancel: ")
	p.send("overwrite\n")
	if code := p.wait(); code != 0 {
		t.Fatalf("confirmed: exit %d\n%s", code, p.seen())
	}
	last := s.last()
	if last.Operation != "restore" || last.Outcome != "success" || last.Details.Confirmation != "typed" || !slices.Equal(last.DataAffected, []string{s.name + "_uploads"}) || last.ExportPath != export {
		t.Errorf("%+v", last)
	}
	sameTree(t, "overwritten", content, treeOf(t, s.mountpoint("PROJ_uploads"), remote()))
	s.docker("volume", "rm", "PROJ_data")
	s.docker("volume", "create", "PROJ_data")
	if r := s.ccdestroy("restore", export, "data"); r.code != 0 || len(s.last().DataAffected) > 0 {
		t.Errorf("an empty one: exit %d\n%s", r.code, r.stderr)
	}
}

// The script of docs/export.md brings an export back without this program.
func TestExportByHand(t *testing.T) {
	t.Parallel()
	need.Root(t)
	script := block(t, "export.md", "sh")
	s := newStack(t, nil)
	dir := s.hardVolume("PROJ_pgdata")
	need.Run(t, "mkdir", filepath.Join(dir, "base"))
	need.Run(t, "sh", "-c", "echo 17 > "+filepath.Join(dir, "base/PG_VERSION"))
	export := s.exported(s.name + "_pgdata")
	script = strings.NewReplacer("EXPORT", export, "shop_pgdata", s.name+"_pgdata").Replace(script)
	r := run(t, s.command("", "sh", "-ec", script))
	if r.code != 0 || !strings.HasSuffix(r.stdout, "OK\n17\n") {
		t.Errorf("exit %d, %q\n%s", r.code, r.stdout, r.stderr)
	}
	sameTree(t, "by hand", treeOf(t, dir, false), treeOf(t, filepath.Join(export, "pgdata"), false))
}
