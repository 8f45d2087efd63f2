package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/certs"
	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// pairs fails unless every operation has one pending event and one outcome. Of one
// that was cut off a further pending event may say so.
func (g *guarded) pairs(cutOff bool) (operations int) {
	g.t.Helper()
	pending, ended := map[string]int{}, map[string]int{}
	for _, e := range g.recorded() {
		if e.Outcome == "pending" {
			pending[e.ID]++
		} else {
			ended[e.ID]++
		}
	}
	for id, n := range pending {
		if n != 1 && !cutOff || n == 0 || ended[id] != 1 {
			g.t.Errorf("%s: %d pending, %d outcomes", id, n, ended[id])
		}
	}
	return len(ended)
}

// open reports whether an operation has no outcome yet.
func (g *guarded) open() bool {
	g.t.Helper()
	pending := map[string]bool{}
	for _, e := range g.recorded() {
		pending[e.ID] = e.Outcome == "pending"
	}
	for _, is := range pending {
		if is {
			return true
		}
	}
	return false
}

func succeeded(all []guardEvent) (n int) {
	for _, e := range all {
		if e.Outcome == "success" {
			n++
		}
	}
	return n
}

// Many deletions at once: each has one pending event and one outcome.
func TestGuardMany(t *testing.T) {
	t.Parallel()
	many := 1000
	if testing.Short() {
		many = 50
	}
	g := newGuarded(t, nil)
	for i := range many {
		g.createVolume(fmt.Sprintf("%s_v%04d", g.name, i), nil)
	}
	var wg sync.WaitGroup
	errs := make([]error, many)
	for i := range many {
		wg.Go(func() { errs[i] = g.api.VolumeRemove(context.Background(), fmt.Sprintf("%s_v%04d", g.name, i), false) })
	}
	// Of two that destroy the same volume one does.
	g.createVolume(g.name+"_twice", nil)
	twice := make([]error, 20)
	for i := range twice {
		wg.Go(func() { twice[i] = g.api.VolumeRemove(context.Background(), g.name+"_twice", false) })
	}
	began := time.Now()
	wg.Wait()
	t.Logf("%d deletions in %s", many, time.Since(began))
	for i, err := range errs {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if n := g.pairs(false); n != many+1 {
		t.Errorf("%d operations, not %d", n, many+1)
	}
	if all := g.told(g.name + "_twice"); len(all) != 1 || all[0].Outcome != "success" {
		t.Errorf("%+v", all)
	}
	if r := g.ccdestroy("audit", "verify", "--log", g.log); r.code != 0 {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
}

// Without a guard that answers nothing is destroyed; with the next one the engine
// goes on, and what was cut off is settled.
func TestGuardDies(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, nil, "--keep-for", "1h")
	remove := func(name string) error { return g.command("", "docker", "volume", "rm", g.expand(name)).Run() }
	g.volumes("PROJ_killed", "PROJ_hung", "PROJ_later")
	g.end(syscall.SIGKILL)
	if err := remove("PROJ_killed"); err == nil {
		t.Error("a volume went without a guard")
	}
	g.guard()
	if !g.hasVolume("PROJ_killed") {
		t.Fatal("a volume went without a guard")
	}

	// It hangs: the call waits, and goes on with it.
	_ = g.cmd.Process.Signal(syscall.SIGSTOP)
	hung := g.command("", "docker", "volume", "rm", g.expand("PROJ_hung"))
	if err := hung.Start(); err != nil {
		t.Fatal(err)
	}
	if len(g.recorded()) != 0 {
		t.Errorf("%+v", g.recorded())
	}
	_ = g.cmd.Process.Signal(syscall.SIGCONT)
	if err := hung.Wait(); err != nil || g.hasVolume("PROJ_hung") || len(g.told("PROJ_hung")) != 1 {
		t.Errorf("%v, %+v", err, g.told("PROJ_hung"))
	}

	// It dies between the pending event and the answer: the volume, set aside by
	// then, is put back where it was.
	for round := range 8 {
		name := fmt.Sprintf("PROJ_round%02d", round)
		g.volumes(name)
		word := filepath.Join(g.mountpoint(g.expand(name)), "word")
		if err := os.WriteFile(word, []byte("hello"), 0o600); err != nil {
			t.Fatal(err)
		}
		before := len(g.recorded())
		cmd := g.command("", "docker", "volume", "rm", g.expand(name))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if round%2 == 0 {
			waitFor(t, "the pending event", func() bool {
				data, _ := os.ReadFile(g.log)
				return strings.Count(string(data), "\n") > before
			})
		}
		g.end(syscall.SIGKILL)
		g.guard() // the engine tries again for a while
		_ = cmd.Wait()
		waitFor(t, "the outcome", func() bool {
			all := g.recorded()
			return len(all) == before || !g.open()
		})
		told := g.told(name)
		there := g.hasVolume(name)
		_, lost := os.Stat(word)
		switch {
		case there && lost != nil, succeeded(told) != map[bool]int{true: 0, false: 1}[there]:
			t.Errorf("%s: there %t, its file %v, %+v", name, there, lost, told)
		}
	}
	g.pairs(false)
	if err := remove("PROJ_later"); err != nil || g.told("PROJ_later")[0].Outcome != "success" {
		t.Errorf("%v", err)
	}
}

// A full disk refuses what destroys, and nothing else.
func TestGuardFullDisk(t *testing.T) {
	t.Parallel()
	need.Root(t)
	dir := t.TempDir()
	need.Run(t, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", dir)
	t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
	g := newGuarded(t, nil)
	g.end(syscall.SIGTERM)
	g.log = filepath.Join(dir, "guard.jsonl")
	g.guard()
	g.volumes("PROJ_first", "PROJ_second")
	g.docker("volume", "rm", "PROJ_first")
	fill := filepath.Join(dir, "fill")
	_ = os.WriteFile(fill, make([]byte, 2<<20), 0o600)
	out, err := g.command("", "docker", "volume", "rm", g.expand("PROJ_second")).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "nothing was destroyed") || !g.hasVolume("PROJ_second") {
		t.Errorf("%v\n%s", err, out)
	}
	g.docker("volume", "ls")
	g.volumes("PROJ_third")
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	g.docker("volume", "rm", "PROJ_second")
	if told := g.told("PROJ_second"); told[len(told)-1].Outcome != "success" {
		t.Errorf("%+v", told)
	}
	g.pairs(false)
}

// The engine dies in the middle of a deletion: when it is back, the guard looks.
func TestGuardEngineRestarts(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, nil)
	for round := range 5 {
		var names []string
		for i := range 8 {
			names = append(names, fmt.Sprintf("%s_r%d%d", g.name, round, i))
		}
		g.volumes(names...)
		before := len(g.recorded())
		var cmds []*exec.Cmd
		for _, name := range names {
			cmd := g.command("", "docker", "volume", "rm", name)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			cmds = append(cmds, cmd)
		}
		waitFor(t, "a pending event", func() bool {
			data, _ := os.ReadFile(g.log)
			return strings.Count(string(data), "\n") > before
		})
		g.e.kill()
		for _, cmd := range cmds {
			_ = cmd.Wait()
		}
		g.e.start()
		waitFor(t, "all outcomes", func() bool { return !g.open() })
		for _, name := range names {
			told, there := g.told(name), g.hasVolume(name)
			if succeeded(told) != map[bool]int{true: 0, false: 1}[there] {
				t.Errorf("%s: there %t, %+v", name, there, told)
			}
			_ = g.api.VolumeRemove(context.Background(), name, false)
		}
	}
	g.pairs(true)
}

