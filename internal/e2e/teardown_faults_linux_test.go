package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// TestFaultsInTeardown lets the system calls that write the record of a real
// teardown fail, and kills it in them: nothing vanishes without its durable
// pending event, and what is unfinished can be settled.
func TestFaultsInTeardown(t *testing.T) {
	t.Parallel()
	need.Root(t)
	need.Command(t, "strace")
	struck, mu := map[string]int{}, sync.Mutex{}
	t.Run("all", func(t *testing.T) {
		for _, call := range []string{"openat", "flock", "fallocate", "pread64", "write", "fsync"} {
			for _, fault := range []string{"error=EIO", "error=ENOSPC", "signal=KILL"} {
				for when := 1; when <= 2; when++ {
					t.Run(fmt.Sprintf("%s %s %d", call, fault, when), func(t *testing.T) {
						t.Parallel()
						n := teardownWith(t, call, fault, when)
						mu.Lock()
						defer mu.Unlock()
						struck[call] += n
					})
				}
			}
		}
	})
	t.Logf("faults put on: %v", struck)
	for _, call := range []string{"openat", "flock", "fallocate", "pread64", "write", "fsync"} {
		if struck[call] < 3 {
			t.Errorf("only %d faults in %s", struck[call], call)
		}
	}
}

func teardownWith(t *testing.T, call, fault string, when int) (struck int) {
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	before := s.objects(context.Background())
	s.env = append(s.env, "GOMAXPROCS=1") // strace counts the calls of each thread: let one make most of them
	trace := filepath.Join(t.TempDir(), "trace")
	r := run(t, s.command("", "strace", "-f", "-qq", "-o", trace, "-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:%s:when=%d", call, fault, when),
		"-P", s.logPath(), "-P", s.logPath()+".lock", "-P", filepath.Dir(s.logPath()), binary))
	vanished := s.atRest(before)
	events := s.events()
	if len(vanished) > 0 && (len(events) == 0 || events[0].Outcome != "pending" || len(events[0].DataAffected) == 0) {
		t.Errorf("%q vanished without a durable pending event", vanished)
	}
	if r.code == 6 && len(vanished) > 0 {
		t.Errorf("exit 6, but %q vanished", vanished)
	}
	// Where a failed fsync left a line that was not acknowledged, reconcile
	// finds out what it stands for.
	if again := s.ccdestroy("reconcile"); again.code != 0 {
		t.Errorf("reconcile: exit %d\n%s", again.code, again.stderr)
	}
	if verdict := s.ccdestroy("audit", "verify"); len(events) > 0 && (verdict.code != 0 || strings.Contains(verdict.stdout, "unfinished")) {
		t.Errorf("verify: exit %d\n%s", verdict.code, verdict.stdout)
	}
	if len(vanished) > 0 {
		s.compareWith(s.last(), before, vanished)
	}
	data, _ := os.ReadFile(trace)
	struck = strings.Count(string(data), "(INJECTED)")
	if strings.Contains(string(data), "killed by SIGKILL") {
		struck = 1
	}
	if t.Failed() {
		t.Logf("exit %d\n%s\n%s", r.code, r.stderr, data)
	}
	return struck
}

// What happens to the disk between the pending event and the outcome does not
// keep the outcome from the log, as far as room can be set aside; and where it
// does, the user is told, and reconcile makes up for it.
func TestDiskBetween(t *testing.T) {
	t.Parallel()
	need.Root(t)
	const full = "; dd if=/dev/zero of=$DIR/more bs=4k count=1 2>/dev/null || touch $DIR.full"
	for _, c := range []struct {
		name, options, script string
		recorded              bool
	}{
		{"full", "size=1m", "dd if=/dev/zero of=$DIR/filler bs=4k 2>/dev/null" + full, true},
		{"no inodes", "size=1m,nr_inodes=12", "touch $DIR/1 $DIR/2 $DIR/3 $DIR/4 $DIR/5 $DIR/6 $DIR/7 $DIR/8 $DIR/9 2>/dev/null" + full, true},
		{"read-only", "size=1m", "mount --bind $DIR $DIR; mount -o remount,bind,ro $DIR" + full, false}, // the locks keep the file system itself writable
		{"file size limit", "size=1m", "prlimit --pid $PPID --fsize=100; touch $DIR.full", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(single))
			dir := filepath.Dir(s.logPath())
			need.Run(t, "mkdir", dir)
			need.Run(t, "mount", "-t", "tmpfs", "-o", c.options, "tmpfs", dir)
			t.Cleanup(func() { need.Run(t, "umount", dir) })
			s.docker("compose", "up", "--detach")
			s.wrapped(strings.ReplaceAll(c.script, "$DIR", dir))
			r := s.ccdestroy()
			if _, err := os.Stat(dir + ".full"); err != nil {
				t.Fatal("there was room: this test shows nothing")
			}
			if s.hasVolume("PROJ_data") {
				t.Fatalf("the volume is there: exit %d\n%s", r.code, r.stderr)
			}
			if got := s.last().Outcome; (got == "success") != c.recorded || (r.code == 0) != c.recorded {
				t.Errorf("recorded as %s, exit %d\n%s", got, r.code, r.stderr)
			}
			if !c.recorded {
				if !strings.Contains(r.stderr, "reconcile") {
					t.Errorf("it is not said what to do:\n%s", r.stderr)
				}
				if c.name == "read-only" {
					need.Run(t, "umount", dir)
				}
				if r := s.ccdestroy("reconcile"); r.code != 0 || s.last().Outcome != "success" {
					t.Errorf("reconcile: exit %d, %s\n%s", r.code, s.last().Outcome, r.stderr)
				}
			}
			if r := s.ccdestroy("audit", "verify"); r.code != 0 {
				t.Errorf("verify: exit %d\n%s", r.code, r.stdout)
			}
		})
	}
}
