package e2e

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/events"
	"golang.org/x/sys/unix"

	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/lab/trees"
)

// A restore is killed after it has written, before it has said so: reconcile
// compares.
func TestRestoreKilled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, outcome string }{{"as written", "success"}, {"changed since", "failed"}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(talker))
			written := false // into the volume: what is read from then on is compared
			p := newGate(t, func(r *http.Request) bool {
				written = written || requested(r, http.MethodPut, "/archive")
				return written && isArchive(r)
			})
			s.talking()
			export := s.exported("uploads", "--stop")
			cmd := s.command("", binary, "restore", export, "--as", s.name+"_back", "-H", p.host())
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			p.waitHeld()
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			p.open()
			if c.outcome == "failed" {
				s.docker("run", "--rm", "--volume", "PROJ_back:/v", os.Getenv("CCDESTROY_IMAGE"), "sh", "-c", "echo more >> /v/p")
			}
			if last := s.last(); last.Operation != "restore" || last.Outcome != "pending" {
				t.Fatalf("%s %s", last.Operation, last.Outcome)
			}
			if r := s.ccdestroy("reconcile", "-H", p.host()); r.code != 0 {
				t.Errorf("exit %d\n%s", r.code, r.stderr)
			}
			if last := s.last(); last.Outcome != c.outcome || last.Details.Settled != "reconcile" || (c.outcome == "failed") != strings.Contains(last.Details.Error, `"./p": size`) {
				t.Errorf("%s: %s", last.Outcome, last.Details.Error)
			}
			if s.helpers() > 0 {
				t.Error("a helper is left")
			}
		})
	}
}

// A restore is killed in every phase: reconcile says success where the volume
// holds what the export holds, and where it does not, failed.
func TestRestoreKilledAnywhere(t *testing.T) {
	t.Parallel()
	need.Root(t)
	s := newStack(t, one(talker))
	s.talking()
	from := s.mountpoint("PROJ_uploads")
	if err := trees.Many(from, 500); err != nil {
		t.Fatal(err)
	}
	export := s.exported("uploads", "--stop")
	want, back := treeOf(t, from, remote()), s.name+"_back"
	inside := filepath.Join(filepath.Dir(filepath.Dir(from)), back, "_data", "*")
	written := made(inside)
	written.name = "it has written"
	phases := []phase{begun, volumeMade, written, ended}
	var found tally
	for range 3 {
		for _, p := range phases {
			s.killedAt(p, "restore", export, "uploads", "--as", back)
			s.atRest(nil)
			if r := s.ccdestroy("reconcile"); r.code != 0 {
				t.Fatalf("reconcile: exit %d\n%s", r.code, r.stderr)
			}
			last := s.last()
			whole := s.hasVolume(back) && maps.Equal(want, treeOf(t, s.mountpoint(back), remote()))
			if whole != (last.Outcome == "success") || len(last.DataAffected) > 0 || s.helpers() > 0 {
				t.Errorf("killed when %s: whole %v, recorded as %s with %q: %s; %d helpers", p.name, whole, last.Outcome, last.DataAffected, last.Details.Error, s.helpers())
			}
			found.add(p, settledAs(last))
			if s.hasVolume(back) {
				s.docker("volume", "rm", back)
			}
		}
	}
	found.cutOff(t, phases[:len(phases)-1]...)
}

// A restore that removes what is in its way is killed in every phase: what it
// destroyed is in the record, whatever it had written by then.
func TestRestoreOverwriteKilled(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(talker))
	s.talking()
	export := s.exported("uploads", "--stop")
	s.docker("compose", "down")
	for _, p := range []phase{begun, volumeGone, volumeMade, ended} {
		s.docker("run", "--rm", "--volume", "PROJ_uploads:/v", "IMAGE", "sh", "-c", "echo other > /v/other")
		engine, before := listen(t, s.api, s.name), s.objects(context.Background())
		was := s.birthOf("PROJ_uploads")
		s.killedAt(p, "restore", export, "uploads", "--overwrite", "--yes")
		s.atRest(before)
		if r := s.ccdestroy("reconcile"); r.code != 0 {
			t.Fatalf("reconcile: exit %d\n%s", r.code, r.stderr)
		}
		s.hearOut(engine)
		// An engine whose client is killed may remove a volume and tell nobody.
		destroyed := engine.of(events.VolumeEventType, events.ActionDestroy) || s.birthOf("PROJ_uploads") != was
		if last := s.last(); destroyed != slices.Contains(last.DataAffected, s.name+"_uploads") {
			t.Errorf("killed when %s: destroyed %v, recorded as %s with %q: %s", p.name, destroyed, last.Outcome, last.DataAffected, last.Details.Error)
		}
	}
}

// birthOf is what a volume's directory is known by, "" where there is none.
func (s *stack) birthOf(volume string) string {
	s.t.Helper()
	if !s.hasVolume(volume) {
		return ""
	}
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, s.mountpoint(volume), 0, unix.STATX_INO|unix.STATX_BTIME, &st); err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprint(st.Ino, st.Btime)
}
