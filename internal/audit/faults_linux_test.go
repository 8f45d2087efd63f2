package audit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// TestInjectedFaults lets every system call of an append fail, and lets the
// process be killed in it, at its first and second occurrence, on a log that is
// there and on one that is made. What was said to be recorded is there
// afterwards, in a log that verifies, and the next append succeeds.
func TestInjectedFaults(t *testing.T) {
	needLab(t)
	need.Command(t, "strace")
	tried, mu := map[string]int{}, sync.Mutex{}
	t.Run("all", func(t *testing.T) {
		for _, call := range []string{"openat", "newfstatat", "fstat", "flock", "fallocate", "pread64", "write", "fsync", "ftruncate", "mkdirat", "renameat"} {
			for _, fault := range []string{"signal=KILL", "error=EIO", "error=ENOSPC"}[:often(3, 2)] {
				for n := range often(4, 2) {
					when, there := n/2+1, n%2 == 0
					t.Run(fmt.Sprintf("%s %s %d, log there %t", call, fault, when, there), func(t *testing.T) {
						t.Parallel()
						struck := inject(t, call, fault, when, there)
						mu.Lock()
						defer mu.Unlock()
						tried[call] += struck
					})
				}
			}
		}
	})
	t.Logf("faults put on: %v", tried)
	for _, call := range []string{"openat", "flock", "fallocate", "pread64", "write", "fsync", "ftruncate", "mkdirat", "renameat"} {
		if tried[call] < often(3, 2) {
			t.Errorf("only %d faults in %s", tried[call], call)
		}
	}
}

// inject runs an appender with a fault and returns how many times it struck.
func inject(t *testing.T, call, fault string, when int, there bool) (struck int) {
	t.Helper()
	base := t.TempDir()
	l := &Log{Path: filepath.Join(base, DefaultPath), Heads: &Heads{Dir: filepath.Join(base, "heads")}}
	var ids []string
	if there {
		for _, id := range []string{"X", "Y"} {
			add(t, l, event(id, Success))
			ids = append(ids, id)
		}
	}
	notes, _, err := l.Heads.file(l.Path)
	if err != nil {
		t.Fatal(err)
	}
	if there { // the file of notes is thinned, which renames
		put(t, notes, []byte(strings.Repeat("{}\n", notesLimit/3+1)))
	}
	trace := filepath.Join(base, "trace")
	args := []string{"-f", "-qq", "-o", trace, "-e", "trace=" + call + ",write,renameat", "-e", fmt.Sprintf("inject=%s:%s:when=%d", call, fault, when)}
	if call == "ftruncate" { // which only a failed write leads to
		args = append(args, "-e", fmt.Sprintf("inject=write:error=ENOSPC:when=%d", when))
	}
	for _, path := range []string{l.Path, l.Path + ".lock", filepath.Dir(l.Path), notes, l.Heads.Dir, base} {
		args = append(args, "-P", path)
	}
	if call == "renameat" {
		args = args[:8] // strace looks for the path in the first argument only
	}
	cmd := appender(l.Path, "F", 3, "APPEND_HEADS="+l.Heads.Dir, "APPEND_ROOM=4096",
		"GOMAXPROCS=1") // strace counts the calls of each thread: let one make most of them
	cmd.Args = append(append([]string{"strace"}, args...), cmd.Path)
	cmd.Path, err = exec.LookPath("strace")
	if err != nil {
		t.Fatal(err)
	}
	out, _ := cmd.Output() // it may well be killed
	got, _ := acked(string(out))
	after, err := appender(l.Path, "G", 2, "APPEND_HEADS="+l.Heads.Dir).Output()
	more, errs := acked(string(after))
	if err != nil || len(more) != 2 {
		t.Fatalf("the next process cannot append: %v %q", err, errs)
	}
	holdsAll(t, l, append(append(ids, got...), more...), false)
	data, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	struck = strings.Count(string(data), "(INJECTED)")
	if fault == "signal=KILL" && strings.Contains(string(data), "killed by SIGKILL") {
		struck = 1
	}
	if t.Failed() {
		t.Fatalf("%s", data)
	}
	return struck
}

// A directory that cannot be synced, since its file system has no such thing, is
// no obstacle; one whose sync fails is.
func TestDirectorySync(t *testing.T) {
	need.Command(t, "strace")
	for fault, ok := range map[string]bool{"EINVAL": true, "EOPNOTSUPP": true, "ENOSYS": true, "EIO": false, "ENOSPC": false} {
		t.Run(fault, func(t *testing.T) {
			base := t.TempDir()
			l, trace := &Log{Path: filepath.Join(base, DefaultPath)}, filepath.Join(base, "trace")
			cmd := appender(l.Path, "D", 1)
			cmd.Args = []string{"strace", "-f", "-qq", "-o", trace, "-e", "trace=fsync", "-e", "inject=fsync:error=" + fault, "-P", base, "-P", filepath.Dir(l.Path), cmd.Path}
			cmd.Path, _ = exec.LookPath("strace")
			out, err := cmd.Output()
			ids, errs := acked(string(out))
			if data, _ := os.ReadFile(trace); err != nil || !strings.Contains(string(data), "(INJECTED)") {
				t.Fatalf("nothing was put on: %v\n%s", err, data)
			}
			if (len(ids) == 1) != ok || (len(errs) == 0) != ok {
				t.Errorf("recorded %q, errors %q", ids, errs)
			}
		})
	}
}

// small mounts a file system of so many bytes in memory, on a directory of the
// test's own.
func small(t *testing.T, options string) (dir string) {
	t.Helper()
	needLab(t)
	need.Root(t)
	privateMounts(t)
	dir = filepath.Join(t.TempDir(), "small")
	need.Run(t, "mkdir", dir)
	need.Run(t, "mount", "-t", "tmpfs", "-o", options, "tmpfs", dir)
	t.Cleanup(func() { need.Run(t, "umount", dir) })
	return dir
}

