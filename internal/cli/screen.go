package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// say writes one line of talk.
func (p Process) say(format string, args ...any) {
	fmt.Fprintln(p.Stderr, render.Terminal(fmt.Sprintf(format, args...)))
}

// screen is teardown's Screen on stderr.
type screen struct {
	p       Process
	timeout time.Duration
	vendor  string                      // of the CI system, "" outside
	exports func(project string) string // where an export goes, by the project's directory
}

var _ teardown.Screen = screen{}

func (s screen) Inventory(inv teardown.Inventory, full bool) {
	if full {
		_ = render.Inventory(s.p.Stderr, inv, s.p.Now(), s.p.style(s.p.Stderr))
		return
	}
	fmt.Fprintln(s.p.Stderr, render.Line(inv))
	if s.vendor == "github" || s.vendor == "gitlab" {
		_ = render.Folded(s.p.Stderr, s.vendor, "Inventory of "+inv.Project, s.p.Now(), func(w io.Writer) error {
			return render.Inventory(w, inv, s.p.Now(), render.Style{})
		})
	}
	for _, w := range render.Warnings(inv) {
		s.p.say("WARNING: %s", w)
	}
}

func (s screen) Note(text string) { s.p.say("ccdestroy: %s", text) }
func (s screen) Settling()        { s.p.say("Waiting for the engine to come to rest …") }
func (s screen) Done(e teardown.Ending) {
	_ = render.Ending(s.p.Stderr, e, s.p.style(s.p.Stderr))
	if s.vendor != "github" {
		return
	}
	_, _ = io.WriteString(s.p.Stderr, render.GitHubAnnotation(e))
	if err := s.summary(e); err != nil {
		s.Note("the step summary was not written: " + err.Error())
	}
}

// summary adds to the file that GitHub shows below the job, where it wants one.
func (s screen) summary(e teardown.Ending) error {
	path := s.p.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	return render.GitHubSummary(f, e)
}

// stopped marks in CI that a teardown did not come about.
func (s screen) stopped(err error) {
	if s.vendor == "github" {
		_, _ = io.WriteString(s.p.Stderr, render.GitHubCommand("error", "ccdestroy destroyed nothing", err.Error()))
	}
}

// Ask asks for the project's name. The answer is read on /dev/tty, so that a
// redirected standard input cannot say yes. Of several jobs on one terminal, as
// under `make -j2`, one asks at a time.
func (s screen) Ask(ctx context.Context, inv teardown.Inventory, saving bool) (teardown.Answer, error) {
	tty, err := os.OpenFile(ttyPath, os.O_RDWR, 0)
	if err != nil {
		return teardown.Declined, fmt.Errorf("open the terminal: %w", err)
	}
	defer tty.Close()
	release, err := s.turn(ctx)
	if err != nil {
		return teardown.TimedOut, nil
	}
	defer release()
	s.Inventory(inv, true)
	offer := !saving && inv.Project != "e" && len(inv.AskedVolumes()) > 0
	switch {
	case offer:
		fmt.Fprintf(s.p.Stderr, "To export the volumes first, to %s, type e.\n", render.Terminal(s.exports(inv.Dir)))
	case saving:
		s.saying(inv)
	}
	line, answer, err := s.question(ctx, tty, inv.Project, "the project name ("+inv.Project+")", "destroy it")
	if offer && line == "e" {
		s.saying(inv)
		if _, answer, err = s.question(ctx, tty, inv.Project, "the project name ("+inv.Project+")", "destroy it"); answer == teardown.Typed {
			answer = teardown.SaveFirst
		}
	}
	return answer, err
}

// saying says that there is an export to come.
func (s screen) saying(inv teardown.Inventory) {
	fmt.Fprintf(s.p.Stderr, "Before that, the volumes are exported to %s.\n", render.Terminal(s.exports(inv.Dir)))
}

// question asks for a word, which means yes.
func (s screen) question(ctx context.Context, tty *os.File, word, name, to string) (line string, answer teardown.Answer, err error) {
	fmt.Fprintf(s.p.Stderr, "Type %s to %s, or Enter to cancel: ", render.Terminal(name), to)
	line, err = readLine(ctx, tty, s.timeout)
	line = strings.TrimSpace(line)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(s.p.Stderr)
		return "", teardown.Declined, ctx.Err()
	case os.IsTimeout(err):
		fmt.Fprintln(s.p.Stderr)
		return "", teardown.TimedOut, nil
	case err != nil:
		fmt.Fprintln(s.p.Stderr)
		return "", teardown.Declined, nil // end of input: Ctrl-D
	case line == word:
		return line, teardown.Typed, nil
	}
	return line, teardown.Declined, nil
}

// turn waits until no other job asks on this terminal.
func (s screen) turn(ctx context.Context) (release func(), err error) {
	dir := s.p.xdg("XDG_CACHE_HOME", ".cache")
	if dir == "" || durable.MkdirAll(dir, 0o700) != nil {
		return func() {}, nil // no place for a lock: the jobs may talk at once
	}
	name := "tty-" + strings.ReplaceAll(actor.ThisMachine(s.p.Getenv).TTY, "/", "-") + ".lock"
	lock, err := durable.Lock(ctx, filepath.Join(dir, name), s.timeout)
	if err != nil {
		return nil, err
	}
	return func() { _ = lock.Unlock() }, nil
}