// With TLS the engine says who it was: the name of the certificate.
func TestGuardTLS(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, nil)
	g.e.stop()
	dir := certs.New(t).Dir(t, true)
	const host = "tcp://127.0.0.1:2376" // in the engine's own network
	files := []string{"--tlsverify", "--tlscacert=" + filepath.Join(dir, "ca.pem"), "--tlscert=" + filepath.Join(dir, "cert.pem"), "--tlskey=" + filepath.Join(dir, "key.pem")}
	g.e.flags = append(append(g.e.flags, files...), "--host", host)
	g.e.start()
	g.volumes("PROJ_tls", "PROJ_socket")
	pid, err := os.ReadFile(filepath.Join(g.e.dir, "engine", "docker.pid"))
	if err != nil {
		t.Fatal(err)
	}
	inside := append([]string{"--net", "--target", strings.TrimSpace(string(pid)), "docker"}, files...)
	if r := run(t, g.command("", "nsenter", append(inside, "--host", host, "volume", "rm", g.expand("PROJ_tls"))...)); r.code != 0 {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	g.docker("volume", "rm", "PROJ_socket")
	tls, socket := g.told("PROJ_tls"), g.told("PROJ_socket")
	if len(tls) != 1 || tls[0].User != "engine" || tls[0].Details.Request.User != "engine" || tls[0].Details.Request.Auth != "TLS" {
		t.Errorf("%+v", tls)
	}
	if len(socket) != 1 || socket[0].User != "unknown" || socket[0].Details.Request.User != "" {
		t.Errorf("%+v", socket)
	}
}

