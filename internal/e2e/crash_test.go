package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// double has two volumes, so that one can be gone and the other not yet.
const double = `
name: PROJ
services:
  db:
    image: IMAGE
    volumes: [one:/data]
    depends_on: [web]
  web:
    image: IMAGE
    volumes: [two:/data]
volumes:
  one:
  two:
`

// kills is how many teardowns are killed at random moments.
const kills = 56

// TestKilledAnywhere kills teardowns with SIGKILL at random moments. Nothing
// goes without a pending event; and reconcile settles each as the engine shows
// it, also when a volume was made again under its name meanwhile.
func TestKilledAnywhere(t *testing.T) {
	counts, mu := map[string]int{}, sync.Mutex{}
	t.Run("all", func(t *testing.T) {
		for part := range 4 {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				s := newStack(t, one(double))
				for range kills / 4 {
					how := s.killedSomewhere()
					mu.Lock()
					counts[how]++
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("%d teardowns killed: %v", kills, counts)
	if counts["settled failed"]+counts["settled partial"]+counts["settled success"] < 5 {
		t.Errorf("hardly any was cut off: %v", counts)
	}
}

// killedSomewhere kills one teardown, checks what is recorded of it, and says
// what it was.
func (s *stack) killedSomewhere() string {
	s.t.Helper()
	s.docker("compose", "up", "--detach")
	before, known := s.objects(context.Background()), len(s.events())
	cmd := s.command("", binary)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(time.Duration(20+rand.IntN(600)) * time.Millisecond) // any moment will do
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	vanished := s.atRest(before)
	recorded := s.events()[known:]
	switch {
	case len(recorded) == 0:
		if len(vanished) > 0 {
			s.t.Fatalf("%q vanished without a record", vanished)
		}
		return "nothing begun"
	case len(vanished) > 0 && recorded[0].Outcome != "pending":
		s.t.Fatalf("%q vanished without a pending event", vanished)
	}
	if rand.IntN(2) == 0 {
		for _, volume := range []string{"PROJ_one", "PROJ_two"} {
			if slices.Contains(vanished, "volume "+volume) {
				s.docker("volume", "create", volume)
			}
		}
	}
	if r := s.ccdestroy("reconcile"); r.code != 0 {
		s.t.Fatalf("reconcile: exit %d\n%s", r.code, r.stderr)
	}
	last := s.last()
	s.compareWith(last, vanished, len(before))
	if r := s.ccdestroy("audit", "verify"); r.code != 0 || strings.Contains(r.stdout, "unfinished") {
		s.t.Fatalf("verify: exit %d\n%s", r.code, r.stdout)
	}
	if last.Details.Settled == "reconcile" {
		return "settled " + last.Outcome
	}
	return "had ended: " + last.Outcome
}

// compareWith holds an outcome against what vanished of n things.
func (s *stack) compareWith(last event, vanished []string, n int) {
	s.t.Helper()
	var volumes []string
	for _, v := range last.DataAffected {
		volumes = append(volumes, "volume "+strings.ReplaceAll(v, s.name, "PROJ"))
	}
	slices.Sort(volumes)
	gone := slices.DeleteFunc(slices.Clone(vanished), func(v string) bool { return !strings.HasPrefix(v, "volume ") })
	want := "partial"
	switch len(vanished) {
	case 0:
		want = "failed"
	case n:
		want = "success"
	}
	if last.Outcome != want || !slices.Equal(volumes, gone) {
		s.t.Fatalf("recorded as %s with %q, but of %d things these vanished: %q", last.Outcome, volumes, n, vanished)
	}
}

// atRest waits until no process works in the project's directory any more and
// the engine has come to rest, and returns what vanished.
func (s *stack) atRest(before []object) []string {
	s.t.Helper()
	waitFor(s.t, "the child to end", func() bool { return !worksIn(s.dir) })
	vanished, same := s.vanished(before), 0
	waitFor(s.t, "the engine to come to rest", func() bool {
		now := s.vanished(before)
		if same++; !slices.Equal(now, vanished) {
			vanished, same = now, 0
		}
		return same > 20
	})
	return vanished
}

// worksIn reports whether a process has this working directory.
func worksIn(dir string) bool {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range links {
		if cwd, err := os.Readlink(link); err == nil && cwd == dir {
			return true
		}
	}
	return false
}

// TestFaultsInTeardown lets the system calls that write the record of a real
// teardown fail, and kills it in them: nothing vanishes without its durable
// pending event, and what is unfinished can be settled.
func TestFaultsInTeardown(t *testing.T) {
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
		"-P", s.logPath(), "-P", s.logPath()+".lock", binary))
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
		s.compareWith(s.last(), vanished, len(before))
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

// wrapped puts a docker command before the real one that first runs a script,
// with the pid of ccdestroy in $PPID, once the pending event is durable.
func (s *stack) wrapped(script string) {
	s.t.Helper()
	real, err := exec.LookPath("docker")
	if err != nil {
		s.t.Fatal(err)
	}
	bin := s.t.TempDir()
	text := fmt.Sprintf("#!/bin/sh\ncase \" $* \" in *' down '*) %s ;; esac\nexec %s \"$@\"\n", script, real)
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte(text), 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.env = append(s.env, "PATH="+bin+":"+os.Getenv("PATH"))
}

// What happens to the disk between the pending event and the outcome does not
// keep the outcome from the log, as far as room can be set aside; and where it
// does, the user is told, and reconcile makes up for it.
func TestDiskBetween(t *testing.T) {
	need.Root(t)
	for _, c := range []struct {
		name, options, before, script string
		recorded                      bool
	}{
		{"full", "size=1m", "", "dd if=/dev/zero of=$DIR/filler bs=4k 2>/dev/null", true},
		{"no inodes", "size=1m,nr_inodes=6", "", "touch $DIR/1 $DIR/2 $DIR/3 $DIR/4 $DIR/5 $DIR/6 2>/dev/null", true},
		{"read-only", "size=1m", "", "mount -o remount,ro $DIR", false},
		{"file size limit", "size=1m", "", "prlimit --pid $PPID --fsize=100", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStack(t, one(single))
			dir := filepath.Dir(s.logPath())
			need.Run(t, "mkdir", dir)
			need.Run(t, "mount", "-t", "tmpfs", "-o", c.options, "tmpfs", dir)
			t.Cleanup(func() { need.Run(t, "umount", dir) })
			s.docker("compose", "up", "--detach")
			s.wrapped(strings.ReplaceAll(c.script, "$DIR", dir))
			r := s.ccdestroy()
			if err := os.WriteFile(filepath.Join(dir, "more"), make([]byte, 4096), 0o600); err == nil && c.name != "file size limit" {
				t.Fatal("there is room: this test shows nothing")
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
				need.Run(t, "mount", "-o", "remount,rw", dir)
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
