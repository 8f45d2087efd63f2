package audit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// TestMain makes the test binary a program that appends, when it is asked to:
// faults are put on a process of its own.
func TestMain(m *testing.M) {
	if path := os.Getenv("APPEND_TO"); path != "" {
		os.Exit(appendMany(path))
	}
	os.Exit(m.Run())
}

// appendMany appends APPEND_COUNT events to the log, and with APPEND_ROTATE
// rotates it after each, and says "ack ID" on
// standard output for each that is recorded, and the error of each that is not.
func appendMany(path string) int {
	if limit, err := strconv.ParseUint(os.Getenv("APPEND_FSIZE"), 10, 64); err == nil {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			panic(err)
		}
	}
	l := &Log{Path: path}
	if dir := os.Getenv("APPEND_HEADS"); dir != "" {
		l.Heads = &Heads{Dir: dir}
	}
	l.Group, _ = strconv.Atoi(os.Getenv("APPEND_GROUP"))
	syscall.Umask(0o077) // of a careful user
	count, _ := strconv.Atoi(os.Getenv("APPEND_COUNT"))
	room, _ := strconv.ParseInt(os.Getenv("APPEND_ROOM"), 10, 64)
	for i := range count {
		id := fmt.Sprintf("%s-%d", os.Getenv("APPEND_ID"), i)
		if _, err := l.Begin(context.Background(), event(id, Success), room); err != nil && !errors.Is(err, ErrHead) {
			fmt.Fprintln(os.Stdout, "err", err)
			continue
		}
		fmt.Fprintln(os.Stdout, "ack", id)
		if os.Getenv("APPEND_ROTATE") == "" {
			continue
		}
		if _, err := l.Rotate(context.Background(), rotateEvent(id+"-close"), rotateEvent(id+"-open")); err != nil && !errors.Is(err, ErrHead) {
			fmt.Fprintln(os.Stdout, "err", err)
			continue
		}
		fmt.Fprintf(os.Stdout, "ack %[1]s-close\nack %[1]s-open\n", id)
	}
	return 0
}

// appender prepares such a process.
func appender(path, id string, count int, more ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "APPEND_TO="+path, "APPEND_ID="+id, "APPEND_COUNT="+strconv.Itoa(count))
	cmd.Env = append(cmd.Env, more...)
	return cmd
}

// acked are the ids that the process said were recorded, and the errors.
func acked(out string) (ids, errs []string) {
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		if id, ok := strings.CutPrefix(line, "ack "); ok {
			ids = append(ids, id)
		} else {
			errs = append(errs, line)
		}
	}
	return ids, errs
}

// needLab skips what takes long and changes the machine, but in make test.
func needLab(t *testing.T) {
	t.Helper()
	if os.Getenv("CCDESTROY_LAB") == "" {
		t.Skip("SKIPPED: make test runs this")
	}
}

// holdsAll fails when the log is not intact or lacks an event that was said to
// be recorded, or has one twice. torn allows a torn last line.
func holdsAll(t *testing.T, l *Log, ids []string, torn bool) {
	t.Helper()
	r, err := l.Verify(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		if f.Problem && !(torn && f.Class == Torn) {
			t.Fatalf("not intact: %+v", f)
		}
	}
	count := map[string]int{}
	if _, err := l.Backward(nil, func(e Event, _ []byte) bool {
		count[e.ID]++
		return true
	}); err != nil {
		t.Fatal(err)
	}
	for id, n := range count {
		if n > 1 {
			t.Errorf("%s is there %d times", id, n)
		}
	}
	for _, id := range ids {
		if count[id] == 0 {
			t.Errorf("%s was said to be recorded and is not there", id)
		}
	}
}

// lines hands each line of a process's output to a function while it runs.
func linesOf(t *testing.T, cmd *exec.Cmd, each func(string)) (done chan struct{}) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done = make(chan struct{})
	go func() {
		defer close(done)
		for s := bufio.NewScanner(out); s.Scan(); {
			each(s.Text())
		}
	}()
	return done
}

// privateMounts gives the test's goroutine a mount namespace of its own. Others,
// such as a container that starts just now, would copy the mounts and keep a
// file system alive that the test has unmounted.
func privateMounts(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // for good: the thread ends with the goroutine
	err := unix.Unshare(unix.CLONE_NEWNS)
	if err == nil {
		err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	}
	need.That(t, fmt.Sprintf("a mount namespace of its own (%v)", err), err == nil)
}
