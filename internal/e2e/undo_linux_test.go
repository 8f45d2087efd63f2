package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// ways are the two ways to the trash of an engine: directly, and through this
// program in a container, where the engine is another host's by its address.
func ways(t *testing.T, run func(t *testing.T, newStack func(files map[string]string) *stack)) {
	by := func(t *testing.T, host string) func(map[string]string) *stack {
		return func(files map[string]string) *stack {
			s := newStack(t, files)
			if host != "" {
				s.env = append(withoutVariables(s.env, "DOCKER_HOST"), "DOCKER_HOST="+host)
			}
			t.Cleanup(s.emptyTrash)
			return s
		}
	}
	t.Run("directly", func(t *testing.T) {
		need.That(t, "an engine whose files are this account's", !remote())
		run(t, by(t, ""))
	})
	t.Run("helper", func(t *testing.T) {
		if remote() {
			run(t, by(t, "")) // there is no other way
			return
		}
		run(t, by(t, newProxy(t).host()))
	})
}

// heldVolume is a line of ccdestroy trash in JSON.
type heldVolume struct{ Operation, Volume, Project, Until, State string }

// trash is what the engine's trash has of this test.
func (s *stack) trash() (mine []heldVolume) {
	s.t.Helper()
	r := s.ccdestroy("trash", "--format", "json")
	var all []heldVolume
	if err := json.Unmarshal([]byte(r.stdout), &all); err != nil || r.code != 0 {
		s.t.Fatalf("exit %d, %v\n%s", r.code, err, r.stderr)
	}
	ids := map[string]bool{}
	for _, e := range s.events() {
		ids[e.ID] = true
	}
	return slices.DeleteFunc(all, func(h heldVolume) bool { return !ids[h.Operation] })
}

// trashDir is where the engine keeps what was set aside.
func (s *stack) trashDir() string {
	return filepath.Join(s.docker("info", "--format", "{{.DockerRootDir}}"), "ccdestroy-trash", "v1")
}

func (s *stack) emptyTrash() {
	for _, e := range s.events() {
		_ = os.RemoveAll(filepath.Join(s.trashDir(), e.ID))
	}
}

// undoes brings everything back.
func (s *stack) undoes(args ...string) result {
	s.t.Helper()
	r := s.ccdestroy(append([]string{"undo"}, args...)...)
	if r.code != 0 {
		s.t.Fatalf("undo %q: exit %d\n%s", args, r.code, r.stderr)
	}
	return r
}

func inodeOf(t *testing.T, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

// What is torn down while it runs comes back as it was at its end, with names and
// labels, anonymous volumes too.
func TestUndo(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, newStack func(map[string]string) *stack) {
		s := newStack(one(talker))
		s.talking()
		dir := s.mountpoint("PROJ_data")
		ino := inodeOf(t, dir)
		labels := s.docker("volume", "inspect", "--format", "{{json .Labels}}", "PROJ_data")
		anonymous := s.docker("inspect", "--format", `{{range .Mounts}}{{if eq .Destination "/anon"}}{{.Name}}{{end}}{{end}}`, "PROJ-db-1")
		s.docker("compose", "exec", "-T", "db", "sh", "-c", "echo here > /anon/f")

		r := s.ccdestroy(inOrder("--keep-for", "7d")...)
		last := s.last()
		if r.code != 0 || last.Outcome != "success" || s.hasVolume("PROJ_data") || s.hasVolume(anonymous) || len(last.DataAffected) != 3 || len(last.Details.Kept) != 3 {
			t.Fatalf("exit %d, %+v\n%s", r.code, last, r.stderr)
		}
		if !strings.Contains(r.stderr, "Kept for 7 days: ccdestroy undo brings them back.") || !strings.Contains(r.stderr, "Undo until ") {
			t.Errorf("it does not say so:\n%s", r.stderr)
		}
		if held := s.trash(); len(held) != 3 || held[0].State != "kept" || held[0].Project != s.name {
			t.Errorf("the trash has %+v", held)
		}
		u := s.undoes()
		last = s.last()
		if last.Operation != "undo" || last.Outcome != "success" || len(last.Details.Undone) != 3 || len(last.DataAffected) != 0 {
			t.Errorf("%+v", last)
		}
		if inodeOf(t, s.mountpoint("PROJ_data")) != ino {
			t.Error("it is another directory")
		}
		log, err := os.ReadFile(filepath.Join(dir, "log"))
		if err != nil || !strings.HasSuffix(string(log), "closed\n") {
			t.Errorf("what was written at the shutdown is not there: %v, %q", err, log)
		}
		if now := s.docker("volume", "inspect", "--format", "{{json .Labels}}", "PROJ_data"); now != labels {
			t.Errorf("labels are %s, and were %s", now, labels)
		}
		if text, err := os.ReadFile(filepath.Join(s.mountpoint(anonymous), "f")); err != nil || string(text) != "here\n" {
			t.Errorf("anonymous: %v, %q", err, text)
		}
		if shown := s.ccdestroy("audit", "show", last.Details.Undone[0].Operation); strings.Count(shown.stdout, "brought back by "+last.ID[:10]) != 3 {
			t.Errorf("what was undone does not say so:\n%s", shown.stdout)
		}
		if !strings.Contains(u.stderr, "docker compose up -d") {
			t.Errorf("it does not say what to run:\n%s", u.stderr)
		}
		s.docker("compose", "up", "--detach")
		if held := s.trash(); len(held) > 0 {
			t.Errorf("the trash has %+v", held)
		}
		if r := s.ccdestroy("undo", "-p", "Other"); r.code != 1 || !strings.Contains(r.stderr, `nothing of project "other" can be undone`) {
			t.Errorf("exit %d\n%s", r.code, r.stderr)
		}
		if r := s.ccdestroy("undo"); r.code != 1 || !strings.Contains(r.stderr, "nothing of this project can be undone") {
			t.Errorf("again: exit %d\n%s", r.code, r.stderr)
		}
	})
}

