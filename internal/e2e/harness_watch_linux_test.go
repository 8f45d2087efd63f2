package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// watcher is a ccdestroy watch with a log of its own.
type watcher struct {
	s    *stack
	cmd  *exec.Cmd
	said *buffer
	log  string
}

// watcher starts a watch, and returns when it follows the engine.
func (s *stack) watcher() *watcher {
	s.t.Helper()
	w := &watcher{s: s, said: &buffer{}, log: filepath.Join(s.dir, "watch.jsonl")}
	w.cmd = s.command("", binary, "watch", "--log", w.log)
	w.cmd.Stderr = w.said
	if err := w.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = w.cmd.Process.Kill() })
	waitFor(s.t, "the watch to begin", func() bool { return strings.Contains(w.said.String(), "watching") })
	return w
}

// end sends a signal, and returns the exit code.
func (w *watcher) end(sig syscall.Signal) int {
	_ = w.cmd.Process.Signal(sig)
	_ = w.cmd.Wait()
	return w.cmd.ProcessState.ExitCode()
}

// account is what of an event the tests of watches look at.
type account struct {
	ID, Operation, Outcome, User string
	DataAffected                 []string `json:"data_affected"`
	Details                      struct {
		RecordedBy string `json:"recorded_by"`
		StartedAt  string `json:"started_at"`
		DurationMS int64  `json:"duration_ms"`
		Claims     []string
		Unforeseen []string
		Settled    string
		Error      string
		ExitCode   *int `json:"exit_code"`
		Providers  []string
		Remaining  []string
		Stderr     string
		Resources  []struct{ Name, Result, Reason string }
	}
}

// accounts reads a log, of which every line is as the schema says.
func (s *stack) accounts(path string) (all []account) {
	s.t.Helper()
	if len(eventsIn(s.t, path)) == 0 {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var a account
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			s.t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

// of are the records that the watch made of a volume.
func (w *watcher) of(volume string) (all []account) {
	w.s.t.Helper()
	for _, a := range w.s.accounts(w.log) {
		if slices.Contains(a.DataAffected, w.s.expand(volume)) {
			all = append(all, a)
		}
	}
	return all
}

// recorded waits for the one record of a volume.
func (w *watcher) recorded(volume string) account {
	w.s.t.Helper()
	waitFor(w.s.t, "the record of "+volume, func() bool { return len(w.of(volume)) > 0 })
	all := w.of(volume)
	if len(all) != 1 || all[0].Operation != "destroy" || all[0].Outcome != "success" || all[0].Details.RecordedBy != "watch" {
		w.s.t.Errorf("%s: %+v", volume, all)
	}
	return all[0]
}

// none fails when the watch has made a record of a volume. So that nothing is on
// its way, it destroys another one first, and waits for its record.
func (w *watcher) none(volume string) {
	w.s.t.Helper()
	last, project := fmt.Sprintf("PROJ_sync%d", projects.Add(1)), fmt.Sprintf("another-%d", projects.Add(1))
	// Of another project: no teardown at work can be the one.
	w.s.docker("volume", "create", "--label", "com.docker.compose.project="+project, last)
	waitFor(w.s.t, "the watch to know it", func() bool {
		data, _ := os.ReadFile(w.log + ".watch")
		return strings.Contains(string(data), `"`+project+`"`)
	})
	w.s.docker("volume", "rm", last)
	w.recorded(last)
	if all := w.of(volume); len(all) > 0 {
		w.s.t.Errorf("%s: %+v", volume, all)
	}
}

// shim puts a docker before the real one that runs a script where a word is on its
// command line. "$0" "$@" is then the real one with its arguments.
func (s *stack) shim(word, script string) {
	s.t.Helper()
	bin := s.t.TempDir()
	s.env = append(s.env, "PATH="+bin+":"+pathOf(s.env))
	real, err := exec.LookPath("docker")
	if err != nil {
		s.t.Fatal(err)
	}
	text := fmt.Sprintf("#!/bin/sh\ncase \" $* \" in *' %s '*) exec sh -c '%s' %s \"$@\" ;; esac\nexec %s \"$@\"\n", word, script, real, real)
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte(text), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

// until is a script that waits for a file in the project's directory: s.let.
const until = `while [ ! -e go ]; do sleep 0.05; done; `

func (s *stack) let() { s.write("go", "") }

// operations are the ids of the operations that have a lock file.
func (s *stack) operations() (ids []string) {
	paths, _ := filepath.Glob(s.logPath() + ".ops/*")
	for _, path := range paths {
		if !strings.Contains(filepath.Base(path), "-") {
			ids = append(ids, filepath.Base(path))
		}
	}
	return ids
}
