package e2e

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A signal ends every command that waits for an engine, with 128 and its number;
// nothing is destroyed, and what is recorded is recorded as cancelled.
func TestSignalWhileTheEngineIsSlow(t *testing.T) {
	for _, c := range []struct {
		name   string
		args   []string
		signal syscall.Signal
	}{
		{"teardown", []string{"--yes"}, syscall.SIGINT},
		{"dry run", []string{"--dry-run"}, syscall.SIGTERM},
		{"inventory", []string{"inventory"}, syscall.SIGINT},
		{"doctor", []string{"doctor"}, syscall.SIGTERM},
		{"reconcile", []string{"reconcile"}, syscall.SIGTERM},
		{"export", []string{"export"}, syscall.SIGINT},
		{"export --stop", []string{"export", "--stop"}, syscall.SIGHUP},
		{"restore", []string{"restore", "EXPORT", "--as", "PROJ_back"}, syscall.SIGTERM},
		{"prune", []string{"prune", "--filter", "label=PROJ"}, syscall.SIGINT},
		{"trash", []string{"trash"}, syscall.SIGINT},
		{"trash purge", []string{"trash", "purge", "--yes"}, syscall.SIGTERM},
		{"prune, dry run", []string{"prune", "--dry-run"}, syscall.SIGQUIT},
		{"run", []string{"run", "--operation", "destroy", "--volume", "PROJ_data", "--host", "HOST", "--", "docker", "volume", "rm", "PROJ_data"}, syscall.SIGTERM},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(single))
			s.docker("compose", "up", "--detach")
			export := s.exported("--stop")
			if c.name == "reconcile" {
				s.killedAt(begun)
				waitFor(t, "Compose to end", func() bool { return !worksIn(s.dir) })
			}
			known := len(s.events())
			g := newGate(t, func(*http.Request) bool { return true })
			var args []string
			for _, a := range c.args {
				args = append(args, strings.ReplaceAll(strings.ReplaceAll(s.expand(a), "EXPORT", export), "HOST", g.host()))
			}
			if !slices.Contains(c.args, "HOST") {
				args = append(args, "-H", g.host())
			}
			b := s.start(s.command("", binary, args...))
			g.waitHeld()
			b.endsBy(c.signal)
			for _, e := range s.events()[known:] {
				if e.Outcome != "cancelled" || len(e.DataAffected) > 0 {
					t.Errorf("recorded as %s, %q", e.Outcome, e.DataAffected)
				}
			}
			if c.name != "reconcile" && (!s.hasVolume("PROJ_data") || !s.has("PROJ-web-1")) {
				t.Error("something is gone")
			}
		})
	}
}

// endsWhileHeld makes sure that a signal ends a command while the engine does not answer
// requests whose path ends so.
func (s *stack) endsWhileHeld(path string, signal syscall.Signal, args ...string) *gate {
	s.t.Helper()
	g := newGate(s.t, func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, path) })
	b := s.start(s.command("", binary, append(args, "-H", g.host())...))
	g.waitHeld()
	b.endsBy(signal)
	return g
}

// One whose project is found by its labels looks at the engine once more, before it
// begins.
func TestSignalWhileTheEngineListsNothing(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	for _, held := range []string{"/containers/json", "/volumes"} {
		s.endsWhileHeld(held, syscall.SIGTERM, "-p", s.name, "--yes")
		if last := s.last(); last.Outcome != "cancelled" || len(last.DataAffected) > 0 {
			t.Errorf("recorded as %s, %q", last.Outcome, last.DataAffected)
		}
	}
	if !s.hasVolume("PROJ_data") || !s.has("PROJ-web-1") {
		t.Error("something is gone")
	}
}

// An engine that hangs when it is asked for its events does not hold a teardown up
// for good either.
func TestSignalWhileTheEngineTellsNoEvents(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	s.endsWhileHeld("/events", syscall.SIGINT, "--yes")
	if all := s.events(); len(all) != 1 || all[0].Outcome != "cancelled" {
		t.Errorf("%d events, want one cancelled\n%v", len(all), all)
	}
	if !s.hasVolume("PROJ_data") || !s.has("PROJ-web-1") {
		t.Error("something is gone")
	}
}

