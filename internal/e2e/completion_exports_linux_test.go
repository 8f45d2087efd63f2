package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// completes is what a shell is told for a line, sorted.
func (s *stack) completes(line string) []string {
	s.t.Helper()
	cmd := s.command("", binary, "__complete", "ccdestroy", "", "")
	cmd.Env = append(cmd.Env, "COMP_LINE="+line, "COMP_POINT=999")
	r := run(s.t, cmd)
	if r.code != 0 {
		s.t.Fatalf("%q: exit %d\n%s", line, r.code, r.stderr)
	}
	words := strings.Fields(r.stdout)
	slices.Sort(words)
	return words
}

// Completed are exports after restore, and the volumes of the one that was typed;
// one that is damaged is not offered.
func TestExportsAreCompleted(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(double))
	s.docker("compose", "up", "--detach")
	exports := []string{s.exported("--stop", "one", "-o", "saved"), s.exported("--stop", "-o", "saved")}
	for i, path := range exports {
		exports[i] = filepath.Join("saved", filepath.Base(path))
	}
	slices.Sort(exports)
	offered := func() []string {
		return slices.DeleteFunc(s.completes("ccdestroy restore "), func(w string) bool { return !strings.HasPrefix(w, "saved/") || w == "saved/" })
	}
	if got := offered(); !slices.Equal(got, exports) {
		t.Fatalf("%q, want %q", got, exports)
	}
	for line, want := range map[string][]string{
		"ccdestroy restore " + exports[0] + " ":          s.volumesIn(exports[0]),
		"ccdestroy restore " + exports[1] + " ":          s.volumesIn(exports[1]),
		"ccdestroy restore " + exports[1] + " " + s.name: s.volumesIn(exports[1]),
		"ccdestroy restore " + exports[1] + " nothing":   nil,
		"ccdestroy restore saved/nothing ":               nil,
	} {
		if got := s.completes(line); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
	need.Run(t, "rm", "-r", filepath.Join(s.dir, exports[0], "volumes"))
	if got := offered(); !slices.Equal(got, exports[1:]) {
		t.Errorf("with one damaged: %q", got)
	}
}

// volumesIn are the volumes of an export by its manifest, sorted.
func (s *stack) volumesIn(export string) (names []string) {
	s.t.Helper()
	for _, v := range manifestOf(s.t, filepath.Join(s.dir, export)).Volumes {
		names = append(names, v.Name)
	}
	slices.Sort(names)
	return names
}

// After undo, what can be undone: operations, and volumes of the one that was
// typed, else of the newest; and what was brought back no longer.
func TestUndoIsCompleted(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(double))
	s.docker("compose", "up", "--detach")
	if r := s.ccdestroy("--keep-for", "1h"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	id, volumes := s.last().ID, []string{s.name + "_one", s.name + "_two"}
	for line, want := range map[string][]string{
		"ccdestroy undo ":              append([]string{id}, volumes...),
		"ccdestroy undo " + id[:12]:    {id},
		"ccdestroy undo " + id + " ":   volumes,
		"ccdestroy undo " + volumes[0]: volumes[:1],
	} {
		if got := s.completes(line); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
	s.undoes(id, volumes[0])
	if got := s.completes("ccdestroy undo " + id + " "); !slices.Equal(got, volumes[1:]) {
		t.Errorf("after an undo of one: %q", got)
	}
	s.undoes()
	if got := s.completes("ccdestroy undo "); len(got) > 0 {
		t.Errorf("after an undo of both: %q", got)
	}
}
