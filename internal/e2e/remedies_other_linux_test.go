package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What a refused undo offers brings everything back, and loses nothing.
func TestUndoRemedies(t *testing.T) {
	t.Parallel()
	for _, running := range []bool{false, true} {
		t.Run(map[bool]string{false: "content", true: "in use"}[running], func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(double))
			s.docker("compose", "up", "--detach")
			s.fill("PROJ_one", "old")
			s.fill("PROJ_two", "old too")
			if r := s.ccdestroy("--keep-for", "1h"); r.code != 0 {
				t.Fatal(r.stderr)
			}
			s.docker("volume", "create", "PROJ_one")
			s.fill("PROJ_one", "new")
			if running {
				s.docker("compose", "up", "--detach")
			}
			r := s.ccdestroy("undo", "--reason", "a rehearsal")
			if r.code != 5 {
				t.Fatalf("exit %d\n%s", r.code, r.stderr)
			}
			s.obey(r.stderr, "Try")
			two := map[bool]string{false: "PROJ_two", true: "PROJ_two-restored"}[running]
			if one, old, too := s.held("PROJ_one"), s.held("PROJ_one-restored"), s.held(two); one != "new" || old != "old" || too != "old too" {
				t.Errorf("%q, %q, %q", one, old, too)
			}
		})
	}
}

// What is offered where a protected volume would go makes it go: from this program
// and from Compose, by a label and by a setting that cannot be lifted.
func TestProtectedRemedies(t *testing.T) {
	t.Parallel()
	guarded := strings.Replace(audited, "  data:\n  uploads:", "  data:\n    labels: {ccdestroy.protect: \"true\"}\n  uploads:", 1)
	for _, c := range []struct {
		name string
		down func(*stack) result
		away bool // the engine is not the one that commands find without being told
	}{
		{"this program", func(s *stack) result { return s.ccdestroy("-f", "compose.yaml", "--reason", "a test") }, false},
		{"some services", func(s *stack) result { return s.ccdestroy("down", "db", "web") }, false},
		{"compose", func(s *stack) result { return s.compose("-f", "compose.yaml", "down", "-v") }, false},
		{"compose, on another engine", func(s *stack) result {
			return run(s.t, s.command("", "docker", "--host", s.host, "compose", "-f", "compose.yaml", "down", "-v"))
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := withProvider(t, guarded)
			s.docker("compose", "up", "--detach")
			here, there := s.env, s.env
			if c.away {
				there = append(withoutVariables(here, "DOCKER_HOST"), "DOCKER_HOST=unix:///nowhere.sock")
			}
			s.env = there
			r := c.down(s)
			s.env = here
			if r.code == 0 || !s.hasVolume("PROJ_data") {
				t.Fatalf("exit %d\n%s", r.code, r.stderr)
			}
			screen := r.stderr
			if _, tries, found := strings.Cut(screen, "(try: "); found {
				text, _, _ := strings.Cut(tries, ")")
				screen = "Try: " + text + "\n"
			}
			s.env = there
			s.obey(screen, "Try")
			s.env = here
			if s.hasVolume("PROJ_data") || s.last().Outcome != "success" {
				t.Errorf("%s\n%s", s.last().Outcome, r.stderr)
			}
		})
	}
}

// What is offered where another operation is at work waits for it.
func TestLockedRemedy(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(talker))
	g := newGate(t, isArchive)
	s.docker("compose", "up", "--detach")
	b := s.start(s.command("", binary, "--export", "saved", "-H", g.host()))
	g.waitHeld()
	r := s.ccdestroy("--lock-timeout", "1s", "--reason", "a test")
	if r.code != 5 || !s.hasVolume("PROJ_data") {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	g.open()
	s.obey(r.stderr, "Try")
	if code := b.wait(); code != 0 || s.hasVolume("PROJ_data") {
		t.Errorf("exit %d\n%s", code, b.stderr())
	}
}