// What is in the way is never overwritten.
func TestUndoInTheWay(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, newStack func(map[string]string) *stack) {
		s := newStack(one(single))
		s.docker("compose", "up", "--detach")
		s.write("in", "old\n")
		s.docker("compose", "exec", "-T", "web", "sh", "-c", "echo old > /data/f")
		if r := s.ccdestroy("--keep-for", "1h"); r.code != 0 {
			t.Fatal(r)
		}
		id := s.last().ID
		s.docker("compose", "up", "--detach")
		if r := s.ccdestroy("undo"); r.code != 5 || !strings.Contains(r.stderr, "in use by "+s.name+"-web-1") {
			t.Errorf("in use: exit %d\n%s", r.code, r.stderr)
		}
		s.docker("compose", "down")
		s.docker("run", "--rm", "-v", "PROJ_data:/data", "--network", "none", "IMAGE", "sh", "-c", "echo new > /data/f")
		if r := s.ccdestroy("undo"); r.code != 5 || !strings.Contains(r.stderr, "has content") {
			t.Errorf("content: exit %d\n%s", r.code, r.stderr)
		}
		if last := s.last(); last.Operation != "undo" || last.Outcome != "failed" || len(last.Details.Undone) != 0 {
			t.Errorf("%+v", last)
		}
		content := func(volume string) string {
			data, _ := os.ReadFile(filepath.Join(s.mountpoint(volume), "f"))
			return strings.TrimSpace(string(data))
		}
		// A failed undo ends nothing: it can be tried again.
		s.undoes(id[:12], "data", "--as", s.name+"_old")
		if content("PROJ_data") != "new" || content("PROJ_old") != "old" {
			t.Errorf("%q, %q", content("PROJ_data"), content("PROJ_old"))
		}
		// An empty one is swapped.
		if r := s.ccdestroy("--keep-for", "1h"); r.code != 0 {
			t.Fatal(r)
		}
		s.docker("compose", "create")
		s.undoes()
		if content("PROJ_data") != "new" {
			t.Errorf("swapped: %q", content("PROJ_data"))
		}
	})
}

// Nothing that others still use is set aside for good, and without --keep-for an
// unattended teardown keeps nothing.
func TestKeepingSurvivors(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, newStack func(map[string]string) *stack) {
		s := newStack(one(double))
		s.docker("compose", "up", "--detach")
		p := listen(t, s.api, s.name)
		defer p.stop()
		s.docker("run", "--detach", "--name", "PROJ-stranger", "--network", "none", "-v", "PROJ_one:/x", "IMAGE", "sh", "-c", "echo mine > /x/f; sleep infinity")
		ino := inodeOf(t, s.mountpoint("PROJ_one"))
		r := s.ccdestroy("--keep-for", "1h")
		last := s.last()
		if r.code != 3 || last.Outcome != "partial" || len(last.Details.Kept) != 1 || last.Details.Kept[0].Name != s.name+"_two" || !slices.Equal(last.DataAffected, []string{s.name + "_two"}) {
			t.Errorf("exit %d, %+v\n%s", r.code, last, r.stderr)
		}
		if inodeOf(t, s.mountpoint("PROJ_one")) != ino {
			t.Error("what is in use was replaced")
		}
		s.docker("rm", "-f", "PROJ-stranger")
		if r := s.ccdestroy(); r.code != 0 || len(s.last().Details.Kept) != 0 || strings.Contains(r.stderr, "Undo until") {
			t.Errorf("exit %d\n%s", r.code, r.stderr)
		}
	})
}

