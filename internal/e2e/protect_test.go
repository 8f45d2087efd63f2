package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// Patterns protect volumes by name and by Compose key, wherever they are set, in
// everything that destroys volumes.
func TestProtectedByPattern(t *testing.T) {
	t.Parallel()
	s := withProvider(t, audited)
	s.docker("compose", "up", "--detach")
	stays := func(why string, r result, says ...string) {
		t.Helper()
		if r.code != 5 || !s.hasVolume("PROJ_data") || !s.hasVolume("PROJ_uploads") || !s.has("PROJ-web-1") {
			t.Fatalf("%s: exit %d, or something is gone\n%s", why, r.code, r.stderr)
		}
		for _, text := range says {
			if !strings.Contains(r.stderr, text) {
				t.Errorf("%s: without %q:\n%s", why, text, r.stderr)
			}
		}
	}
	s.write(".ccdestroy.yaml", "# kept\nprotect: [dat?]\n")
	by := "protected by the pattern dat? of " + filepath.Join(s.dir, ".ccdestroy.yaml") + ":2: volume " + s.name + "_data"
	stays("the project's file, by key", s.ccdestroy(), by, "Try: ccdestroy --unprotect "+s.name+"_data")
	stays("and a flag, by name", s.ccdestroy("--protect", s.expand("PROJ_up*")), by, "protected by the pattern "+s.name+"_up* of --protect: volume "+s.name+"_uploads")
	env := s.env
	s.env = append(slices.Clone(s.env), "CCDESTROY_PROTECT=uploads")
	stays("a variable, one of two unprotected", s.ccdestroy("--unprotect", "data"), "protected by the pattern uploads of $CCDESTROY_PROTECT")
	s.env = env
	if r := s.ccdestroy("inventory", "--format", "json"); !strings.Contains(r.stdout, `"protected_by": "the pattern dat? of `) {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if r := s.compose("down", "-v"); r.code == 0 || !strings.Contains(r.stderr, by) || !s.hasVolume("PROJ_data") || !s.has("PROJ-web-1") {
		t.Errorf("docker compose down: exit %d\n%s", r.code, r.stderr)
	}
	export := s.ccdestroy("export", "data")
	if export.code != 0 {
		t.Fatalf("exit %d\n%s", export.code, export.stderr)
	}
	s.docker("compose", "down")
	s.docker("run", "--rm", "--volume", "PROJ_data:/data", "IMAGE", "touch", "/data/new")
	overwrite := s.ccdestroy("restore", strings.TrimSpace(export.stdout), "--overwrite", "--yes")
	if overwrite.code != 5 || !strings.Contains(overwrite.stderr, "is protected by the pattern dat?") || !s.hasVolume("PROJ_data") {
		t.Errorf("restore: exit %d\n%s", overwrite.code, overwrite.stderr)
	}
	if r := s.ccdestroy("--unprotect", "data", "--dry-run"); r.code != 0 || strings.Contains(r.stdout, "refused") || !strings.Contains(r.stdout, "(protected)") {
		t.Errorf("a dry run that unprotects: exit %d\n%s", r.code, r.stdout)
	}
	if r := s.ccdestroy("--unprotect", "nosuch", "--dry-run"); r.code != 2 || !strings.Contains(r.stderr, "--unprotect nosuch: no volume") {
		t.Errorf("a dry run that unprotects nothing: exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("--unprotect", "data"); r.code != 0 || s.hasVolume("PROJ_data") || s.last().Outcome != "success" {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

// enforcing builds the program with another place of the machine's file, and
// writes that file.
func (s *stack) enforcing(text string) (program string) {
	s.t.Helper()
	need.Root(s.t)
	dir := s.t.TempDir()
	file := filepath.Join(dir, "config.yaml")
	program = filepath.Join(dir, "ccdestroy")
	if err := os.WriteFile(file, []byte(s.expand(text)), 0o644); err != nil {
		s.t.Fatal(err)
	}
	flag := "-X github.com/contextcore/ccdestroy/internal/cli.machineSettings=" + file
	if out, err := exec.Command("go", "build", "-ldflags", flag, "-o", program, "../../cmd/ccdestroy").CombinedOutput(); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	s.env = append(withoutVariables(s.env, "PATH"), "PATH="+dir+":"+pathOf(s.env))
	return program
}

// What the machine's file enforces holds against everything that a user can say.
func TestEnforcedRules(t *testing.T) {
	t.Parallel()
	s := withProvider(t, audited)
	central, exports := filepath.Join(t.TempDir(), "central.jsonl"), t.TempDir()
	program := s.enforcing("enforce:\n  log: " + central + "\n  export: " + exports + "\n  reason: required\n  protect: [uploads]\n")
	s.docker("compose", "up", "--detach")
	call := func(args ...string) result {
		t.Helper()
		return run(t, s.command("", program, args...))
	}
	refused := func(r result, code int, says string) {
		t.Helper()
		if r.code != code && code >= 0 || r.code == 0 || !strings.Contains(r.stderr, says) || !s.hasVolume("PROJ_data") || !s.hasVolume("PROJ_uploads") || !s.has("PROJ-web-1") {
			t.Fatalf("exit %d, or something is gone\n%s", r.code, r.stderr)
		}
	}
	s.write(".ccdestroy.yaml", "export: here\n")
	reason := []string{"--reason", "a test", "--unprotect", "uploads"}
	refused(call(), 2, "requires a reason")
	refused(call("down", "web", "--yes"), 2, "requires a reason")
	refused(call(append(reason, "--log", "mine.jsonl")...), 2, "enforces "+central)
	refused(call(append(reason, "--export=")...), 2, "enforces "+exports)
	refused(call(reason...), 5, "config.yaml:5, which is enforced: volume "+s.name+"_uploads")
	refused(s.compose("down", "-v"), -1, "requires a reason")
	s.env = append(s.env, "CCDESTROY_REASON=a test", "CCDESTROY_LOG=mine.jsonl", "CCDESTROY_EXPORT=", "CCDESTROY_UNPROTECT=uploads")
	refused(s.compose("down", "-v"), -1, "which is enforced")
	refused(s.compose("down", "-v", "db", "audit"), -1, "no export of volume "+s.name+"_data")
	if r := call("down", "db"); r.code != 0 || s.hasVolume("PROJ_data") || !s.hasVolume("PROJ_uploads") {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	all := eventsIn(t, central)
	end := all[len(all)-1]
	text, err := os.ReadFile(central)
	if err != nil || end.Outcome != "success" || !strings.Contains(string(text), `"reason":"a test"`) || !strings.HasPrefix(end.ExportPath, exports+"/") || s.events() != nil {
		t.Errorf("%+v", end)
	}
	for _, stray := range []string{"mine.jsonl", "here"} {
		if _, err := os.Stat(filepath.Join(s.dir, stray)); err == nil {
			t.Errorf("%s was written", stray)
		}
	}
}

// A plain docker compose down of a project whose settings cannot be obeyed is
// refused, with the line, and nothing is destroyed.
func TestProviderWrongSettings(t *testing.T) {
	t.Parallel()
	s := withProvider(t, audited)
	s.write(".ccdestroy.yaml", "format: json\nyes: true\n")
	s.docker("compose", "up", "--detach") // needs no settings
	if r := s.compose("down", "-v"); r.code == 0 || !strings.Contains(r.stderr, `.ccdestroy.yaml:2: a project may not set "yes"`) || !s.hasVolume("PROJ_data") || !s.has("PROJ-web-1") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}
