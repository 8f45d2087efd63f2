package e2e

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
)

// twoDone has two services at work, and one that is not up yet.
const twoDone = `
name: PROJ
services:
  db:
    image: IMAGE
    volumes: [data:/data]
  web:
    image: IMAGE
    volumes: [uploads:/uploads]
  job:
    image: IMAGE
    volumes: [late:/late]
volumes:
  data:
  uploads:
  late:
`

// fill writes a file into a volume, through a container of its own.
func (s *stack) fill(volume, text string) {
	s.t.Helper()
	s.docker("run", "--rm", "--volume", volume+":/v", "--network", "none", os.Getenv("CCDESTROY_IMAGE"), "sh", "-c", "echo "+text+" > /v/file")
}

func (s *stack) content(volume string) string {
	s.t.Helper()
	return s.docker("run", "--rm", "--volume", volume+":/v", "--network", "none", os.Getenv("CCDESTROY_IMAGE"), "cat", "/v/file")
}

// What comes into being while an export of a teardown is under way is exported as
// well, and recorded; or it refuses, and the services run again. Nobody is asked.
func TestWorldMovesDuringExport(t *testing.T) {
	t.Parallel()
	// Archives wait: volumes are being read.
	reading := func(r *http.Request) bool { return isArchive(r) }
	// The look after the volumes have been read waits.
	var read bool
	looking := func(r *http.Request) bool {
		read = read || isArchive(r)
		return read && requested(r, http.MethodGet, "/volumes")
	}
	for _, c := range []struct {
		name  string
		args  []string
		hold  func(*http.Request) bool
		moves func(*stack)
		code  int
		saved []string // "" where it refuses
		says  string
		runs  []string // services that run afterwards
	}{
		{"a volume appears", []string{"--yes"}, reading, func(s *stack) { s.docker("volume", "create", "PROJ_late"); s.fill("PROJ_late", "new") },
			0, []string{"PROJ_data", "PROJ_uploads", "PROJ_late"}, "", nil},
		{"a volume appears after all was read", nil, looking, func(s *stack) { s.docker("volume", "create", "PROJ_late"); s.fill("PROJ_late", "new") },
			0, []string{"PROJ_data", "PROJ_uploads", "PROJ_late"}, "", nil},
		{"a protected one appears", nil, reading, func(s *stack) { s.docker("volume", "create", protectLabel, "PROJ_late") },
			5, nil, "protected by the label ccdestroy.protect=true: volume PROJ_late", []string{"db", "web"}},
		{"one that was saved is made again", []string{"--yes"}, looking, func(s *stack) { s.remake("PROJ_data", "PROJ-db-1"); s.fill("PROJ_data", "new") },
			5, nil, "volume PROJ_data was made again", []string{"web"}},
		{"one that was saved is made again, protected", nil, looking, func(s *stack) { s.remake("PROJ_data", "PROJ-db-1", protectLabel); s.fill("PROJ_data", "new") },
			5, nil, "protected by the label ccdestroy.protect=true: volume PROJ_data", []string{"web"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			read = false
			s := newStack(t, one(twoDone))
			s.docker("compose", "up", "--detach", "db", "web")
			s.fill("PROJ_data", "old")
			g := newGate(t, c.hold)
			b := s.start(s.command("", binary, append([]string{"--export", "saved", "-H", g.host()}, c.args...)...))
			g.waitHeld()
			c.moves(s)
			g.open()
			code, last := b.wait(), s.last()
			if code != c.code || !strings.Contains(b.stderr(), s.expand(c.says)) || c.code == 5 && !strings.Contains(b.stderr(), "\nTry: ") {
				t.Fatalf("exit %d\n%s", code, b.stderr())
			}
			if c.code == 0 {
				s.savedAndGone(last, c.saved)
				return
			}
			if last.Outcome != "failed" || len(last.DataAffected) > 0 {
				t.Errorf("%s, %q", last.Outcome, last.DataAffected)
			}
			if c.runs != nil {
				s.runAgain(c.runs)
			}
			for _, name := range []string{"PROJ_data", "PROJ_uploads"} {
				if !s.hasVolume(name) {
					t.Errorf("%s is gone", name)
				}
			}
			if want := map[bool]string{true: "new", false: "old"}[len(c.runs) == 1]; s.content("PROJ_data") != want {
				t.Errorf("the volume holds %q", s.content("PROJ_data"))
			}
			if s.helpers() > 0 {
				t.Error("a helper is left")
			}
		})
	}
}