// Purged is gone for good, and recorded; what was removed by hand is told.
func TestTrashPurge(t *testing.T) {
	ways(t, func(t *testing.T, newStack func(map[string]string) *stack) {
		s := newStack(one(double))
		for range 3 {
			s.docker("compose", "up", "--detach")
			if r := s.ccdestroy("--keep-for", "1h"); r.code != 0 {
				t.Fatal(r)
			}
		}
		var ids []string
		for _, e := range s.events() {
			if e.Outcome == "success" {
				ids = append(ids, e.ID)
			}
		}
		if r := s.ccdestroy("trash", "purge", "--yes", ids[0]); r.code != 0 {
			t.Fatal(r)
		}
		last := s.last()
		if last.Operation != "purge" || last.Outcome != "success" || len(last.Details.Purged) != 2 || last.Details.Purged[0].Operation != ids[0] || len(last.DataAffected) != 2 {
			t.Errorf("%+v", last)
		}
		if shown := s.ccdestroy("audit", "show", ids[0]); strings.Count(shown.stdout, "purged by "+last.ID[:10]) != 2 {
			t.Errorf("what was purged does not say so:\n%s", shown.stdout)
		}
		if exists(filepath.Join(s.trashDir(), ids[0])) || !exists(filepath.Join(s.trashDir(), ids[1])) {
			t.Error("not what was named is gone")
		}
		if r := s.ccdestroy("undo", ids[0]); r.code != 1 || !strings.Contains(r.stderr, "purged") {
			t.Errorf("exit %d\n%s", r.code, r.stderr)
		}
		need.Run(t, "rm", "-r", filepath.Join(s.trashDir(), ids[2]))
		if r := s.ccdestroy("undo"); r.code != 1 || !strings.Contains(r.stderr, "removed by hand") {
			t.Errorf("exit %d\n%s", r.code, r.stderr)
		}
		s.undoes(ids[1])
		if !s.hasVolume("PROJ_one") || !s.hasVolume("PROJ_two") {
			t.Error("a volume is missing")
		}
	})
}

// What is over is purged by a process that nobody waits for.
func TestTrashExpires(t *testing.T) {
	ways(t, func(t *testing.T, newStack func(map[string]string) *stack) {
		s := newStack(one(single))
		s.docker("compose", "up", "--detach")
		if r := s.ccdestroy("--keep-for", "1s"); r.code != 0 {
			t.Fatal(r)
		}
		id := s.last().ID
		s.docker("compose", "up", "--detach")
		waitFor(t, "its end", func() bool { held := s.trash(); return len(held) == 1 && held[0].State == "over" })
		if r := s.ccdestroy("--keep-for", "1h"); r.code != 0 {
			t.Fatal(r)
		}
		waitFor(t, "the purge", func() bool { last := s.last(); return last.Operation == "purge" && last.Outcome == "success" })
		if purged := s.last().Details.Purged; len(purged) != 1 || purged[0].Operation != id {
			t.Errorf("%+v", purged)
		}
		if held := s.trash(); len(held) != 1 || held[0].Operation == id {
			t.Errorf("the trash has %+v", held)
		}
	})
}

// A log that a group shares gets the record of a purge too, whoever of the group made it.
func TestTrashOfAGroup(t *testing.T) {
	t.Parallel()
	need.Root(t)
	const member, admins = 4801, 4800
	s := newStack(t, one(single))
	t.Cleanup(s.emptyTrash)
	down := func(time string) {
		s.docker("compose", "up", "--detach")
		if r := s.ccdestroy("--keep-for", time, "--log-group", "4800"); r.code != 0 {
			t.Fatalf("exit %d\n%s", r.code, r.stderr)
		}
	}
	down("1s")
	if err := os.Chown(s.logPath(), member, admins); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "its end", func() bool { held := s.trash(); return len(held) == 1 && held[0].State == "over" })
	down("1h")
	waitFor(t, "the purge", func() bool { last := s.last(); return last.Operation == "purge" && last.Outcome == "success" })
	held := s.trash()
	if len(held) != 1 {
		t.Fatalf("the trash has %+v", held)
	}
	if r := s.ccdestroy("trash", "purge", "--yes", held[0].Operation); r.code == 0 || len(s.trash()) != 1 {
		t.Errorf("without the setting another's log is trusted: exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("trash", "purge", "--yes", "--log-group", "4800", held[0].Operation); r.code != 0 || len(s.trash()) != 0 {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}
