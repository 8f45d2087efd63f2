package e2e

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// gate stands between a client and the real engine, at an address that is not of
// this host's, and holds requests back at a moment of the test's choice, so that
// the world can move right there.
type gate struct {
	*httptest.Server
	t *testing.T

	mu   sync.Mutex // guards what follows
	hold func(*http.Request) bool
	held int // requests that wait now
}

// newGate holds back each request for which hold is true, until the gate opens.
// hold sees every request, one at a time.
func newGate(t *testing.T, hold func(*http.Request) bool) *gate {
	t.Helper()
	socket := strings.TrimPrefix(engineHost(), "unix://")
	g := &gate{t: t, hold: hold}
	rp := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "docker"})
	rp.FlushInterval = -1
	rp.ErrorLog = log.New(io.Discard, "", 0) // clients that are killed are no news
	rp.Transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
		DisableCompression: true,
	}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.pass(r)
		rp.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		g.open()
		g.CloseClientConnections()
		g.Close()
	})
	return g
}

func (g *gate) pass(r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.hold == nil || !g.hold(r) {
		return
	}
	g.held++
	for g.hold != nil && r.Context().Err() == nil {
		g.mu.Unlock()
		waitABit()
		g.mu.Lock()
	}
	g.held--
}

// waitHeld waits until a request is held back.
func (g *gate) waitHeld() {
	g.t.Helper()
	waitFor(g.t, "a request to the engine to be held back", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.held > 0
	})
}

// open lets everything pass from now on.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hold = nil
}

func (g *gate) host() string { return "tcp://" + strings.TrimPrefix(g.URL, "http://") }

// requested reports whether a request is one of a method whose path ends so.
func requested(r *http.Request, method, end string) bool {
	return r.Method == method && strings.HasSuffix(r.URL.Path, end)
}

// background is ccdestroy at work while the test goes on. Its output goes to
// files: children that outlive it would keep a pipe open.
type background struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err string        // paths of what it wrote
	done     chan struct{} // closed when it has ended
}

// start runs a command in the background.
func (s *stack) start(cmd *exec.Cmd) *background {
	s.t.Helper()
	dir := s.t.TempDir()
	b := &background{t: s.t, cmd: cmd, out: filepath.Join(dir, "out"), err: filepath.Join(dir, "err"), done: make(chan struct{})}
	for path, stream := range map[string]*io.Writer{b.out: &cmd.Stdout, b.err: &cmd.Stderr} {
		f, err := os.Create(path)
		if err != nil {
			s.t.Fatal(err)
		}
		defer f.Close()
		if *stream == nil {
			*stream = f
		}
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { _ = cmd.Wait(); close(b.done) }()
	s.t.Cleanup(func() { _ = cmd.Process.Kill(); <-b.done })
	return b
}

func (b *background) stderr() string {
	data, _ := os.ReadFile(b.err)
	return string(data)
}

// over reports whether it has ended.
func (b *background) over() bool {
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}

// wait returns the exit code, 128+n where signal n ended it.
func (b *background) wait() int {
	b.t.Helper()
	waitFor(b.t, strings.Join(b.cmd.Args[1:], " ")+" to end", b.over)
	if status := b.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal())
	}
	return b.cmd.ProcessState.ExitCode()
}

// waitText waits until it has said something on standard error.
func (b *background) waitText(text string) {
	b.t.Helper()
	waitFor(b.t, text, func() bool { return b.over() || strings.Contains(b.stderr(), text) })
	if !strings.Contains(b.stderr(), text) {
		b.t.Fatalf("it ended, and did not say %q:\n%s", text, b.stderr())
	}
}
