package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestInventoryJSON(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(shop))
	s.docker("compose", "up", "--detach")
	s.docker("exec", "PROJ-db-1", "sh", "-c", "head -c 5000 /dev/zero > /data/a; ln /data/a /data/b")
	r := s.ccdestroy("inventory", "--format", "json")
	var inv struct {
		Project   string
		Resources []struct {
			Kind, Name, Fate string
			Size             *struct{ Bytes int64 }
			UsedBy           []string `json:"used_by"`
		}
	}
	if err := json.Unmarshal([]byte(r.stdout), &inv); err != nil || r.code != 0 {
		t.Fatalf("exit %d, %v\n%s", r.code, err, r.stdout)
	}
	if inv.Project != s.name || len(inv.Resources) != 6 {
		t.Errorf("%+v", inv)
	}
	first := inv.Resources[0]
	if first.Name != s.expand("PROJ_data") || first.Fate != "removed" || first.Size == nil || first.Size.Bytes != 5000 || len(first.UsedBy) != 1 {
		t.Errorf("%+v: hard links must count once", first)
	}
}

func TestDryRunAndInventoryRecordNothing(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(shop))
	s.docker("compose", "up", "--detach")
	dry, inv := s.ccdestroy("--dry-run"), s.ccdestroy("inventory")
	if dry.code != 0 || dry.stdout != inv.stdout && !strings.Contains(dry.stdout, "second") || !strings.Contains(dry.stdout, "Destroys ") {
		t.Errorf("exit %d\n%s\n%s", dry.code, dry.stdout, inv.stdout)
	}
	if _, err := os.Stat(filepath.Dir(s.logPath())); err == nil || !s.hasVolume("PROJ_data") {
		t.Error("a dry run left something behind, or destroyed something")
	}
	if r := s.ccdestroy("down", "--dry-run", "web"); r.code != 0 || !strings.Contains(r.stdout, "services web") {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

func TestNoVolumes(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(shop))
	s.docker("compose", "up", "--detach")
	r := s.ccdestroy("--no-volumes")
	last := s.last()
	if r.code != 0 || len(last.DataAffected) != 0 || strings.Join(last.Details.Command, " ") != "docker compose down" || !s.hasVolume("PROJ_data") || s.has("PROJ-web-1") {
		t.Errorf("exit %d, affected %q, command %q\n%s", r.code, last.DataAffected, last.Details.Command, r.stderr)
	}
}

func TestThousandVolumes(t *testing.T) {
	t.Parallel()
	const n = 1000
	var b strings.Builder
	b.WriteString("name: PROJ\nservices:\n  web:\n    image: IMAGE\nvolumes:\n")
	for i := range n {
		fmt.Fprintf(&b, "  v%04d:\n", i)
	}
	s := newStack(t, one(b.String()))
	for i := range n {
		name := s.expand(fmt.Sprintf("PROJ_v%04d", i))
		s.createVolume(name, map[string]string{"com.docker.compose.project": s.name, "com.docker.compose.volume": name})
	}
	r := s.ccdestroy("--all-resources")
	if last := s.last(); r.code != 0 || len(last.DataAffected) != n || last.Outcome != "success" {
		t.Errorf("exit %d, %d affected\n%.2000s", r.code, len(last.DataAffected), r.stderr)
	}
	if lines := strings.Count(r.stderr[:strings.Index(r.stderr, " Volume ")], "\n"); lines != 1 {
		t.Errorf("the summary takes %d lines", lines)
	}
	r = s.ccdestroy("audit", "-n", "1")
	if !strings.Contains(r.stdout, "1000 volumes") {
		t.Errorf("%s", r.stdout)
	}
}
