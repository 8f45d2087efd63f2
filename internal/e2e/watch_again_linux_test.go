package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A watch is killed; its downtime becomes a recorded gap, with what went
// meanwhile, but for what a log tells of, and for what the killed one recorded.
func TestWatchAgain(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	s.createVolumes("PROJ_seen", "PROJ_missed", "PROJ_remade", "PROJ_stays")
	w := s.watcher()
	s.docker("volume", "rm", "PROJ_seen")
	w.recorded("PROJ_seen")
	w.end(syscall.SIGKILL)
	down := time.Now()

	s.docker("volume", "rm", "PROJ_missed", "PROJ_remade")
	s.createVolumes("PROJ_remade")
	if r := s.ccdestroy("--yes"); r.code != 0 || s.hasVolume("PROJ_data") {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	w = s.watcher()
	up := time.Now()
	for _, name := range []string{"PROJ_missed", "PROJ_remade"} {
		if got := w.recorded(name); len(got.Details.Resources) != 1 || !strings.HasPrefix(got.Details.Resources[0].Reason, "between ") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	w.none("PROJ_data")
	w.none("PROJ_stays")
	w.recorded("PROJ_seen")
	gaps := w.gaps()
	if len(gaps) != 1 {
		t.Fatalf("%d gaps: %+v", len(gaps), gaps)
	}
	from, err := time.Parse(time.RFC3339Nano, gaps[0].Details.StartedAt)
	to := from.Add(time.Duration(gaps[0].Details.DurationMS) * time.Millisecond)
	if err != nil || from.After(down) || to.Before(down) || to.After(up) {
		t.Errorf("the gap is from %s to %s, and it was down from %s to %s: %v", from, to, down, up, err)
	}

	// What is stopped in an orderly manner leaves a gap as well.
	if code := w.end(syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d", code)
	}
	s.docker("volume", "rm", "PROJ_stays")
	w = s.watcher()
	w.recorded("PROJ_stays")
	if gaps := w.gaps(); len(gaps) != 2 {
		t.Errorf("%d gaps: %+v", len(gaps), gaps)
	}
}

func (w *watcher) gaps() (gaps []account) {
	w.s.t.Helper()
	for _, a := range w.s.accounts(w.log) {
		if a.Operation == "watch_gap" {
			gaps = append(gaps, a)
		}
	}
	return gaps
}

// What stands in the place of the watch's file is not read where it is no such
// file: that is said, and the list begun anew.
func TestWatchFile(t *testing.T) {
	t.Parallel()
	s := newStack(t, nil)
	s.createVolumes("PROJ_a")
	w := s.watcher()
	if code := w.end(syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d", code)
	}
	path := w.log + ".watch"
	good, err := os.ReadFile(path)
	var file struct {
		V       int
		Until   time.Time
		Engine  struct{ ID string }
		Volumes []struct{ Name string }
	}
	if err == nil {
		err = json.Unmarshal(good, &file)
	}
	if err != nil || file.V != 1 || file.Until.IsZero() || file.Engine.ID == "" || !slices.ContainsFunc(file.Volumes, func(v struct{ Name string }) bool { return v.Name == s.name+"_a" }) {
		t.Errorf("%v: %s", err, good)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	newer := strings.Replace(string(good), `"v":1`, `"v":9`, 1)
	for name, plant := range map[string]func() error{
		"newer": func() error { return os.WriteFile(path, []byte(newer), 0o600) },
		"torn":  func() error { return os.WriteFile(path, good[:len(good)/2], 0o600) },
		"link":  func() error { s.write("theirs", string(good)); return os.Symlink("theirs", path) },
		"FIFO":  func() error { return unix.Mkfifo(path, 0o600) },
		"huge": func() error {
			if err := os.WriteFile(path, good, 0o600); err != nil {
				return err
			}
			return os.Truncate(path, 1<<40)
		},
		"directory": func() error { return os.Mkdir(path, 0o700) },
	} {
		_ = os.Remove(path)
		if err := plant(); err != nil {
			t.Fatal(err)
		}
		before := len(w.gaps())
		w = s.watcher()
		if said := w.said.String(); !strings.Contains(said, "begun anew") || name == "directory" && !strings.Contains(said, "cannot be kept") {
			t.Errorf("%s: it said\n%s", name, said)
		}
		s.createVolumes("PROJ_" + name)
		s.docker("volume", "rm", "PROJ_"+name)
		w.recorded("PROJ_" + name)
		if n := len(w.gaps()); n != before || len(w.of("PROJ_a")) > 0 {
			t.Errorf("%s: %d gaps after %d; %+v", name, n, before, w.of("PROJ_a"))
		}
		if code := w.end(syscall.SIGTERM); code != 0 {
			t.Errorf("%s: exit %d", name, code)
		}
	}
	if data, err := os.ReadFile(filepath.Join(s.dir, "theirs")); err != nil || string(data) != string(good) {
		t.Errorf("the link was followed: %v", err)
	}
}

// One watch at a time records in a log.
func TestWatchTwice(t *testing.T) {
	t.Parallel()
	s := newStack(t, nil)
	w := s.watcher()
	r := s.ccdestroy("watch", "--log", "watch.jsonl")
	if r.code != 1 || !strings.Contains(r.stderr, "another watch records in") || !strings.Contains(r.stderr, "tester on ") || !strings.Contains(r.stderr, "\nTry: ") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	w.end(syscall.SIGKILL)
	w = s.watcher() // the lock of a killed one is free
	w.end(syscall.SIGTERM)
}
