package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// child is the pid of the docker command that ccdestroy runs, or 0.
func child(pid int) int {
	data, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + strconv.Itoa(pid) + "/children")
	for _, tid := range threads(pid) {
		more, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + tid + "/children")
		data = append(data, more...)
	}
	for _, word := range strings.Fields(string(data)) {
		if n, err := strconv.Atoi(word); err == nil {
			return n
		}
	}
	return 0
}

func threads(pid int) []string {
	entries, _ := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// within is what a ccdestroy with this pid would say of itself.
func within(t *testing.T, pid int) string {
	t.Helper()
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	return strconv.Itoa(pid) + ":" + strings.Fields(rest)[19]
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

// killed starts a teardown of the slow stack and kills it with SIGKILL once the
// child runs; it returns when the child has ended too.
func (s *stack) killed() {
	s.t.Helper()
	s.killedAt(childRuns)
	s.docker("kill", "PROJ-slow-1") // the child may wait for it, and ends at its next word
	waitFor(s.t, "the child to end", func() bool { return !worksIn(s.dir) })
}

// watching starts ccdestroy watch, and returns what it has recorded by now, and
// how to stop it.
func (s *stack) watching() (events func() []event, signal func(syscall.Signal), stop func() int) {
	s.t.Helper()
	log := filepath.Join(s.dir, "watch.jsonl")
	cmd := s.command("", binary, "watch", "--log", log)
	var text buffer
	cmd.Stderr = &text
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = cmd.Process.Kill() })
	waitFor(s.t, "the watch to begin", func() bool { return strings.Contains(text.String(), "watching") })
	return func() []event { return eventsIn(s.t, log) }, func(sig syscall.Signal) { _ = cmd.Process.Signal(sig) }, func() int {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		return cmd.ProcessState.ExitCode()
	}
}
