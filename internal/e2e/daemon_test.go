package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/docker/docker/client"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// ownEngine starts an engine of this test's own, in its own network namespace,
// with the test image in it.
type ownEngine struct {
	t   *testing.T
	dir string
	cmd *exec.Cmd
	// plugins, where it is set, is the directory in which this engine, and no
	// other of this machine, looks for the sockets of plugins.
	plugins string
}

func newEngine(t *testing.T) *ownEngine {
	t.Helper()
	need.Root(t)
	if _, err := exec.LookPath("dockerd"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("this test needs dockerd")
		}
		t.Skip("SKIPPED: this test needs dockerd")
	}
	// A socket's path must be short.
	dir, err := os.MkdirTemp("/tmp", "ccdestroy-own-*")
	if err != nil {
		t.Fatal(err)
	}
	e := &ownEngine{t: t, dir: dir}
	t.Cleanup(func() {
		e.stop()
		_ = exec.Command("sh", "-c", "awk -v d="+dir+"/ 'index($2, d) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r -n1 umount -l").Run()
		os.RemoveAll(dir)
	})
	return e
}

func (e *ownEngine) host() string { return "unix://" + filepath.Join(e.dir, "engine", "docker.sock") }

func (e *ownEngine) start() {
	e.t.Helper()
	log, err := os.OpenFile(filepath.Join(e.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		e.t.Fatal(err)
	}
	defer log.Close()
	e.cmd = exec.Command("../lab/daemon.sh", filepath.Join(e.dir, "engine"))
	if e.plugins != "" {
		e.cmd = exec.Command("unshare", "--mount", "sh", "-ec", `mkdir -p /run/docker/plugins; mount --bind "$1" /run/docker/plugins; exec ../lab/daemon.sh "$2"`,
			"sh", e.plugins, filepath.Join(e.dir, "engine"))
	}
	e.cmd.Stdout, e.cmd.Stderr = log, log
	if err := e.cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	waitFor(e.t, "the engine", func() bool {
		return exec.Command("docker", "-H", e.host(), "version").Run() == nil
	})
}

func (e *ownEngine) stop() {
	if e.cmd == nil {
		return
	}
	_ = e.cmd.Process.Signal(syscall.SIGTERM)
	_ = e.cmd.Wait()
	e.cmd = nil
}

// stack is newStack on this engine, which has the test image then.
func (e *ownEngine) stack(files map[string]string) *stack {
	e.t.Helper()
	s := newStack(e.t, files)
	s.env = append(withoutVariables(s.env, "DOCKER_HOST"), "DOCKER_HOST="+e.host())
	api, err := client.NewClientWithOpts(client.WithHost(e.host()), client.WithAPIVersionNegotiation())
	if err != nil {
		e.t.Fatal(err)
	}
	s.api = api
	need.Run(e.t, "sh", "-c", "docker save $CCDESTROY_IMAGE | docker -H "+e.host()+" load")
	return s
}

// The engine goes away in mid-teardown: nothing is invented, the operation stays
// unfinished, and reconcile settles it when the engine is back.
func TestEngineStopsInMidTeardown(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	e.start()
	s := e.stack(one(strings.Replace(slow, "QUICK", quick, 1)))
	s.docker("compose", "up", "--detach")
	var errs strings.Builder
	cmd := s.command("", binary)
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the quick container to go", func() bool { return !s.has("PROJ-quick-1") })
	e.stop()
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(errs.String(), "UNKNOWN") {
		t.Errorf("exit %d\n%s", code, errs.String())
	}
	if last := s.last(); last.Outcome != "pending" || last.Details.Error == "" || last.ID != s.events()[0].ID {
		t.Errorf("outcome %q, error %q", last.Outcome, last.Details.Error)
	}
	if r := s.ccdestroy("reconcile"); r.code != 1 || !strings.Contains(r.stderr, "stays unfinished") {
		t.Errorf("without an engine: exit %d\n%s", r.code, r.stderr)
	}
	e.start()
	if r := s.ccdestroy("reconcile"); r.code != 0 {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	last := s.last()
	if last.Outcome != "partial" || last.Details.Settled != "reconcile" || len(last.DataAffected) != 0 || !s.hasVolume("PROJ_data") {
		t.Errorf("outcome %q, settled %q, affected %q", last.Outcome, last.Details.Settled, last.DataAffected)
	}
}
