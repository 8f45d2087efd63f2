package e2e

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/creack/pty"
)

// pseudo is a program on a terminal of its own.
type pseudo struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	done   chan struct{}

	mu   sync.Mutex // guards text
	text strings.Builder
}

// terminal starts ccdestroy on an 80-column terminal.
func (s *stack) terminal(args ...string) *pseudo {
	s.t.Helper()
	return s.onTerminal(s.command("", binary, args...))
}

func (s *stack) onTerminal(cmd *exec.Cmd) *pseudo {
	s.t.Helper()
	p := &pseudo{t: s.t, cmd: cmd, done: make(chan struct{})}
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		s.t.Fatal(err)
	}
	p.master = master
	go func() {
		defer close(p.done)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			p.mu.Lock()
			p.text.Write(buf[:n])
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	s.t.Cleanup(func() { _ = p.cmd.Process.Kill(); master.Close() })
	return p
}

func (p *pseudo) seen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func (p *pseudo) waitText(text string) {
	p.t.Helper()
	defer func() {
		if p.t.Failed() {
			p.t.Logf("the screen:\n%s", p.seen())
		}
	}()
	waitFor(p.t, text, func() bool { return strings.Contains(p.seen(), text) })
}

func (p *pseudo) send(keys string) {
	p.t.Helper()
	if _, err := p.master.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// hangUp closes the terminal, as a window that is closed.
func (p *pseudo) hangUp() { p.master.Close() }

// wait returns the exit code.
func (p *pseudo) wait() int {
	p.t.Helper()
	_ = p.cmd.Wait()
	<-p.done
	return p.cmd.ProcessState.ExitCode()
}

const question = "to destroy it, or Enter to cancel: "

func TestAsking(t *testing.T) {
	for _, c := range []struct {
		name    string
		args    []string
		keys    string
		code    int
		outcome string
		screen  string
		gone    bool
	}{
		{name: "typed name", keys: "PROJ\n", code: 0, outcome: "success", gone: true, screen: "Destroyed PROJ: 1 container, 1 volume, 1 network"},
		{name: "wrong name", keys: "prod\n", code: 4, outcome: "cancelled", screen: "cancelled: nothing was destroyed"},
		{name: "yes is no name", keys: "yes\n", code: 4, outcome: "cancelled", screen: "cancelled"},
		{name: "enter", keys: "\n", code: 4, outcome: "cancelled", screen: "cancelled"},
		{name: "ctrl-d", keys: "\x04", code: 4, outcome: "cancelled", screen: "cancelled"},
		{name: "ctrl-c", keys: "\x03", code: 130, outcome: "cancelled", screen: "nothing was destroyed"},
		{name: "no answer", args: []string{"--prompt-timeout", "300ms"}, code: 4, outcome: "cancelled", screen: "no answer in time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(single))
			s.docker("compose", "up", "--detach")
			p := s.terminal(c.args...)
			p.waitText(question)
			if !strings.Contains(p.seen(), "This destroys, for good:") || !strings.Contains(p.seen(), s.name+"_data") {
				t.Errorf("the question comes without the inventory:\n%s", p.seen())
			}
			if c.keys != "" {
				p.send(s.expand(c.keys))
			}
			code, last := p.wait(), s.last()
			if code != c.code || last.Outcome != c.outcome || last.Details.Confirmation != "typed" {
				t.Errorf("exit %d, outcome %q, confirmation %q\n%s", code, last.Outcome, last.Details.Confirmation, p.seen())
			}
			if s.hasVolume("PROJ_data") == c.gone {
				t.Errorf("volume gone: %v, want %v", !c.gone, c.gone)
			}
			if !strings.Contains(plainText(p.seen()), s.expand(c.screen)) {
				t.Errorf("the screen lacks %q:\n%s", s.expand(c.screen), p.seen())
			}
			if !c.gone && len(s.events()) != 1 {
				t.Errorf("%d events for a teardown that never began", len(s.events()))
			}
		})
	}
}

func plainText(screen string) string {
	for _, c := range []string{"\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[1m", "\x1b[0m", "\r"} {
		screen = strings.ReplaceAll(screen, c, "")
	}
	return screen
}

