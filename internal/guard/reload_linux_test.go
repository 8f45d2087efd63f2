package guard

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// reloading is an engine in this process. It asks a guard that is dead, so that it holds
// calls, those too that began before it was told otherwise, and refuses them in the end.
type reloading struct {
	told  chan os.Signal
	calls int
}

func (e *reloading) Volume(ctx context.Context, _ string) (v inventory.Volume, found bool, err error) {
	e.calls++
	told := e.told
	if e.calls == 1 {
		told = nil // this call began before
	}
	select {
	case <-told:
		return v, false, nil
	case <-ctx.Done():
		return v, false, ctx.Err()
	}
}

// Without a guard that answers the engine is freed of it, and nothing is left of it: not in
// the engine's configuration, nor its socket, at which the engine would wait. An engine that
// does not answer either is not taken for free.
func TestUninstallWithoutGuard(t *testing.T) {
	limit := tryLimit
	tryLimit = 100 * time.Millisecond
	t.Cleanup(func() { tryLimit = limit })
	e := &reloading{told: make(chan os.Signal, 1)}
	signal.Notify(e.told, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(e.told) })
	dir, notes := t.TempDir(), ""
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "x.sock"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false) // as a guard that is killed
	l.Close()
	s := Setup{
		Socket: l.Addr().String(), DaemonJSON: filepath.Join(dir, "daemon.json"), PIDFile: filepath.Join(dir, "pid"),
		Engine: e, Note: func(text string) { notes += text },
	}
	for path, text := range map[string]string{s.DaemonJSON: `{"authorization-plugins": ["ccdestroy"], "debug": true}`, s.PIDFile: fmt.Sprintln(os.Getpid())} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	agreed := func(context.Context, string) error { return nil }
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.Uninstall(ctx, agreed); err != nil || e.calls != 2 || notes != "the engine is guarded no more" {
		t.Errorf("%v, %d calls, %q", err, e.calls, notes)
	}
	if text, err := os.ReadFile(s.DaemonJSON); err != nil || string(text) != "{\n  \"debug\": true\n}\n" {
		t.Errorf("%v\n%s", err, text)
	}
	if _, err := os.Lstat(s.Socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
	s.Engine = away{}
	ctx, cancel = context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := s.Uninstall(ctx, agreed); err == nil || !strings.Contains(err.Error(), "the engine has not read its configuration again: it is away") {
		t.Errorf("%v", err)
	}
}

// An engine that asks a guard that answers has not been freed, and one that nobody
// answers for is not guarded.
func TestCheckReload(t *testing.T) {
	g, socket := served(t)
	for name, c := range map[string]struct {
		asks, wanted bool
		socket       string
		want         string
	}{
		"asks":                   {true, true, socket, ""},
		"asks still":             {true, false, socket, "it does not say so yet"},
		"does not":               {false, false, socket, ""},
		"does not yet":           {false, true, socket, "it does not say so yet"},
		"no guard":               {false, false, socket + "x", ""},
		"no guard that it wants": {false, true, socket + "x", errSilent.Error()},
	} {
		s := Setup{Socket: c.socket, Engine: asking{g, c.asks}}
		err := s.check(t.Context(), c.wanted)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := Setup{Socket: socket + "x", Engine: away{}}
	if err := s.check(t.Context(), false); err == nil || errors.Is(err, errSilent) {
		t.Errorf("an engine that refuses everything is taken for free: %v", err)
	}
}

// Status says that the engine asks, or does not, only where that is known.
func TestStatus(t *testing.T) {
	g, socket := served(t)
	for name, c := range map[string]struct {
		e      Probed
		socket string
		want   Line
	}{
		"asks":           {asking{g, true}, socket, Line{true, "the engine asks it"}},
		"does not":       {asking{g, false}, socket, Line{false, "the engine does not ask it"}},
		"no guard":       {asking{g, false}, socket + "x", Line{false, "unknown whether the engine asks it"}},
		"neither of two": {away{}, socket + "x", Line{false, "unknown whether the engine asks it"}},
	} {
		lines := Setup{Socket: c.socket, Engine: c.e}.Status(t.Context())
		if got := lines[len(lines)-1]; got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// asking is an engine that asks a guard about a volume, or does not.
type asking struct {
	g    *Guard
	does bool
}

func (e asking) Volume(_ context.Context, name string) (v inventory.Volume, found bool, err error) {
	if e.does {
		e.g.probes.note("/v1.41/volumes/" + name)
	}
	return v, false, nil
}

// Volume fails.
func (away) Volume(context.Context, string) (v inventory.Volume, found bool, err error) {
	return v, false, errors.New("it is away")
}