// The engine is told to ask the guard, and to ask it no more, while it runs.
func TestGuardInstall(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, nil)
	g.e.stop()
	config := filepath.Join(g.e.dir, "daemon.json")
	const original = "{\n  \"debug\": false,\n  \"labels\": [\n    \"a=b\"\n  ]\n}\n"
	if err := os.WriteFile(config, []byte(original), 0o600); err != nil {
		t.Fatal(err)
	}
	g.e.flags = []string{"--config-file=" + config}
	g.e.start()
	where := []string{"--socket", g.socket(), "--daemon-json", config, "--pid-file", filepath.Join(g.e.dir, "engine", "docker.pid"), "--host", g.e.host()}
	guard := func(code int, says string, args ...string) {
		t.Helper()
		if r := g.ccdestroy(append(append([]string{"guard"}, args...), where...)...); r.code != code || !strings.Contains(r.stdout+r.stderr, says) {
			log, _ := exec.Command("tail", "-n", "15", filepath.Join(g.e.dir, "log")).Output()
			t.Fatalf("%q: exit %d\n%s%s\nthe guard: %s\nthe engine: %s", args, r.code, r.stdout, r.stderr, g.said, log)
		}
	}
	g.volumes("PROJ_free", "PROJ_asked", "PROJ_again")
	g.docker("volume", "rm", "PROJ_free")
	if len(g.recorded()) != 0 {
		t.Fatal("the engine asks already")
	}
	guard(1, "FAIL the engine does not ask it", "status")
	elsewhere := where
	where = append(slices.Clone(where), "--pid-file", filepath.Join(g.dir, "none"))
	guard(1, "so nothing was changed", "install", "--no-units", "--yes")
	where = elsewhere
	if text, _ := os.ReadFile(config); string(text) != original {
		t.Errorf("%s", text)
	}
	guard(2, "nobody can be asked", "install", "--no-units")
	guard(0, "the engine is guarded", "install", "--no-units", "--yes")
	guard(0, "the engine is guarded", "install", "--no-units", "--yes")
	guard(0, "ok   the engine asks it", "status")
	g.docker("volume", "rm", "PROJ_asked")
	if len(g.told("PROJ_asked")) != 1 {
		t.Errorf("%+v", g.recorded())
	}
	var set struct {
		Plugins []string `json:"authorization-plugins"`
		Labels  []string
	}
	text, err := os.ReadFile(config)
	if err != nil || json.Unmarshal(text, &set) != nil || len(set.Plugins) != 1 || len(set.Labels) != 1 {
		t.Errorf("%v\n%s", err, text)
	}
	g.e.stop()
	g.e.start() // it asks from its start on
	guard(0, "ok   the engine asks it", "status")
	guard(0, "guarded no more", "uninstall", "--no-units", "--yes")
	if text, _ := os.ReadFile(config); string(text) != original {
		t.Errorf("%s", text)
	}
	if info, err := os.Stat(config); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v", info)
	}
	// A dead guard keeps nobody from getting out.
	guard(0, "the engine is guarded", "install", "--no-units", "--yes")
	g.end(syscall.SIGKILL)
	guard(0, "guarded no more", "uninstall", "--no-units", "--yes")
	if text, _ := os.ReadFile(config); string(text) != original {
		t.Errorf("%s", text)
	}
	g.docker("volume", "rm", "PROJ_again")
	guard(1, "no guard answers", "install", "--no-units", "--yes")
	if text, _ := os.ReadFile(config); string(text) != original {
		t.Errorf("it was told of a guard that does not answer: %s", text)
	}
}
