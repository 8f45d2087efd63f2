package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// A spoilt or hostile export changes nothing, through either way of writing.
func TestRestoreSpoilt(t *testing.T) {
	t.Parallel()
	need.Root(t)
	p := newProxy(t)
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, s *stack, export string)
		code  int
		says  string
	}{
		{"a flipped bit", func(t *testing.T, s *stack, export string) {
			path := filepath.Join(export, "volumes", s.name+"_uploads.tar.zst")
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 4
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}, 5, "damaged"},
		{"a missing archive", func(t *testing.T, s *stack, export string) {
			need.Run(t, "rm", filepath.Join(export, "volumes", s.name+"_uploads.tar.zst"))
		}, 5, "no such file"},
		{"a newer manifest", func(t *testing.T, _ *stack, export string) {
			need.Run(t, "sed", "-i", `s/"version": 1,/"version": 2,/`, filepath.Join(export, "manifest.json"))
		}, 1, "newer ccdestroy"},
		{"half an export", func(t *testing.T, _ *stack, export string) {
			need.Run(t, "mv", export, export+".incomplete")
			need.Run(t, "ln", "-s", filepath.Base(export)+".incomplete", export)
			need.Run(t, "rm", filepath.Join(export, "manifest.json"))
		}, 1, "it has no manifest.json"},
		{"an archive that climbs out", func(t *testing.T, s *stack, export string) {
			climbing(t, s, export)
		}, 1, "not safe to unpack"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(talker))
			s.talking()
			export := s.exported("uploads", "--stop")
			c.spoil(t, s, export)
			for _, host := range []string{engineHost(), p.host()} {
				r := s.ccdestroy("restore", export, "--as", s.name+"_back", "-H", host)
				if r.code != c.code || !strings.Contains(r.stderr, c.says) || s.hasVolume("PROJ_back") || s.helpers() > 0 {
					t.Errorf("%s: exit %d\n%s", host, r.code, r.stderr)
				}
			}
			if _, err := os.Stat("/tmp/climbed-" + s.name); err == nil {
				t.Error("something was written outside of the volume")
			}
			if r := s.ccdestroy("exports", "check", export); r.code != 7 {
				t.Errorf("check: exit %d\n%s%s", r.code, r.stdout, r.stderr)
			}
		})
	}
}