// fill leaves n free pages on the file system.
func fill(t *testing.T, dir string, n int) {
	t.Helper()
	_ = exec.Command("dd", "if=/dev/zero", "of="+filepath.Join(dir, "filler"), "bs=4k").Run()
	if n > 0 {
		need.Run(t, "truncate", "-s", fmt.Sprintf("-%d", 4096*n), filepath.Join(dir, "filler"))
	}
}

// On a full disk nothing is half recorded, and what was recorded stays.
func TestFullDisk(t *testing.T) {
	for name, c := range map[string]struct {
		options string
		free    int
		env     []string
		says    string
	}{
		"no page free":        {"size=256k", 0, nil, "no space left"},
		"one page free":       {"size=256k", 1, nil, "no space left"},
		"no room for another": {"size=256k", 3, []string{"APPEND_ROOM=65536"}, "no space left"},
		"no inode free":       {"size=1m,nr_inodes=3", -1, nil, "no space left"},
		"file size limit":     {"size=256k", -1, []string{"APPEND_FSIZE=3000"}, "file too large"},
		"limit for the room":  {"size=1m", -1, []string{"APPEND_FSIZE=60000", "APPEND_ROOM=65536"}, "file too large"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := small(t, c.options)
			l := &Log{Path: filepath.Join(dir, "audit.jsonl")}
			var ids []string
			if !strings.Contains(c.options, "nr_inodes") {
				add(t, l, event("X", Success))
				ids = append(ids, "X")
			}
			if c.free >= 0 {
				fill(t, dir, c.free)
			} else if strings.Contains(c.options, "nr_inodes") {
				put(t, filepath.Join(dir, "last"), nil)
				_ = os.WriteFile(filepath.Join(dir, "one more"), nil, 0o600)
			}
			out, err := appender(l.Path, "F", 100, c.env...).Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got, errs := acked(string(out))
			if len(errs) == 0 || !strings.Contains(errs[0], c.says) {
				t.Errorf("%d recorded, errors %.300q", len(got), errs)
			}
			if _, err := os.Stat(l.Path); err == nil {
				holdsAll(t, l, append(ids, got...), false)
			}
			_ = os.Remove(filepath.Join(dir, "filler"))
			_ = os.Remove(filepath.Join(dir, "one more"))
			_ = os.Remove(filepath.Join(dir, "last"))
			add(t, l, event("Z", Success))
			holdsAll(t, l, append(ids, append(got, "Z")...), false)
		})
	}
}

// Room that cannot be set aside means that nothing is written.
func TestNoRoom(t *testing.T) {
	l := newLog(t)
	add(t, l, event("A", Success))
	before := content(t, l)
	out, err := appender(l.Path, "B", 1, "APPEND_FSIZE=60000", "APPEND_ROOM=65536").Output()
	if ids, errs := acked(string(out)); err != nil || len(ids) != 0 || len(errs) != 1 || !strings.Contains(errs[0], "reserve") {
		t.Errorf("%q %q %v", ids, errs, err)
	}
	if after := content(t, l); len(after) != len(before) {
		t.Error("something was written")
	}
}

// The room that a pending event set aside takes the next event on a full disk.
func TestRoomIsKept(t *testing.T) {
	dir := small(t, "size=1m")
	l := &Log{Path: filepath.Join(dir, "audit.jsonl")}
	if _, err := l.Begin(t.Context(), event("A", Pending), 64<<10); err != nil {
		t.Fatal(err)
	}
	fill(t, dir, 0)
	big := event("A", Success)
	big.Details = []byte(`{"stderr":"` + strings.Repeat("x", 60<<10) + `"}`)
	if _, err := l.Append(t.Context(), big, 0); err != nil {
		t.Fatalf("the outcome does not fit: %v", err)
	}
	if _, err := l.Begin(t.Context(), big, 0); err == nil {
		t.Error("the disk is not full: this test shows nothing")
	}
	if r, err := l.Verify(nil); err != nil || !r.Intact() || r.Events != 2 {
		t.Errorf("%q %v", brief(r), err)
	}
}

// Of operations that are at work at once on a full disk each has its own room: none
// takes another's, and what comes without room of its own takes nobody's.
func TestRoomIsOnesOwn(t *testing.T) {
	dir := small(t, "size=1m")
	l := &Log{Path: filepath.Join(dir, "audit.jsonl")}
	ids := []string{"A", "B", "C"}
	for _, id := range ids {
		if _, err := l.Begin(t.Context(), event(id, Pending), 64<<10); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, dir, 0)
	big := func(id string) Event {
		e := event(id, Success)
		e.Details = []byte(`{"stderr":"` + strings.Repeat("x", 60<<10) + `"}`)
		return e
	}
	for _, id := range []string{"D", "E"} {
		if _, err := l.Begin(t.Context(), big(id), 0); err == nil {
			t.Errorf("%s was recorded in another's room", id)
		}
		if _, err := l.Begin(t.Context(), event(id, Pending), 64<<10); err == nil {
			t.Errorf("%s has begun without room", id)
		}
	}
	for _, id := range ids {
		if _, err := l.Append(t.Context(), big(id), 0); err != nil {
			t.Errorf("the outcome of %s does not fit: %v", id, err)
		}
	}
	if text := strings.TrimSpace(string(mustRead(t, l.Path+".lock"))); text != "" {
		t.Errorf("room is taken still: %q", text)
	}
	if r, err := l.Verify(nil); err != nil || !r.Intact() || r.Events != 6 {
		t.Errorf("%q %v", brief(r), err)
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
