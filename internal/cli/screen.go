package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
	"github.com/contextcore/ccdestroy/internal/terminal"
)

// say writes one line of talk, with our commands as the user calls them.
func (p Process) say(format string, args ...any) {
	fmt.Fprintln(p.Stderr, p.style(p.Stderr).Talk(fmt.Sprintf(format, args...)))
}

// note reports an incidental notice.
func (p Process) note(text string) { p.say("ccdestroy: %s", text) }

// screen is teardown's Screen on stderr.
type screen struct {
	p       Process
	term    terminal.Terminal
	vendor  string                      // of the CI system, "" outside
	exports func(project string) string // where an export goes, by the project's directory
	log     string                      // that is recorded in; "" is the one of the project
}

var _ teardown.Screen = screen{}

// screen is where questions are asked and results are told.
func (p Process) screen(timeout time.Duration) screen {
	_, _, vendor := p.who()
	return screen{p: p, vendor: vendor, exports: p.exportsDir, term: terminal.Terminal{
		Out: p.Stderr, Timeout: timeout, Name: actor.ThisMachine(p.Getenv).TTY, Locks: p.xdg("XDG_CACHE_HOME", ".cache"),
	}}
}

// style is that of what is said of an inventory.
func (s screen) style(inv inventory.Inventory) render.Style {
	log := cmp.Or(s.log, filepath.Join(cmp.Or(inv.Dir, s.p.Dir), audit.DefaultPath))
	return s.p.styleFor(s.p.Stderr, log, inv.Dir)
}

// Inventory shows what will go and what stays.
func (s screen) Inventory(inv inventory.Inventory, full bool) {
	folds := s.vendor == "github" || s.vendor == "gitlab"
	if full || s.vendor != "" && !folds {
		_ = render.Inventory(s.p.Stderr, inv, s.p.Now(), s.style(inv))
		return
	}
	if !inv.Empty() { // else the ending says so
		fmt.Fprintln(s.p.Stderr, render.Line(inv, s.style(inv)))
	}
	for _, line := range render.KeepLines(inv, s.style(inv)) {
		fmt.Fprintln(s.p.Stderr, line)
	}
	if folds {
		_ = render.Folded(s.p.Stderr, s.vendor, "Inventory of "+inv.Project, s.p.Now(), func(w io.Writer) error {
			return render.Inventory(w, inv, s.p.Now(), render.Style{})
		})
	}
	for _, w := range render.Warnings(inv) {
		s.p.say("WARNING: %s", w)
	}
}

// Tell says why there is nothing to do.
func (s screen) Tell(text string) {
	s.p.say("%s", text)
	if s.p.json {
		_ = render.EndingJSON(s.p.Stdout, record.Ending{Outcome: audit.Success})
	}
}

// Done says how it ended.
func (s screen) Done(e record.Ending) {
	_ = render.Ending(s.p.Stderr, e, s.style(e.Inventory))
	if s.p.json {
		_ = render.EndingJSON(s.p.Stdout, e)
	}
	if s.vendor != "github" {
		return
	}
	_, _ = io.WriteString(s.p.Stderr, render.GitHubAnnotation(e))
	s.summary(func(w io.Writer) error { return render.GitHubSummary(w, e) })
}

// summary adds to the file that GitHub shows below the job, where it wants one.
func (s screen) summary(write func(io.Writer) error) {
	path := s.p.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		err = errors.Join(write(f), f.Close())
	}
	if err != nil {
		s.p.note("the step summary was not written: " + err.Error())
	}
}

// stopped marks in CI that a teardown did not happen.
func (s screen) stopped(err error) {
	if s.vendor != "github" {
		return
	}
	_, _ = io.WriteString(s.p.Stderr, render.GitHubCommand("error", "ccdestroy destroyed nothing", err.Error()))
	try := render.Style{Program: s.p.program()}.Called(fault.AsFault(err).Try)
	s.summary(func(w io.Writer) error { return render.GitHubStopped(w, err.Error(), try) })
}

// Ask asks for the project's name, and offers an export before.
func (s screen) Ask(ctx context.Context, q teardown.Question) (answer teardown.Answer, err error) {
	err = s.term.Session(ctx, func(t *terminal.Session) error {
		if len(q.Changes) > 0 {
			fmt.Fprint(s.p.Stderr, render.Moved(q.Changes))
		}
		s.Inventory(q.Inventory, true)
		answer, err = s.ask(ctx, t, q)
		return err
	})
	if errors.Is(err, terminal.ErrTimeout) {
		return teardown.TimedOut, nil
	}
	return answer, err
}

func (s screen) ask(ctx context.Context, t *terminal.Session, q teardown.Question) (teardown.Answer, error) {
	name := q.Inventory.Project
	if q.Saving {
		s.saying(q.Inventory)
	}
	offer := !q.Saving && name != "e" && len(q.Inventory.AskedVolumes()) > 0
	word, err := s.word(ctx, t, name, offer)
	if err == nil && offer && word == "e" {
		s.saying(q.Inventory)
		if word, err = s.word(ctx, t, name, false); err == nil && word == name {
			return teardown.SaveFirst, nil
		}
	}
	if err != nil || word != name {
		return teardown.Declined, err
	}
	return teardown.Typed, nil
}

// word asks for the project's name. Another word gets a second chance; Enter
// does not.
func (s screen) word(ctx context.Context, t *terminal.Session, name string, offer bool) (word string, err error) {
	prompt := "Type " + render.Terminal(name) + " to go ahead, Enter to cancel: "
	if offer {
		prompt = "Type " + render.Terminal(name) + " to go ahead, e to export first, Enter to cancel: "
	}
	for range 2 {
		word, err = t.Question(ctx, prompt)
		if err != nil || word == "" || word == name || offer && word == "e" {
			return word, err
		}
		fmt.Fprintf(s.p.Stderr, "%s is not %s; nothing has been destroyed.\n", render.Terminal(strconv.Quote(word)), render.Terminal(strconv.Quote(name)))
	}
	return word, nil
}

// saying says that an export comes first.
func (s screen) saying(inv inventory.Inventory) {
	fmt.Fprintf(s.p.Stderr, "Before that, the volumes are exported to %s.\n", render.Terminal(s.exports(inv.Dir)))
}

// confirm asks for a word, which means yes. cancelled says what was not done.
func (s screen) confirm(ctx context.Context, word, to, cancelled string) error {
	return s.term.Session(ctx, func(t *terminal.Session) error {
		answer, err := t.Question(ctx, fmt.Sprintf("Type %s to %s, or Enter to cancel: ", word, to))
		if errors.Is(err, terminal.ErrTimeout) || err == nil && answer != word {
			return fault.Declined(cancelled)
		}
		return err
	})
}

// confirmChange shows an inventory and asks for a word, if there is somebody to
// ask, and notes how it was confirmed.
func (s screen) confirmChange(ctx context.Context, o *record.Operation, changes []inventory.Change, how, word, to, cancelled string) error {
	o.Details.Confirmation = how
	if len(changes) > 0 {
		fmt.Fprint(s.p.Stderr, render.Moved(changes))
	}
	s.Inventory(o.Details.Inventory, true)
	if how != record.Typed || o.Details.Empty() {
		return nil
	}
	return s.confirm(ctx, word, to, cancelled)
}
