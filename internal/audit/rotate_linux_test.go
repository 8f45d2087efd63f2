package audit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// rotationCalls is how many times each system call of an append and a rotation is
// struck, one after the other: more often than one of them occurs.
var rotationCalls = map[string]int{"openat": 24, "newfstatat": 14, "fstat": 12, "flock": 3, "pread64": 16, "write": 6, "fsync": 8, "renameat": 2}

// TestRotationKilled lets every system call of a rotation fail, and lets the
// process be killed in it. Whoever writes next goes on, in a log that verifies
// over all of its segments and holds what was said to be recorded, once.
func TestRotationKilled(t *testing.T) {
	needLab(t)
	need.Command(t, "strace")
	struck, states, mu := map[string]int{}, map[string]int{}, sync.Mutex{}
	t.Run("all", func(t *testing.T) {
		for call, times := range rotationCalls {
			for _, fault := range []string{"error=EIO", "signal=KILL"} {
				for when := range times {
					t.Run(fmt.Sprintf("%s %s %d", call, fault, when+1), func(t *testing.T) {
						t.Parallel()
						state, hit := strike(t, call, fault, when+1)
						mu.Lock()
						defer mu.Unlock()
						states[state]++
						if hit {
							struck[call]++
						}
					})
				}
			}
		}
	})
	t.Logf("faults put on: %v; they left the log: %v", struck, states)
	for call := range rotationCalls {
		if struck[call] < 2 {
			t.Errorf("only %d faults in %s", struck[call], call)
		}
	}
	for _, state := range []string{"open", "closed", "renamed", "made", "rotated"} {
		if states[state] == 0 {
			t.Errorf("no fault left the log %s", state)
		}
	}
}

// strike puts a fault on a process that appends and rotates, and says in which
// state it left the log.
func strike(t *testing.T, call, fault string, when int) (state string, hit bool) {
	t.Helper()
	base := t.TempDir()
	l := &Log{Path: filepath.Join(base, DefaultPath), Heads: &Heads{Dir: filepath.Join(base, "heads")}}
	add(t, l, event("W", Success))
	rotate(t, l)
	add(t, l, event("X", Success))
	trace, dir := filepath.Join(base, "trace"), filepath.Dir(l.Path)
	cmd := appender(l.Path, "F", 1, "APPEND_ROTATE=1", "APPEND_HEADS="+l.Heads.Dir, "GOMAXPROCS=1")
	cmd.Args = []string{"strace", "-f", "-qq", "-o", trace, "-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:%s:when=%d", call, fault, when)}
	if call != "renameat" { // of which strace looks at the first argument only
		cmd.Args = append(cmd.Args, "-P", l.Path, "-P", l.Path+".lock", "-P", dir)
		for _, path := range listed(t, l) {
			cmd.Args = append(cmd.Args, "-P", path)
		}
	}
	cmd.Args = append(cmd.Args, cmd.Path)
	var err error
	if cmd.Path, err = exec.LookPath("strace"); err != nil {
		t.Fatal(err)
	}
	out, _ := cmd.Output() // it may well be killed
	got, _ := acked(string(out))
	state = stateOf(t, l)
	if record := idsOfAll(t, l); !contains(record, append([]string{"W", "X"}, got...)) {
		t.Errorf("a reader has %q of %q", record, got)
	}
	if wrong := told(t, l); wrong != "" {
		t.Errorf("told %q", wrong)
	}
	after, err := appender(l.Path, "G", 2, "APPEND_HEADS="+l.Heads.Dir).Output()
	more, errs := acked(string(after))
	if err != nil || len(more) != 2 {
		t.Fatalf("the next process cannot append: %v %q", err, errs)
	}
	ids := append([]string{"W", "CLOSE", "OPEN", "X"}, append(got, more...)...)
	holdsAll(t, l, ids, false)
	if wrong := told(t, l); wrong != "" {
		t.Errorf("told %q", wrong)
	}
	data, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	if t.Failed() {
		t.Fatalf("%s\n%s", out, data)
	}
	return state, strings.Contains(string(data), "(INJECTED)") || strings.Contains(string(data), "killed by SIGKILL")
}

func contains(all, some []string) bool {
	return !slices.ContainsFunc(some, func(one string) bool { return !slices.Contains(all, one) })
}

// stateOf is how far a rotation of the second segment has come.
func stateOf(t *testing.T, l *Log) string {
	t.Helper()
	if _, err := os.Stat(l.Path); err != nil {
		return "renamed"
	}
	tail, err := tailOf(l.Path)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case tail.closed():
		return "closed"
	case tail.size == 0:
		return "made"
	case len(listed(t, l)) == 2:
		return "rotated"
	}
	return "open"
}