// What is offered where the command line is not understood, or names nothing, can
// be run, and destroys nothing where that was not asked for.
func TestTypingRemedies(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	s.ccdestroy("record", "--operation", "delete_dashboard", "--outcome", "success")
	for _, args := range [][]string{
		{"audti"}, {"-n", "20"}, {"-p", "shop", "audit"}, {"--profle", "x"}, {"-profile", "x"}, {"frobnicate"}, {"--dry-run", "inventory"}, {"help", "audti"},
		{"audit", "show", "09"}, {"restore", "nowhere"}, {"-p", s.name + "-nothing", "--must-exist"}, {"--unprotect", "nosuch"}, {"undo"}, {"trash", "purge", "09"},
	} {
		r := s.ccdestroy(args...)
		if r.code == 0 || !s.hasVolume("PROJ_data") {
			t.Errorf("%q: exit %d\n%s", args, r.code, r.stderr)
			continue
		}
		s.obey(r.stderr, "Try")
		if !s.hasVolume("PROJ_data") || !slices.Contains(s.running(), s.name+"-web-1") {
			t.Fatalf("%q: something is gone", args)
		}
	}
	r := s.ccdestroy("dwon", "web")
	s.obey(r.stderr, "Try")
	r = s.ccdestroy("web")
	if !s.hasVolume("PROJ_data") {
		s.docker("compose", "up", "--detach")
	}
	s.obey(r.stderr, "Try")
	if s.hasVolume("PROJ_data") {
		t.Errorf("not torn down:\n%s", r.stderr)
	}
}

// What a screen offers works where it was printed: away from the project, and with
// a log that was named.
func TestRemediesElsewhere(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"files elsewhere": {"-f", "PROJ/compose.yaml"},
		"a log elsewhere": {"-f", "PROJ/compose.yaml", "--log", "other log.jsonl"},
		"a project alone": {"-p", "PROJ", "--log", "PROJ/sub/audit.jsonl"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(double))
			s.docker("compose", "up", "--detach")
			s.fill("PROJ_one", "old")
			here := s.dir
			s.dir = filepath.Dir(here)
			for i, arg := range args {
				args[i] = strings.ReplaceAll(strings.ReplaceAll(arg, "PROJ/", filepath.Base(here)+"/"), "PROJ", s.name)
			}
			before := s.ccdestroy(append([]string{"inventory"}, args[:2]...)...)
			r := s.ccdestroy(append(args, "--keep-for", "1h")...)
			if before.code != 0 || r.code != 0 || s.hasVolume("PROJ_one") {
				t.Fatalf("exit %d, %d\n%s%s", before.code, r.code, before.stderr, r.stderr)
			}
			show := shows.FindStringSubmatch(r.stderr)
			if show == nil {
				t.Fatal(r.stderr)
			}
			undone := s.obey(r.stderr, "Undo until")
			if shown := run(t, s.command("", "sh", "-c", show[1])); shown.code != 0 || s.held("PROJ_one") != "old" {
				t.Errorf("%s: exit %d, %q\n%s", show[1], shown.code, s.held("PROJ_one"), shown.stderr)
			}
			if args[0] == "-p" {
				s.dir = here
			}
			if s.obey(undone.stderr, "To run it again"); len(s.running()) == 0 {
				t.Error("nothing runs again")
			}
		})
	}
}

// What is offered about a log that was named is about that log.
func TestRemediesOnALog(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	log := filepath.Join(s.dir, "the log.jsonl")
	s.docker("compose", "up", "--detach") // whose own log is the nearest one
	s.ccdestroy("record", "--operation", "x", "--outcome", "success")
	id := strings.TrimSpace(s.ccdestroy("record", "--operation", "x", "--outcome", "pending", "--log", log).stdout)
	r := s.ccdestroy("audit", "rotate", "--log", log)
	if r.code != 5 {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	if settled := s.obey(r.stderr, "Try"); id == "" || !strings.Contains(settled.stderr, id+" stays unfinished") {
		t.Errorf("of %q: %s", id, settled.stderr)
	}
	r = s.ccdestroy("run", "--operation", "y", "--log", log, "--", "mv", log, log+".away")
	if err := os.Rename(log+".away", log); err != nil {
		t.Fatal(err)
	}
	s.obey(r.stderr, "To make up for it")
	all := eventsIn(t, log)
	if len(all) != 3 || all[2].Operation != "y" || all[2].Outcome != "success" {
		t.Fatalf("%+v\n%s", all, r.stderr)
	}
	r = s.ccdestroy("record", "--id", all[2].ID, "--outcome", "failed", "--log", log)
	if listed := s.obey(r.stderr, "Try"); r.code == 0 || !strings.Contains(listed.stdout, id[:10]) {
		t.Errorf("exit %d: %s\n%s", r.code, r.stderr, listed.stdout)
	}
}
