package e2e

import (
	"archive/tar"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// manifest is what of manifest.json the tests look at, read by field names.
type manifest struct {
	Version int    `json:"version"`
	EventID string `json:"event_id"`
	Project string `json:"project"`
	Ran     []struct{ ID, Name string }
	Volumes []savedVolume
}

// savedVolume is what a manifest says of one volume.
type savedVolume struct {
	Name, Key, Driver, Method, Consistency string
	Root                                   struct {
		Mode     string
		UID, GID int
	}
	Entries map[string]int
	Bytes   int64
	Skipped []struct {
		What, Why string
		Count     int
		Names     []string
	}
	Archive struct {
		Path, SHA256 string
		Size         int64
	}
}

func manifestOf(t *testing.T, export string) (m manifest) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(export, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// exported runs ccdestroy export and returns where the export lies.
func (s *stack) exported(args ...string) string {
	s.t.Helper()
	r := s.ccdestroy(append([]string{"export"}, args...)...)
	if r.code != 0 {
		s.t.Fatalf("export %q: exit %d\n%s", args, r.code, r.stderr)
	}
	return strings.TrimSpace(r.stdout)
}

func (s *stack) talking() {
	s.t.Helper()
	s.docker("compose", "up", "--detach")
	s.docker("compose", "exec", "-T", "web", "sh", "-c", "echo picture > /uploads/p; echo $RANDOM >> /uploads/p")
	waitFor(s.t, "the log", func() bool {
		return run(s.t, s.command("", "docker", "compose", "exec", "-T", "db", "test", "-s", "/data/log")).code == 0
	})
}

// untouched fails unless all that ran runs, all volumes are there, and no helper
// is left.
func (s *stack) untouched() {
	s.t.Helper()
	waitFor(s.t, "the services to run again", func() bool {
		return slices.Equal(s.running(), []string{s.name + "-db-1", s.name + "-web-1"})
	})
	if !s.hasVolume("PROJ_data") || !s.hasVolume("PROJ_uploads") {
		s.t.Error("a volume is gone")
	}
	if s.helpers() > 0 {
		s.t.Error("a helper is left")
	}
}

// climbing puts an archive into the export whose hashes are right and whose
// entry leads out of the volume.
func climbing(t *testing.T, s *stack, export string) {
	t.Helper()
	parent := t.TempDir()
	d, err := archive.Begin(parent, "evil", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	v := archive.Volume{Name: s.name + "_uploads", Driver: "local"}
	err = d.Save(t.Context(), &v, 1, func(_ context.Context, w io.Writer) (archive.Content, error) {
		tw := tar.NewWriter(w)
		for _, h := range []*tar.Header{{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755}, {Name: "./../../../../../../../../tmp/climbed-" + s.name, Typeflag: tar.TypeReg, Mode: 0o644}} {
			if err := tw.WriteHeader(h); err != nil {
				return archive.Content{}, err
			}
		}
		return archive.Content{}, tw.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Finish(archive.Manifest{Project: "evil", Volumes: []archive.Volume{v}}); err != nil {
		t.Fatal(err)
	}
	need.Run(t, "rm", "-r", export)
	need.Run(t, "mv", d.Final(), export)
}
