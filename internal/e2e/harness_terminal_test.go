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

func plainText(screen string) string {
	for _, c := range []string{"\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[1m", "\x1b[0m", "\r"} {
		screen = strings.ReplaceAll(screen, c, "")
	}
	return screen
}

// shows reports whether the screen has a text, wherever its lines are broken.
func (p *pseudo) shows(text string) bool {
	flat := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	return strings.Contains(p.seen(), text) || strings.Contains(flat(plainText(p.seen())), flat(text))
}

func (p *pseudo) waitText(text string) {
	p.t.Helper()
	defer func() {
		if p.t.Failed() {
			p.t.Logf("the screen:\n%s", p.seen())
		}
	}()
	waitFor(p.t, text, func() bool { return p.shows(text) })
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

const question = ", Enter to cancel: "

// asks waits for the nth question that has text in it, and reports whether it came
// before the program ended.
func (p *pseudo) asks(text string, n int) bool {
	p.t.Helper()
	waitFor(p.t, "a question or the end", func() bool {
		select {
		case <-p.done:
			return true
		default:
			return strings.Count(p.seen(), text) >= n
		}
	})
	return strings.Count(p.seen(), text) >= n
}
