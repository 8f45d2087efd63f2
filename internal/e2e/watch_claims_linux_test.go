package e2e

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A pending event that somebody records by hand, and never ends, silences the
// watch about nothing. What the script says afterwards is a record of its own.
func TestWatchClaimByHand(t *testing.T) {
	t.Parallel()
	s := newStack(t, nil)
	w := s.watcher()
	s.createVolumes("PROJ_a")
	id := strings.TrimSpace(s.ccdestroy("record", "--operation", "destroy", "--outcome", "pending", "--affects", s.name+"_a").stdout)
	s.docker("volume", "rm", "PROJ_a")
	if got := w.recorded("PROJ_a"); !slices.Equal(got.Details.Claims, []string{id}) || got.ID == id || got.User != "unknown" {
		t.Errorf("claimed by %q, want %q; %+v", got.Details.Claims, id, got)
	}
	if r := s.ccdestroy("record", "--id", id, "--outcome", "success"); r.code != 0 {
		t.Error(r.stderr)
	}
	if last := s.accounts(s.logPath()); len(last) != 2 || last[1].Details.RecordedBy != "record" || !slices.Equal(last[1].DataAffected, []string{s.name + "_a"}) {
		t.Errorf("%+v", last)
	}
	if code := w.end(syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d", code)
	}
	if r := s.ccdestroy("audit", "verify", "--log", "watch.jsonl"); r.code != 0 {
		t.Error(r.stdout)
	}
}

func (s *stack) createVolumes(names ...string) {
	s.t.Helper()
	for _, name := range names {
		_, key, _ := strings.Cut(name, "_")
		s.docker("volume", "create", "--label", "com.docker.compose.project=PROJ", "--label", "com.docker.compose.volume="+key, name)
	}
}

// A teardown at work has destroyed the volumes and not yet said so: the watch
// waits for its outcome, also when it is stopped and started again meanwhile.
func TestWatchTeardownAtWork(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	s.shim("down", `"$0" "$@"; code=$?; `+until+`exit $code`)
	w := s.watcher()
	down := s.start(s.command("", binary, "--yes"))
	waitFor(t, "the volume to go", func() bool { return !s.hasVolume("PROJ_data") })
	w.none("PROJ_data")
	if code := w.end(syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d", code)
	}
	w = s.watcher()
	w.none("PROJ_data")
	w.end(syscall.SIGKILL)
	w = s.watcher()
	s.let()
	if code := down.wait(); code != 0 {
		t.Fatalf("exit %d\n%s", code, down.stderr())
	}
	w.none("PROJ_data")
	if last := s.last(); last.Outcome != "success" || !slices.Equal(last.DataAffected, []string{s.name + "_data"}) {
		t.Errorf("%+v", last)
	}
}

// A teardown is killed, and its volume removed by hand: while the Compose that
// outlived it is at work, nothing is recorded; then the watch records it, and says
// what may have done it. The one that settles the teardown later says of itself
// that it only looked.
func TestWatchTeardownKilled(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.createVolumes("PROJ_data")
	s.shim("down", until+"exit 1")
	w := s.watcher()
	cmd := s.command("", binary, "--yes")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the child", func() bool { return len(s.events()) == 1 && child(cmd.Process.Pid) != 0 })
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	s.docker("volume", "rm", "PROJ_data")
	w.none("PROJ_data")
	s.let()
	id := s.last().ID
	seen := w.recorded("PROJ_data")
	if !slices.Equal(seen.Details.Claims, []string{id}) || seen.Details.Settled != "" || seen.User != "unknown" {
		t.Errorf("claimed by %q, want %q; %+v", seen.Details.Claims, id, seen)
	}
	if r := s.ccdestroy("reconcile"); r.code != 0 {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	all := s.accounts(s.logPath())
	last := all[len(all)-1]
	if last.ID != id || last.Outcome != "success" || last.Details.Settled != "reconcile" || last.Details.RecordedBy != "" || !slices.Equal(last.DataAffected, []string{s.name + "_data"}) {
		t.Errorf("%+v", last)
	}
	w.recorded("PROJ_data") // once, and no more
}

// While a teardown exports, somebody else removes a volume: the teardown destroys
// nothing and says so, and the watch records the volume.
func TestWatchTeardownFails(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(strings.Replace(single, "    volumes: [data:/data]\n", "", 1)))
	s.docker("compose", "up", "--detach")
	s.createVolumes("PROJ_data")
	s.shim("stop", until+`exec "$0" "$@"`)
	w := s.watcher()
	down := s.start(s.command("", binary, "-p", s.name, "--yes", "--export", "exports"))
	waitFor(t, "the pending event", func() bool { return len(s.events()) == 1 })
	s.docker("volume", "rm", "PROJ_data")
	w.none("PROJ_data")
	s.let()
	if code := down.wait(); code == 0 || s.last().Outcome != "failed" || len(s.last().DataAffected) > 0 {
		t.Errorf("exit %d, %+v\n%s", code, s.last(), down.stderr())
	}
	if got := w.recorded("PROJ_data"); len(got.Details.Claims) > 0 {
		t.Errorf("claimed by %q", got.Details.Claims)
	}
}

// A teardown takes what was made after it had looked. It alone records it.
func TestWatchUnforeseen(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	w := s.watcher()
	bin := filepath.Join(s.dir, "made")
	real, err := exec.LookPath("docker")
	if err != nil {
		t.Fatal(err)
	}
	s.shim("down", real+` volume create --label com.docker.compose.project=`+s.name+` --label com.docker.compose.volume=late `+s.name+`_late && touch `+bin+`; exec "$0" "$@"`)
	if r := s.ccdestroy("-p", s.name, "--yes"); r.code != 0 || !exists(bin) {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	if last := s.last(); !slices.Contains(last.DataAffected, s.name+"_late") || s.hasVolume("PROJ_late") {
		t.Fatalf("%+v", last)
	}
	w.none("PROJ_late")
	w.none("PROJ_data")
}