// savedAndGone holds a teardown with an export against what is in it.
func (s *stack) savedAndGone(last event, volumes []string) {
	s.t.Helper()
	var want, saved, known []string
	for _, name := range volumes {
		want = append(want, s.expand(name))
	}
	for _, v := range manifestOf(s.t, last.ExportPath).Volumes {
		saved = append(saved, v.Name)
	}
	for _, v := range last.Details.Export.Volumes {
		known = append(known, v.Name)
	}
	for _, list := range [][]string{want, saved, known} {
		slices.Sort(list)
	}
	if last.Outcome != "success" || !slices.Equal(last.DataAffected, want) || !slices.Equal(saved, want) || !slices.Equal(known, want) {
		s.t.Errorf("%s: lost %q, saved %q, recorded as saved %q; want %q", last.Outcome, last.DataAffected, saved, known, want)
	}
	if r := s.ccdestroy("exports", "check", last.ExportPath); r.code != 0 {
		s.t.Errorf("exports check: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if r := s.ccdestroy("restore", last.ExportPath, s.name+"_late"); r.code != 0 || s.content("PROJ_late") != "new" {
		s.t.Errorf("restore: exit %d\n%s", r.code, r.stderr)
	}
}

// runAgain waits until the services run.
func (s *stack) runAgain(services []string) {
	s.t.Helper()
	var want []string
	for _, service := range services {
		want = append(want, s.name+"-"+service+"-1")
	}
	waitFor(s.t, "the services to run again", func() bool { return slices.Equal(s.running(), want) })
}

// An export that was killed is settled before the next one looks: what it had
// stopped runs again, is stopped again, and is not taken for what was at rest.
func TestKilledExportIsSettledBeforeTheLook(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(talker))
	g := newGate(t, isArchive)
	s.talking()
	b := s.start(s.command("", binary, "--export", "first", "-H", g.host()))
	g.waitHeld()
	_ = b.cmd.Process.Kill()
	b.wait()
	g.open()
	if len(s.running()) != 0 || s.last().Outcome != "pending" {
		t.Fatalf("%q runs, %s: this test shows nothing", s.running(), s.last().Outcome)
	}
	r := s.ccdestroy("--export", "second", "-H", g.host())
	last, all := s.last(), s.events()
	if r.code != 0 || last.Outcome != "success" || !strings.Contains(r.stderr, "Settled destroy of "+all[0].ID) {
		t.Fatalf("exit %d, %s\n%s", r.code, last.Outcome, r.stderr)
	}
	if all[1].ID != all[0].ID || all[1].Outcome != "failed" || all[1].Details.Settled != "reconcile" {
		t.Errorf("the first one is recorded as %+v", all[1])
	}
	m := manifestOf(t, last.ExportPath)
	if len(m.Ran) != 2 || len(all[2].Details.Stopped) != 2 {
		t.Errorf("%d containers ran as the manifest says, %d were stopped as the record says", len(m.Ran), len(all[2].Details.Stopped))
	}
	for _, v := range m.Volumes {
		if v.Consistency != "stopped" {
			t.Errorf("%s was exported %s", v.Name, v.Consistency)
		}
	}
	if r := s.ccdestroy("restore", last.ExportPath, "data"); r.code != 0 {
		t.Fatalf("restore: exit %d\n%s", r.code, r.stderr)
	}
	if log := s.docker("run", "--rm", "--volume", "PROJ_data:/v", os.Getenv("CCDESTROY_IMAGE"), "tail", "-n1", "/v/log"); log != "closed" {
		t.Errorf("what is exported ends with %q: the database was at work", log)
	}
	if r := s.ccdestroy("audit", "verify"); r.code != 0 {
		t.Errorf("verify: %s", r.stdout)
	}
}