// Nobody is asked, and the record says so.
func TestNotAsking(t *testing.T) {
	for _, c := range []struct {
		name, want string
		args, env  []string
		empty      bool
	}{
		{name: "--yes", args: []string{"--yes"}, want: "flag"},
		{name: "CI", env: []string{"CI=true"}, want: "unattended"},
		{name: "nothing to destroy", empty: true, want: "unattended"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(single))
			s.env = append(s.env, c.env...)
			if !c.empty {
				s.docker("compose", "up", "--detach")
			}
			p := s.terminal(c.args...)
			if code := p.wait(); code != 0 || s.last().Details.Confirmation != c.want {
				t.Errorf("exit %d, confirmation %q, want %q\n%s", code, s.last().Details.Confirmation, c.want, p.seen())
			}
		})
	}
	t.Run("no terminal", func(t *testing.T) {
		t.Parallel()
		s := newStack(t, one(single))
		s.docker("compose", "up", "--detach")
		if r := s.ccdestroy(); r.code != 0 || s.last().Details.Confirmation != "unattended" {
			t.Errorf("exit %d, confirmation %q", r.code, s.last().Details.Confirmation)
		}
	})
	t.Run("in the background", func(t *testing.T) {
		t.Parallel()
		s := newStack(t, one(single))
		s.docker("compose", "up", "--detach")
		cmd := s.command("", "bash", "-c", "set -m; "+binary+" & wait $!")
		p := s.onTerminal(cmd)
		if code := p.wait(); code != 0 || s.last().Details.Confirmation != "unattended" {
			t.Errorf("exit %d, confirmation %q\n%s", code, s.last().Details.Confirmation, p.seen())
		}
	})
}

// Two jobs of make share the terminal: they ask one after the other.
func TestAskingUnderMake(t *testing.T) {
	t.Parallel()
	a, b := newStack(t, one(single)), newStack(t, one(single))
	a.docker("compose", "up", "--detach")
	b.docker("compose", "up", "--detach")
	a.write("Makefile", "all: one two\none:\n\tcd "+a.dir+" && "+binary+"\ntwo:\n\tcd "+b.dir+" && "+binary+"\n")
	p := a.onTerminal(a.command("", "make", "-j2", "all"))
	first := ""
	for n := 1; n <= 2; n++ {
		waitFor(t, "question", func() bool { return strings.Count(p.seen(), question) == n })
		// The name in the newest question.
		asked := p.seen()[:strings.LastIndex(p.seen(), ") "+question)]
		name := asked[strings.LastIndex(asked, "(")+1:]
		if name != a.name && name != b.name || name == first {
			t.Fatalf("asked for %q", name)
		}
		first = name
		p.send(name + "\n")
	}
	if code := p.wait(); code != 0 || a.hasVolume("PROJ_data") || b.hasVolume("PROJ_data") {
		t.Errorf("exit %d\n%s", code, p.seen())
	}
	for _, s := range []*stack{a, b} {
		if got := s.last().Details.Confirmation; got != "typed" {
			t.Errorf("confirmation %q", got)
		}
	}
}

// Compose believes that it writes to a terminal, and its progress arrives.
func TestProgressOnTerminal(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	p := s.terminal("--yes")
	if code := p.wait(); code != 0 {
		t.Errorf("exit %d", code)
	}
	// "[+] down 3/3" is what Compose shows on terminals only.
	if !strings.Contains(p.seen(), "[+] ") || !strings.Contains(p.seen(), "\x1b[") {
		t.Errorf("no terminal progress:\n%q", p.seen())
	}
}

// A failure's error output is in the record, on a terminal as well.
func TestStderrIsRecorded(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		t.Run(map[bool]string{true: "terminal", false: "pipe"}[terminal], func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one("name: PROJ\nservices:\n  web:\n    image: IMAGE\n    pre_stop: [{command: [\"sh\", \"-c\", \"echo no-such-luck >&2; exit 7\"]}]\n    volumes: [data:/data]\nvolumes:\n  data:\n"))
			s.docker("compose", "up", "--detach")
			var code int
			if terminal {
				code = s.terminal("--yes").wait()
			} else {
				code = s.ccdestroy().code
			}
			last := s.last()
			if code != 1 || last.Outcome != "failed" || !strings.Contains(last.Details.Stderr, "exit") || strings.Contains(last.Details.Stderr, "\x1b") {
				t.Errorf("exit %d, outcome %q, stderr %q", code, last.Outcome, last.Details.Stderr)
			}
		})
	}
}
