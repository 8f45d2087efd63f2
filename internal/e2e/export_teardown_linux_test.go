package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a teardown destroys comes back, with all that was written until the
// services had ended; and the record says where it lies.
func TestExportBeforeTeardown(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(talker))
	s.talking()
	uploads := treeOf(t, s.mountpoint("PROJ_uploads"), remote())
	r := s.ccdestroy(inOrder("--export", "saved")...)
	last, all := s.last(), s.events()
	if r.code != 0 || last.Outcome != "success" || len(last.DataAffected) != 3 || len(all) != 3 {
		t.Fatalf("exit %d, %s, %q, %d events\n%s", r.code, last.Outcome, last.DataAffected, len(all), r.stderr)
	}
	if s.hasVolume("PROJ_data") || s.hasVolume("PROJ_uploads") {
		t.Error("a volume is still there")
	}
	m := manifestOf(t, last.ExportPath)
	if all[0].ExportPath != "" || all[1].ExportPath != last.ExportPath || m.EventID != last.ID || len(all[0].Details.Stopped) != 2 || len(m.Ran) != 2 || len(last.Details.Export.Volumes) != 3 {
		t.Errorf("%q, %q, %+v", all[0].ExportPath, all[1].ExportPath, m)
	}
	method := "direct"
	if remote() {
		method = "engine_api"
	}
	for _, v := range m.Volumes {
		if v.Consistency != "stopped" || v.Method != method {
			t.Errorf("%s: %s, %s", v.Name, v.Consistency, v.Method)
		}
	}
	shown := s.ccdestroy("audit", "show", last.ID)
	_, command, found := strings.Cut(shown.stdout, "ccdestroy restore ")
	if path, _, _ := strings.Cut(command, "\n"); !found || path != last.ExportPath {
		t.Fatalf("audit show tells no way back:\n%s", shown.stdout)
	}
	if r := s.ccdestroy("restore", last.ExportPath); r.code != 0 {
		t.Fatalf("restore: exit %d\n%s", r.code, r.stderr)
	}
	sameTree(t, "uploads", uploads, treeOf(t, s.mountpoint("PROJ_uploads"), remote()))
	if log, _ := os.ReadFile(filepath.Join(s.mountpoint("PROJ_data"), "log")); !strings.HasSuffix(string(log), "closed\n") {
		t.Errorf("the export is not of after the stop: %q", log)
	}
	if r := s.ccdestroy("exports", "check", last.ExportPath); r.code != 0 || strings.Contains(r.stdout, "does not know") {
		t.Errorf("check: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// A volume that something else holds is saved as well, since it may be let go of
// before Compose comes to it.
func TestExportOfHeldVolume(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(talker))
	s.talking()
	s.docker("run", "--detach", "--name", "PROJ-other", "--volume", "PROJ_uploads:/u", os.Getenv("CCDESTROY_IMAGE"),
		"sh", "-c", "while :; do date >> /u/growing; done")
	r := s.ccdestroy("--export", "saved")
	last := s.last()
	if r.code != 3 || last.Outcome != "partial" || !s.hasVolume("PROJ_uploads") {
		t.Fatalf("exit %d, %s\n%s", r.code, last.Outcome, r.stderr)
	}
	for _, v := range manifestOf(t, last.ExportPath).Volumes {
		if want := map[bool]string{true: "live", false: "stopped"}[v.Key == "uploads"]; v.Consistency != want {
			t.Errorf("%s: %s", v.Name, v.Consistency)
		}
	}
	if len(last.Details.Export.Volumes) != 3 || !strings.Contains(r.stderr, "was in use while it was exported") {
		t.Errorf("%+v\n%s", last.Details.Export, r.stderr)
	}
}

// At the question e saves first; the progress is shown, and not with --quiet.
func TestExportAtTheQuestion(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(talker))
	s.talking()
	p := s.terminal()
	p.waitText("Enter to cancel: ")
	p.send("e\n")
	p.waitText("Before that, the volumes are exported to " + s.dir)
	p.send(s.name + "\n")
	if code := p.wait(); code != 0 || !strings.Contains(p.seen(), "done") || !strings.Contains(p.seen(), "uploads") {
		t.Fatalf("exit %d\n%s", code, p.seen())
	}
	if last := s.last(); last.Details.Confirmation != "typed" || filepath.Dir(last.ExportPath) != filepath.Join(s.dir, ".contextcore", "exports") {
		t.Errorf("%q, %q", last.Details.Confirmation, last.ExportPath)
	}
	s.talking()
	if r := s.ccdestroy("export", "--stop"); r.code != 0 || strings.Count(r.stderr, "Volume ") != 3 {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("export", "--stop", "--quiet"); r.code != 0 || strings.Contains(r.stderr, "Volume ") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("export"); r.code != 0 || !strings.Contains(r.stderr, "in use while it was read") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("export", "nothing"); r.code != 2 || !strings.Contains(r.stderr, `no such volume: "nothing"`) {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}
