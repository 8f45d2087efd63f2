package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/client"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// daemon is the script that runs an engine, of the kind that the matrix is at.
var daemon = cmp.Or(os.Getenv("CCDESTROY_DAEMON"), defaultDaemon)

const defaultDaemon = "../lab/daemon.sh"

// ownEngine starts an engine of this test's own, in its own network namespace,
// with the test image in it.
type ownEngine struct {
	t   *testing.T
	dir string
	cmd *exec.Cmd
	// plugins, where it is set, is the directory in which this engine, and no
	// other of this machine, looks for the sockets of plugins.
	plugins string
	flags   []string  // of dockerd, beside the usual ones
	image   sync.Once // loads the test image
}

func newEngine(t *testing.T) *ownEngine {
	t.Helper()
	if daemon == defaultDaemon {
		need.Root(t)
		need.Command(t, "dockerd")
	}
	// A socket's path must be short.
	dir, err := os.MkdirTemp("/tmp", "ccdestroy-own-*")
	if err != nil {
		t.Fatal(err)
	}
	e := &ownEngine{t: t, dir: dir}
	t.Cleanup(func() {
		e.stop()
		if log, err := os.ReadFile(filepath.Join(dir, "log")); err == nil && t.Failed() {
			t.Logf("the end of the engine's log:\n%s", log[max(0, len(log)-2000):])
		}
		_ = exec.Command("sh", "-c", "awk -v d="+dir+"/ 'index($2, d) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r -n1 umount -l").Run()
		os.RemoveAll(dir)
	})
	return e
}

func (e *ownEngine) host() string { return "unix://" + filepath.Join(e.dir, "engine", "docker.sock") }

// start starts it. An engine that hangs as it starts, as a rootless one did once on a busy
// machine, is started anew.
func (e *ownEngine) start() {
	e.t.Helper()
	answers := func() bool { return exec.Command("docker", "-H", e.host(), "version").Run() == nil }
	e.launch()
	if !soon(patience/2, answers) {
		e.t.Log("the engine hangs as it starts")
		process := e.cmd.Process
		hung := time.AfterFunc(patience/6, func() { _ = process.Kill() })
		e.stop()
		hung.Stop()
		e.launch()
	}
	waitFor(e.t, "the engine", answers)
}

func (e *ownEngine) launch() {
	e.t.Helper()
	log, err := os.OpenFile(filepath.Join(e.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		e.t.Fatal(err)
	}
	defer log.Close()
	args := append([]string{filepath.Join(e.dir, "engine")}, e.flags...)
	e.cmd = exec.Command(daemon, args...)
	if e.plugins != "" {
		const script = `mkdir -p /run/docker/plugins; mount --bind "$1" /run/docker/plugins; shift; exec "$@"`
		e.cmd = exec.Command("unshare", append([]string{"--mount", "sh", "-ec", script, "sh", e.plugins, daemon}, args...)...)
	}
	e.cmd.Stdout, e.cmd.Stderr = log, log
	if err := e.cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
}

func (e *ownEngine) stop() {
	if e.cmd == nil {
		return
	}
	_ = e.cmd.Process.Signal(syscall.SIGTERM)
	_ = e.cmd.Wait()
	e.cmd = nil
}

// kill kills it, and its containerd: the next engine takes one that is just ending
// for one that runs.
func (e *ownEngine) kill() {
	e.t.Helper()
	file := filepath.Join(e.dir, "engine", "exec", "containerd", "containerd.pid")
	text, err := os.ReadFile(file)
	if err != nil {
		e.t.Fatal(err)
	}
	_ = e.cmd.Process.Kill()
	_ = e.cmd.Wait()
	e.cmd = nil
	pid := strings.TrimSpace(string(text))
	waitFor(e.t, "containerd to end", func() bool { return !exists(filepath.Join("/proc", pid, "exe")) })
	_ = os.Remove(file)
}

// stack is newStack on this engine, which has the test image then.
func (e *ownEngine) stack(files map[string]string) *stack {
	e.t.Helper()
	return e.stackOf(e.t, files)
}

// stackOf is the same for one of several tests that share this engine.
func (e *ownEngine) stackOf(t *testing.T, files map[string]string) *stack {
	t.Helper()
	s := newStack(t, files)
	s.reach(e.host())
	api, err := client.NewClientWithOpts(client.WithHost(e.host()), client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	s.api = api
	e.image.Do(func() { need.Run(t, "sh", "-c", "docker save $CCDESTROY_IMAGE | docker -H "+e.host()+" load") })
	return s
}

// newVolumePlugin serves a volume driver of the engine's legacy protocol, which
// keeps its volumes in a directory of the test, and returns the driver's name
// and the directory of its socket. It must not be one that other engines look
// into: they would never forget it.
//
// https://docs.docker.com/engine/extend/plugins_volume/
func newVolumePlugin(t *testing.T) (name, dir string) {
	t.Helper()
	name = fmt.Sprintf("e2e%d", os.Getpid())
	dir, err := os.MkdirTemp("/tmp", "ccdestroy-plugin-*") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(dir, name+".sock"))
	if err != nil {
		t.Fatal(err)
	}
	root, volumes, mu := t.TempDir(), map[string]bool{}, sync.Mutex{}
	answer := func(w http.ResponseWriter, v map[string]any) {
		w.Header().Set("Content-Type", "application/vnd.docker.plugins.v1.1+json")
		_ = json.NewEncoder(w).Encode(v)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Name string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		mu.Lock()
		defer mu.Unlock()
		at := filepath.Join(root, in.Name)
		switch r.URL.Path {
		case "/Plugin.Activate":
			answer(w, map[string]any{"Implements": []string{"VolumeDriver"}})
		case "/VolumeDriver.Create":
			volumes[in.Name] = os.MkdirAll(at, 0o755) == nil
			answer(w, map[string]any{"Err": ""})
		case "/VolumeDriver.Remove":
			delete(volumes, in.Name)
			_ = os.RemoveAll(at)
			answer(w, map[string]any{"Err": ""})
		case "/VolumeDriver.List":
			list := []map[string]string{}
			for v := range volumes {
				list = append(list, map[string]string{"Name": v})
			}
			answer(w, map[string]any{"Volumes": list, "Err": ""})
		case "/VolumeDriver.Get":
			if !volumes[in.Name] {
				answer(w, map[string]any{"Err": "no such volume"})
				return
			}
			answer(w, map[string]any{"Volume": map[string]string{"Name": in.Name}, "Err": ""})
		case "/VolumeDriver.Mount", "/VolumeDriver.Path":
			answer(w, map[string]any{"Mountpoint": at, "Err": ""})
		case "/VolumeDriver.Capabilities":
			answer(w, map[string]any{"Capabilities": map[string]string{"Scope": "local"}})
		default:
			answer(w, map[string]any{"Err": ""})
		}
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		os.RemoveAll(dir)
	})
	return name, dir
}
