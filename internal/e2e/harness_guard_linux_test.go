package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// guarded is an engine of the test's own that asks a guard.
type guarded struct {
	*stack
	e    *ownEngine
	cmd  *exec.Cmd
	said *buffer
	log  string
	args []string // of the guard, beside the usual ones
}

// newGuarded starts a guard and an engine that asks it.
func newGuarded(t *testing.T, files map[string]string, args ...string) *guarded {
	t.Helper()
	need.That(t, "an engine whose files are this account's", !remote())
	need.That(t, "authorization plugins", !onPodman)
	e := newEngine(t)
	var err error
	if e.plugins, err = os.MkdirTemp("/tmp", "ccdestroy-guard-*"); err != nil { // a socket's path must be short
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(e.plugins) })
	e.flags = []string{"--authorization-plugin=ccdestroy"}
	g := &guarded{e: e, log: filepath.Join(t.TempDir(), "guard.jsonl"), args: args}
	g.stack = newStack(t, nil) // for the guard's environment
	t.Cleanup(func() {
		g.end(syscall.SIGKILL)
		if text := g.said.String(); strings.Contains(text, "goroutine ") {
			t.Errorf("the guard: %s", text)
		}
	})
	g.guard()
	e.start()
	g.stack = e.stackOf(t, files)
	return g
}

// guard starts the guard, and returns when it listens.
func (g *guarded) guard() {
	g.t.Helper()
	g.said = &buffer{}
	args := append([]string{"guard", "--socket", g.socket(), "--host", g.e.host(), "--log", g.log}, g.args...)
	g.cmd = g.command("", binary, args...)
	g.cmd.Stderr = g.said
	if err := g.cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	waitFor(g.t, "the guard", func() bool { return strings.Contains(g.said.String(), "guarding") })
}

func (g *guarded) socket() string { return filepath.Join(g.e.plugins, "ccdestroy.sock") }

// end ends the guard.
func (g *guarded) end(sig syscall.Signal) {
	_ = g.cmd.Process.Signal(sig)
	_ = g.cmd.Wait()
}

// guardEvent is what of an event the tests of the guard look at.
type guardEvent struct {
	ID, Operation, Outcome, User string
	DataAffected                 []string `json:"data_affected"`
	Details                      struct {
		RecordedBy string `json:"recorded_by"`
		Error      string
		Settled    string
		Project    string
		Remaining  []string
		Request    struct {
			Method, URI, User string
			Agent             string `json:"user_agent"`
			Auth              string `json:"auth_method"`
		}
		Kept []struct{ Name string }
	}
}

// recorded are the guard's events, each as the schema says.
func (g *guarded) recorded() (all []guardEvent) {
	g.t.Helper()
	if len(eventsIn(g.t, g.log)) == 0 {
		return nil
	}
	data, err := os.ReadFile(g.log)
	if err != nil {
		g.t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var e guardEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			g.t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// told are the outcomes that name a volume, or else speak of it.
func (g *guarded) told(volume string) (all []guardEvent) {
	g.t.Helper()
	for _, e := range g.recorded() {
		data, _ := json.Marshal(e)
		if e.Outcome != "pending" && strings.Contains(string(data), g.expand(volume)) {
			all = append(all, e)
		}
	}
	return all
}

// raw calls the engine over its socket with a request target as it is.
func (g *guarded) raw(method, target string, chunked bool) (status int, body string) {
	g.t.Helper()
	if chunked {
		return g.sent(method, target, "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
	}
	return g.sent(method, target, "Content-Length: 0\r\n\r\n")
}

// form is raw with a form in the body, and more headers behind its type.
func (g *guarded) form(target, more, form string) (status int, body string) {
	g.t.Helper()
	return g.sent("POST", target, fmt.Sprintf("Content-Type: application/x-www-form-urlencoded\r\n%sContent-Length: %d\r\n\r\n%s", more, len(form), form))
}

// sent sends a request; rest is the end of its head, and its body.
func (g *guarded) sent(method, target, rest string) (status int, body string) {
	g.t.Helper()
	conn, err := net.Dial("unix", strings.TrimPrefix(g.e.host(), "unix://"))
	if err != nil {
		g.t.Fatal(err)
	}
	defer conn.Close()
	head := method + " " + target + " HTTP/1.1\r\nHost: docker\r\nUser-Agent: raw\r\nConnection: close\r\n"
	if _, err := conn.Write([]byte(head + rest)); err != nil {
		g.t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		g.t.Fatal(err)
	}
	defer r.Body.Close()
	text := &strings.Builder{}
	_, _ = io.Copy(text, r.Body)
	return r.StatusCode, text.String()
}

func (g *guarded) volumes(names ...string) {
	g.t.Helper()
	for _, name := range names {
		g.createVolume(g.expand(name), nil)
	}
}
