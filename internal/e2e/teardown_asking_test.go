package e2e

import (
	"strings"
	"testing"
)

func TestAsking(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		args    []string
		keys    string
		again   string // typed at the second question
		code    int
		outcome string
		screen  string
		gone    bool
		obey    bool // what the screen offers tears it down
	}{
		{name: "typed name", keys: "PROJ\n", code: 0, outcome: "success", gone: true, screen: "Destroyed PROJ: 1 container, 1 volume, 1 network"},
		{name: "wrong name", keys: "prod\n", again: "prod\n", code: 4, outcome: "cancelled", screen: "cancelled: nothing was destroyed"},
		{name: "mistyped, then right", keys: "UPPER\n", again: "PROJ\n", code: 0, outcome: "success", gone: true, screen: "\"UPPER\" is not \"PROJ\"; nothing has been destroyed."},
		{name: "yes is no name", keys: "yes\n", again: "\n", code: 4, outcome: "cancelled", screen: "cancelled"},
		{name: "enter", keys: "\n", code: 4, outcome: "cancelled", screen: "cancelled"},
		{name: "ctrl-d", keys: "\x04", code: 4, outcome: "cancelled", screen: "cancelled"},
		{name: "ctrl-c", keys: "\x03", code: 130, outcome: "cancelled", screen: "nothing was destroyed"},
		{name: "no answer", args: []string{"--prompt-timeout", "300ms"}, code: 4, outcome: "cancelled", screen: "no answer in time", obey: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(single))
			s.docker("compose", "up", "--detach")
			p := s.terminal(c.args...)
			p.waitText(question)
			if !strings.Contains(p.seen(), "Destroys 1 volume") || !strings.Contains(p.seen(), s.name+"_data") {
				t.Errorf("the question comes without the inventory:\n%s", p.seen())
			}
			if c.keys != "" {
				p.send(s.expand(c.keys))
			}
			if c.again != "" {
				waitFor(t, "the second question", func() bool { return strings.Count(p.seen(), question) == 2 })
				p.send(s.expand(c.again))
			}
			code, last := p.wait(), s.last()
			if code != c.code || last.Outcome != c.outcome || last.Details.Confirmation != "typed" {
				t.Errorf("exit %d, outcome %q, confirmation %q\n%s", code, last.Outcome, last.Details.Confirmation, p.seen())
			}
			if s.hasVolume("PROJ_data") == c.gone {
				t.Errorf("volume gone: %v, want %v", !c.gone, c.gone)
			}
			if !p.shows(s.expand(c.screen)) {
				t.Errorf("the screen lacks %q:\n%s", s.expand(c.screen), p.seen())
			}
			if !c.gone && len(s.events()) != 1 {
				t.Errorf("%d events for a teardown that never began", len(s.events()))
			}
			if c.obey && (s.obey(p.seen(), "Try").code != 0 || s.hasVolume("PROJ_data")) {
				t.Errorf("what was offered did not tear it down:\n%s", p.seen())
			}
		})
	}
}

// Nobody is asked, and the record says so.
func TestNotAsking(t *testing.T) {
	t.Parallel()
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
		asked := p.seen()[strings.LastIndex(p.seen(), "Type ")+len("Type "):]
		name, _, _ := strings.Cut(asked, " ")
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
