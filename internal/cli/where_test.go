package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// A command is told of the log unless it finds it where the user is, and an undo of
// the operation unless its project is there.
func TestStyleFor(t *testing.T) {
	dir := t.TempDir()
	project, inner := filepath.Join(dir, "shop"), filepath.Join(dir, "shop", "inner")
	log, other := filepath.Join(project, ".contextcore", "audit.jsonl"), filepath.Join(dir, "other.jsonl")
	for _, path := range []string{filepath.Dir(log), inner} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, from, set, log, of string
		told                     string
		byID                     bool
	}{
		{"in the project", project, "", log, project, "", false},
		{"below it", inner, "", log, project, "", false},
		{"above it", dir, "", log, project, log, true},
		{"a log that was named", project, "", other, project, other, true},
		{"a log that is set", project, other, other, project, "", false},
		{"a log that is set, by a relative path", project, "../other.jsonl", other, project, "", false},
		{"above it, with a log that is set", dir, other, other, project, "", true},
		{"another log than is set", project, other, log, project, log, true},
		{"a first log", inner, "", filepath.Join(inner, ".contextcore", "audit.jsonl"), "", "", false},
		{"no log", dir, "", "", "", "", false},
	} {
		p := Process{Dir: c.from, Stdout: os.Stdout, Environ: []string{}}
		if c.set != "" {
			p.Environ = append(p.Environ, "CCDESTROY_LOG="+c.set)
		}
		p.set = &settings{p: p}
		if got := p.styleFor(os.Stdout, c.log, c.of); got.Log != c.told || got.ByID != c.byID {
			t.Errorf("%s: %q, %v", c.name, got.Log, got.ByID)
		}
	}
}
