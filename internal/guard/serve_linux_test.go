package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// away is an engine that does not answer.
type away struct{ Engine }

func (away) Describe(context.Context) (inventory.Engine, error) {
	return inventory.Engine{}, errors.New("it is away")
}

// served is a guard of an engine that is away, at a socket.
func served(t *testing.T) (g *Guard, socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "ccdestroy-serve-*") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "plugins", "x.sock")
	l, err := Listen(socket, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	g = &Guard{Engine: away{}, Now: time.Now, Note: func(text string) { t.Log(text) }, Book: &record.Book{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return g, socket
}

// Calls that destroy are refused when the engine cannot be looked at; others are
// allowed all the same. A panic refuses as well, holds nothing, and is noted with where
// it was.
func TestFailsClosed(t *testing.T) {
	var notes []string
	g := &Guard{Engine: away{}, Now: time.Now, Note: func(text string) { notes = append(notes, text) }, Book: &record.Book{}}
	ask := func(body string) string {
		t.Helper()
		w := httptest.NewRecorder()
		g.Handler().ServeHTTP(w, httptest.NewRequest("POST", "/AuthZPlugin.AuthZReq", strings.NewReader(body)))
		return w.Body.String()
	}
	const rm = `{"RequestMethod":"DELETE","RequestUri":"/v1.41/volumes/a"}`
	for body, want := range map[string]string{
		rm: `{"Allow":false,"Msg":"the guard cannot look at the engine, so nothing was destroyed: it is away"}`,
		`{"RequestMethod":"GET","RequestUri":"/v1.41/volumes/a"}`:          `{"Allow":true}`,
		`{"RequestMethod":"POST","RequestUri":"/v1.41/containers/create"}`: `{"Allow":true}`,
		`{"RequestMethod":"POST","RequestUri":"/v9.99/something/new"}`:     `{"Allow":true}`,
		`nonsense`: `{"Allow":false,`,
	} {
		if got := ask(body); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", body, got)
		}
	}
	if len(notes) != 0 {
		t.Errorf("%q", notes)
	}
	g.Engine = nil
	for range 2 {
		notes = nil
		if got := ask(rm); !strings.HasPrefix(got, `{"Allow":false,"Msg":"the guard failed`) {
			t.Errorf("%s", got)
		}
		if len(notes) != 1 || !strings.HasPrefix(notes[0], "guard: ") || !strings.Contains(notes[0], "nil pointer") || !strings.Contains(notes[0], "guard.go:") {
			t.Errorf("%q", notes)
		}
	}
}

// A second guard does not take the socket of one that answers, but that of one that
// was killed.
func TestListen(t *testing.T) {
	_, socket := served(t)
	none := func(string) string { return "" }
	if l, err := Listen(socket, none); err == nil {
		l.Close()
		t.Error("two guards at one socket")
	}
	left := filepath.Join(filepath.Dir(socket), "left.sock")
	l, err := net.Listen("unix", left)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	again, err := Listen(left, none)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if info, err := os.Stat(left); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// systemd is told that the guard answers, as long as it does.
func TestWatchdog(t *testing.T) {
	_, socket := served(t)
	notify := filepath.Join(filepath.Dir(socket), "notify")
	l, err := net.ListenPacket("unixgram", notify)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	env := map[string]string{"WATCHDOG_USEC": "30000", "NOTIFY_SOCKET": notify}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go Watchdog(ctx, socket, func(name string) string { return env[name] })
	text := make([]byte, 64)
	for range 3 {
		_ = l.SetReadDeadline(time.Now().Add(time.Minute))
		if n, _, err := l.ReadFrom(text); err != nil || string(text[:n]) != "WATCHDOG=1" {
			t.Fatalf("%q, %v", text[:n], err)
		}
	}
	if answers(socket + "x") {
		t.Error("nobody is taken for a guard that answers")
	}
}

// Two calls of one volume go one after the other, and all names are taken at once.
func TestBusy(t *testing.T) {
	var b busy
	ctx := context.Background()
	if err := b.take(ctx, []string{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if err := b.take(over, []string{"c", "b"}); err == nil {
		t.Error("b is had twice")
	}
	if err := b.take(over, []string{"c"}); err != nil { // nothing of the call that gave up is held
		t.Error(err)
	}
	got := make(chan error)
	go func() { got <- b.take(ctx, []string{"b"}) }()
	b.free([]string{"a", "b"})
	if err := <-got; err != nil {
		t.Error(err)
	}
}

// inOrder notes whether two write at once.
type inOrder struct {
	record.Recorder
	mu  sync.Mutex
	ids []string
	t   *testing.T
}

func (r *inOrder) Begin(_ context.Context, e audit.Event, _ int64) (audit.Head, error) {
	if !r.mu.TryLock() {
		r.t.Error("two write at once")
		return audit.Head{}, nil
	}
	defer r.mu.Unlock()
	time.Sleep(time.Microsecond)
	r.ids = append(r.ids, e.ID)
	return audit.Head{}, nil
}

func TestInTurn(t *testing.T) {
	under := &inOrder{t: t}
	r := InTurn(under)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() { _, _ = r.Begin(context.Background(), audit.Event{ID: fmt.Sprint(i)}, 0) })
	}
	wg.Wait()
	slices.Sort(under.ids)
	if n := len(slices.Compact(under.ids)); n != 200 {
		t.Errorf("%d", n)
	}
}
