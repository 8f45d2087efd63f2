package packages

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// booted is a system that runs under a systemd of its own, in namespaces of its own.
type booted struct {
	system
	init string // its first process, as seen from here
}

// boot boots it. A machine on which systemd cannot run in a container is no fault
// of ours, in CI neither.
func (s system) boot() booted {
	s.t.Helper()
	need.Command(s.t, "systemd-nspawn", "nsenter")
	var said bytes.Buffer
	cmd := exec.Command("systemd-nspawn", "--quiet", "--directory", s.root, "--register=no", "--keep-unit", "--private-network", "--capability=all", "--console=pipe", "--boot")
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	b := booted{system: s}
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // which shuts it down
		select {
		case <-ended:
		case <-time.After(time.Minute):
			_ = cmd.Process.Kill()
			_ = exec.Command("kill", "-KILL", b.init).Run() // it would run on
			<-ended
		}
	})
	for began := time.Now(); time.Since(began) < 2*time.Minute; time.Sleep(200 * time.Millisecond) {
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid))
		if b.init = strings.TrimSpace(string(children)); b.init != "" && strings.TrimSpace(b.try("systemctl", "is-active", "docker.service")) == "active" {
			return b
		}
		select {
		case <-ended:
			s.t.Skipf("SKIPPED: systemd does not run in a container here: %s", &said)
		default:
		}
	}
	s.t.Fatalf("the system does not come up: %s", &said)
	return b
}

func (b booted) command(args ...string) *exec.Cmd {
	cmd := exec.Command("nsenter", append([]string{"--target", b.init, "--all"}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C", "DOCKER_HOST=unix:///run/docker.sock"}
	return cmd
}

// try runs a command in it and returns what it says, whatever becomes of it.
func (b booted) try(args ...string) string {
	out, _ := b.command(args...).CombinedOutput()
	return string(out)
}

func (b booted) run(args ...string) string {
	b.t.Helper()
	out, err := b.command(args...).CombinedOutput()
	if err != nil {
		b.t.Fatalf("%q: %v\n%s\n%s", args, err, out, b.try("journalctl", "--no-pager", "--unit", "ccdestroy-guard.service", "--unit", "docker.service", "--lines", "60"))
	}
	return string(out)
}

// recorded is what the guard's log says of a volume, in order.
func (b booted) recorded(log, volume string) (outcomes string) {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.root, log))
	if err != nil {
		b.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		for _, outcome := range []string{"pending", "success"} {
			if strings.Contains(line, `"outcome":"`+outcome+`"`) && strings.Contains(line, `"data_affected":["`+volume+`"]`) {
				outcomes += outcome + " "
			}
		}
	}
	return outcomes
}

// guarded has a real systemd run the guard of a real engine: it holds the socket
// while the guard is killed, and kills one that hangs.
func guarded(t *testing.T, s system) {
	t.Helper()
	s.write("etc/docker/daemon.json", `{"iptables": false, "ip6tables": false, "bridge": "none"}`) // its network has no bridge to lose
	s.write("root/.docker/config.json", `{"currentContext": "elsewhere"}`)                         // which only DOCKER_HOST overrules
	b := s.boot()
	log := "var/lib/ccdestroy/.contextcore/audit.jsonl"
	lost := func(volume string) {
		t.Helper()
		b.run("docker", "volume", "create", volume)
		b.run("docker", "volume", "rm", volume)
		if got := b.recorded(log, volume); got != "pending success " {
			t.Errorf("of volume %s: %q", volume, got)
		}
	}
	if said := b.run("ccdestroy", "guard", "install", "--yes"); !strings.Contains(said, "ccdestroy-guard.service\n/etc/docker/daemon.json: \"authorization-plugins\": [\"ccdestroy\"]\n") {
		t.Errorf("it says:\n%s", said)
	}
	if got := s.in("systemd-analyze", "--man=no", "verify", "/etc/systemd/system/ccdestroy-guard.service"); strings.Contains(got, "ccdestroy") {
		t.Error(got)
	}
	lost("first")
	for volume, signal := range map[string]string{"killed": "KILL", "hung": "STOP"} { // systemd waits 30 seconds for one that hangs
		pid := strings.TrimSpace(b.run("systemctl", "show", "--property", "MainPID", "--value", "ccdestroy-guard.service"))
		b.run("sh", "-c", "kill -"+signal+" "+pid)
		lost(volume)
		if now := strings.TrimSpace(b.run("systemctl", "show", "--property", "MainPID", "--value", "ccdestroy-guard.service")); now == pid || now == "0" {
			t.Errorf("the guard with the signal %s is process %s, and was %s", signal, now, pid)
		}
	}
	b.run("systemctl", "restart", "docker.service")
	lost("restarted")
	b.run("ccdestroy", "guard", "status")
	log = `var/log/100% "$HOME"/audit.jsonl` // in which systemd would expand something
	b.run("ccdestroy", "guard", "install", "--yes", "--log", "/"+log)
	lost("elsewhere")
	b.run("systemctl", "stop", "ccdestroy-guard.socket", "ccdestroy-guard.service") // it is as good as dead
	b.run("test", "!", "-e", "/run/docker/plugins/ccdestroy.sock")                  // at which the engine would wait
	b.run("ccdestroy", "guard", "uninstall", "--yes")
	b.run("docker", "volume", "create", "free")
	b.run("docker", "volume", "rm", "free")
	if got := b.recorded(log, "free"); got != "" || s.has("etc/systemd/system/ccdestroy-guard.socket") {
		t.Errorf("after the guard was removed: %q", got)
	}
	b.run("ccdestroy", "audit", "verify", "--log", "/"+log)
}
