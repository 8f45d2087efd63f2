package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/events"
)

// phase is how far an operation has come, as far as that can be seen from
// outside. What was seen once stays seen, so that no phase is missed however
// slow the machine is.
type phase struct {
	name    string
	seen    func(w *watched) bool
	pattern string // of files, where they are what is seen
}

// watched is an operation under way.
type watched struct {
	s      *stack
	cmd    *exec.Cmd
	engine *heard
	before []byte          // the log before it began
	found  map[string]bool // what matched patterns before it began
	opened bool            // it was seen with the log, or a file beside it, open
	done   chan struct{}   // closed when it has ended
}

// The phases of any operation, in their order.
var (
	started   = phase{name: "it is started", seen: func(*watched) bool { return true }}
	logOpened = phase{name: "the log is open", seen: func(w *watched) bool { return w.opensLog() || w.began() }}
	begun     = phase{name: "the pending event is there", seen: (*watched).began}
	ended     = phase{name: "the outcome is there", seen: func(w *watched) bool { return w.began() && !bytes.Contains(w.last(), pending) }}
)

// The phases of a teardown between its pending event and its outcome.
var (
	childRuns     = phase{name: "docker compose down runs", seen: func(w *watched) bool { return w.runs("down") || w.died() }}
	containerDied = phase{name: "the first container has died", seen: (*watched).died}
	containerGone = phase{name: "the first container is destroyed", seen: func(w *watched) bool { return w.engine.of(events.ContainerEventType, events.ActionDestroy) }}
	volumeGone    = phase{name: "the first volume is destroyed", seen: func(w *watched) bool { return w.engine.of(events.VolumeEventType, events.ActionDestroy) }}
)

// volumeMade is a phase of a restore.
var volumeMade = phase{name: "the volume is made", seen: func(w *watched) bool { return w.engine.of(events.VolumeEventType, events.ActionCreate) }}

// made is the phase in which something that was not there before matches a
// pattern, in the project's directory where it does not say otherwise.
func made(pattern string) phase {
	return phase{name: pattern + " is there", pattern: pattern, seen: func(w *watched) bool {
		return slices.ContainsFunc(w.s.matching(pattern), func(path string) bool { return !w.found[path] })
	}}
}

// lines is the phase in which an operation has written so many events.
func lines(n int) phase {
	return phase{name: strconv.Itoa(n) + " events are there", seen: func(w *watched) bool { return bytes.Count(w.written(), []byte("\n")) >= n }}
}

func (s *stack) matching(pattern string) []string {
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(s.dir, pattern)
	}
	paths, _ := filepath.Glob(pattern)
	return paths
}

// written is what was appended to the log since the operation began.
func (w *watched) written() []byte {
	data, _ := os.ReadFile(w.s.logPath())
	return bytes.TrimPrefix(data, w.before)
}

func (w *watched) began() bool {
	return bytes.Contains(w.written(), pending) && bytes.HasSuffix(w.written(), []byte("\n"))
}

var pending = []byte(`"outcome":"pending"`)

func (w *watched) died() bool { return w.engine.of(events.ContainerEventType, events.ActionDie) }

// last is the last whole line of the log.
func (w *watched) last() []byte {
	all := bytes.Split(bytes.TrimSuffix(w.written(), []byte("\n")), []byte("\n"))
	return all[len(all)-1]
}

// opensLog reports whether the process has been seen with the log, or a file
// that is called after it, open.
func (w *watched) opensLog() bool {
	links, _ := filepath.Glob("/proc/" + strconv.Itoa(w.cmd.Process.Pid) + "/fd/*")
	for _, link := range links {
		path, err := os.Readlink(link)
		w.opened = w.opened || err == nil && strings.HasPrefix(path, w.s.logPath())
	}
	return w.opened
}

// runs reports whether a child of the process has this word on its command line.
func (w *watched) runs(word string) bool {
	pid := child(w.cmd.Process.Pid)
	data, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	return pid != 0 && bytes.Contains(data, []byte("\x00"+word+"\x00"))
}
