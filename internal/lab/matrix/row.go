package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// row is what came of one engine.
type row struct {
	engine
	results results
	skipped string // why the engine itself cannot run here
	err     error  // of running the tests, where it is not one of theirs
	log     bytes.Buffer
}

// cannotRun is the exit code of with.sh for engines that this machine cannot run.
const cannotRun = 77

// run runs the tests on the engine.
func (r *row) run(o options) {
	began := time.Now()
	tests := all
	if o.quick {
		tests = quick
	}
	cmd := exec.Command("internal/lab/matrix/with.sh", r.name, "internal/lab/matrix/tests.sh", filepath.Join(o.dir, "e2e.test"),
		"-test.v=test2json", "-test.parallel=3", "-test.timeout=60m", "-test.run="+tests)
	cmd.Args[2], _ = filepath.Abs(cmd.Args[2])
	// Tests that cannot run are judged here, not by themselves.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CI=") })
	cmd.Env = append(cmd.Env, "CCDESTROY_BINARY="+filepath.Join(o.dir, "ccdestroy"))
	cmd.Stderr = &r.log
	decoder := exec.Command("go", "tool", "test2json", "-p", r.name)
	if r.err = r.pipe(cmd, decoder); r.err != nil {
		return
	}
	fmt.Printf("%s: %d tests in %s\n", r.name, len(r.results.leaves()), time.Since(began).Round(time.Second))
}

func (r *row) pipe(cmd, decoder *exec.Cmd) error {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	decoder.Stdin, decoder.Stderr = out, os.Stderr
	events, err := decoder.StdoutPipe()
	if err != nil {
		return err
	}
	if err := errors.Join(decoder.Start(), cmd.Start()); err != nil {
		return err
	}
	var unread error
	r.results, unread = read(events)
	undecoded := decoder.Wait()
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == cannotRun:
		_, r.skipped, _ = strings.Cut(r.log.String(), "SKIPPED: ")
		r.skipped = strings.TrimSpace(r.skipped)
		return nil
	case err != nil && len(r.results.failures()) > 0:
		err = nil // they tell more
	}
	return errors.Join(err, unread, undecoded)
}

// tell writes what did not pass, and returns how much of it is a failure.
func (r *row) tell(w io.Writer) (bad int) {
	if r.err != nil {
		fmt.Fprintf(w, "\n%s: %v\n%s\n", r.name, r.err, &r.log)
		bad++
	}
	failures := r.results.failures()
	for _, text := range failures {
		fmt.Fprintf(w, "\n%s: %s", r.name, text)
	}
	skips := r.results.skips()
	if r.skipped != "" {
		skips = map[string][]string{r.skipped: {"all"}}
	}
	for _, why := range slices.Sorted(maps.Keys(skips)) {
		text := "SKIPPED"
		if os.Getenv("CI") != "" && !allowed(r.name, why) {
			text, bad = "FAILED, since it is no known reason to skip", bad+1
		}
		fmt.Fprintf(w, "%s: %s: needs %s: %s\n", r.name, text, why, strings.Join(skips[why], " "))
	}
	return bad + len(failures)
}

// allowed reports whether a reason to skip is known of the engine.
func allowed(engine, why string) bool {
	for line := range strings.Lines(os.Getenv("CCDESTROY_MATRIX_SKIPS")) {
		names, reason, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if reason == why && (names == "*" || slices.Contains(strings.Split(names, ","), engine)) {
			return true
		}
	}
	return false
}
