package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
)

type acceptCmd struct {
	Reason string `fixed:"" required:"" placeholder:"TEXT" help:"Reason why the log was replaced, kept in the record."`
	recordFlags
}

// Validate is called by the parser.
func (c acceptCmd) Validate() error {
	if strings.TrimSpace(c.Reason) == "" {
		return errors.New("--reason is empty: say why the log is not the one that was written here")
	}
	return nil
}

// Help says what it does not do.
func (acceptCmd) Help() string {
	return `The heads of the old log that this account noted no longer count, and commands stop warning. Lines that were changed, removed or added within the log are still reported by audit verify.`
}

// Run accepts what happened to the log. There is no warning before it: it reports
// the same thing.
func (c acceptCmd) Run(ctx context.Context, p Process) error {
	l, err := p.logForWriting(c.logFlag)
	if err != nil {
		return err
	}
	copier, err := p.copier(c.storeFlags)
	if err != nil {
		return err
	}
	book := p.book(nil, 0)
	book.Log, book.Copier = l, copier
	e := book.About(audit.Accept, c.Reason)
	var accepted audit.Accepted
	err = p.asFarAs(ctx, "nothing was accepted", func(ctx context.Context) (err error) {
		accepted, err = l.Accept(ctx, e)
		return err
	})
	switch {
	case errors.Is(err, audit.ErrNothing) && missing(l.Path):
		p.say("Nothing to accept: no audit log, and no head of one was noted here: looked for %s", l.Path)
		return nil
	case errors.Is(err, audit.ErrNothing):
		p.say("Nothing to accept: %s holds every head that was noted of it here", l.Path)
		return nil
	case errors.Is(err, audit.ErrMoved):
		return &fault.Fault{Err: err, Try: "look at it, and run again " + book.Command("audit", "accept"), Code: fault.ExitFailed}
	case errors.Is(err, audit.ErrHead):
		return &fault.Fault{Err: err, Try: "make the directory writable, and run again " + book.Command("audit", "accept"), Code: fault.ExitFailed}
	case errors.Is(err, audit.ErrVersion):
		return record.ReadFault(err, l)
	case err != nil:
		return unwritten(err)
	}
	book.Follow(ctx)
	for _, what := range accepted.Found {
		p.say("Accepted: %s", what)
	}
	p.say("%s", render.Recorded(e.ID, p.styleFor(p.Stderr, l.Path, "")))
	sig, err := p.untilSignal(ctx, func(context.Context) error { return c.rest(p, &book) })
	if sig != nil {
		return fault.StoppedBy(sig, "it is accepted, and not verified")
	}
	return err
}

// rest reports what cannot be accepted.
func (c acceptCmd) rest(p Process, book *record.Book) error {
	report, err := book.Log.Verify(nil)
	if err == nil && !report.Intact() {
		p.say("The log itself is not intact: %s", render.Terminal(book.Command("audit", "verify")))
	}
	return err
}