// So does an undo whose volumes the engine does not make: what is kept stays kept.
func TestSignalWhileTheEngineMakesNoVolume(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	s.ccdestroy("--yes", "--keep-for", "1h")
	known := len(s.events())
	g := s.endsWhileHeld("/volumes/create", syscall.SIGTERM, "undo")
	all := s.events()[known:]
	if last := all[len(all)-1]; last.Outcome != "cancelled" || len(last.Details.Undone) > 0 {
		t.Errorf("recorded as %s, %v", last.Outcome, last.Details.Undone)
	}
	g.open()
	s.undoes()
	if !s.hasVolume("PROJ_data") {
		t.Error("the volume is not there")
	}
}

// endsBy sends a signal, and fails unless that is how the program says it ended.
func (b *background) endsBy(sig syscall.Signal) {
	b.t.Helper()
	_ = b.cmd.Process.Signal(sig)
	if code := b.wait(); code != 128+int(sig) {
		b.t.Errorf("%q: exit %d after %s\n%s", b.cmd.Args[1:], code, sig, b.stderr())
	}
}

// record waits for events that do not come: a signal ends it, and nothing is
// recorded.
func TestSignalWhileNothingIsTold(t *testing.T) {
	t.Parallel()
	s := newStack(t, nil)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		s.silent("record", "--json").endsBy(sig)
	}
	if all := s.events(); len(all) > 0 {
		t.Errorf("%d events", len(all))
	}
}

// A teardown whose Compose file comes from standard input ends on a signal also
// while nothing comes.
func TestSignalWhileNoFileComes(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	for _, args := range [][]string{{"-f", "-"}, {"-f", "-", "export"}, {"-f", "-", "inventory"}} {
		s.silent(args...).endsBy(syscall.SIGTERM)
	}
	if !s.hasVolume("PROJ_data") || !s.has("PROJ-web-1") {
		t.Error("something is gone")
	}
}

// silent starts a command that has begun to read standard input, where nothing
// more comes.
func (s *stack) silent(args ...string) *background {
	s.t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { read.Close(); write.Close() })
	cmd := s.command("", binary, args...)
	cmd.Stdin = read
	b := s.start(cmd)
	// More than a pipe holds: it has begun to read when this returns.
	if _, err := write.Write(bytes.Repeat([]byte(" "), 256<<10)); err != nil {
		s.t.Fatal(err)
	}
	return b
}

// Ctrl-C ends init at its question, and the file stays as it is.
func TestSignalAtTheQuestionOfInit(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	before, err := os.ReadFile(filepath.Join(s.dir, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for code, act := range map[int]func(*pseudo){
		130: func(p *pseudo) { p.send("\x03") },
		143: func(p *pseudo) { _ = p.cmd.Process.Signal(syscall.SIGTERM) },
	} {
		p := s.terminal("init")
		p.waitText(cancel)
		act(p)
		waitFor(t, "init to end", func() bool {
			select {
			case <-p.done:
				return true
			default:
				return false
			}
		})
		if got := p.wait(); got != code {
			t.Errorf("exit %d, want %d\n%s", got, code, p.seen())
		}
	}
	if after, _ := os.ReadFile(filepath.Join(s.dir, "compose.yaml")); string(after) != string(before) {
		t.Errorf("the file is now\n%s", after)
	}
}

// A pager has the terminal: after Ctrl-C this program waits for its end.
func TestCtrlCWithAPager(t *testing.T) {
	t.Parallel()
	s := newStack(t, nil)
	s.env = append(s.env, `PAGER=trap '' INT; echo PAGING; read go </dev/tty; kill -0 $PPID && echo IT WAITS; cat >/dev/null; echo THE END`)
	p := s.terminal("audit", "-n", "0", "--log", s.hugeLog())
	p.waitText("PAGING")
	p.send("\x03")
	p.send("go\n")
	p.waitText("THE END")
	if code := p.wait(); code != 130 || !strings.Contains(p.seen(), "IT WAITS") {
		t.Errorf("exit %d\n%s", code, p.seen())
	}
}
