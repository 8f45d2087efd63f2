package cli

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

type auditCmd struct {
	List   listCmd   `cmd:"" default:"withargs" help:"List operations, newest first: the command when none is named."`
	Show   showCmd   `cmd:"" help:"Show one operation in full."`
	Verify verifyCmd `cmd:"" help:"Check that nobody changed the log; exits 7 when somebody did."`
	Head   headCmd   `cmd:"" help:"Print the head of the log in one word, to be kept elsewhere."`
}

type listCmd struct {
	Limit     int           `short:"n" default:"20" placeholder:"N" help:"Show the newest N operations; 0 means all (${default})."`
	Operation []string      `placeholder:"NAME" help:"Only these operations: destroy, export, prune, delete_dashboard, restore, or your own. Repeatable, or comma-separated."`
	Format    render.Format `enum:"table,json,jsonl,csv,html" default:"table" help:"table, json (one array), jsonl (one object a line), csv or html."`
	Raw       bool          `help:"Show every event as it stands in the log, pending ones too."`
	logFlag
}

// Validate is called by the parser.
func (c listCmd) Validate() error {
	if c.Limit < 0 {
		return errors.New("--limit must not be negative; 0 means all")
	}
	for _, op := range c.Operation {
		if !audit.ValidOperation(op) {
			return errors.New("--operation " + op + ": an operation is a lower_snake name, such as destroy, export, prune or delete_dashboard")
		}
	}
	return nil
}

// Run lists the history.
func (c listCmd) Run(_ context.Context, p Process) error {
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		return err
	}
	p.warnHead(l)
	out := bufio.NewWriter(p.Stdout)
	listing := render.NewListing(out, c.Format, p.Now(), p.style(p.Stdout))
	var scanned audit.Scanned
	if c.Raw {
		scanned, err = c.raw(l, listing)
	} else {
		scanned, err = l.History(audit.Query{Limit: c.Limit, Operations: c.Operation}, listing.Record)
	}
	if err = noted(p, l, scanned, err); err == nil {
		err = listing.End()
	}
	return readFault(errors.Join(err, out.Flush()), l)
}

func (c listCmd) raw(l *audit.Log, listing *render.Listing) (audit.Scanned, error) {
	count := 0
	var failed error
	scanned, err := l.Backward(c.Operation, func(e audit.Event, raw []byte) bool {
		if c.Limit > 0 && count == c.Limit {
			return false
		}
		if (audit.Query{Operations: c.Operation}).Match(e) {
			count++
			failed = listing.Event(e, raw)
		}
		return failed == nil
	})
	return scanned, errors.Join(err, failed)
}

// noted tells what is beside the matter: that there is no log, which is no
// error, and lines that were passed over.
func noted(p Process, l *audit.Log, s audit.Scanned, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		p.say("No audit log: looked for %s", l.Path)
		return nil
	}
	if s.Malformed > 0 {
		p.say("ccdestroy: %s: passed over %d lines that are no events", l.Path, s.Malformed)
	}
	return err
}

// readFault adds what to try to an error of reading the log.
func readFault(err error, l *audit.Log) error {
	var ambiguous *audit.AmbiguousError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ambiguous):
		return &teardown.Fault{Err: err, Try: "one of " + strings.Join(ambiguous.IDs, ", "), Code: teardown.ExitFailed}
	case errors.Is(err, audit.ErrNotFound):
		return &teardown.Fault{Err: err, Try: "ccdestroy audit -n 0 lists all of " + l.Path, Code: teardown.ExitFailed}
	case errors.Is(err, audit.ErrVersion):
		return &teardown.Fault{Err: err, Try: "a newer ccdestroy", Code: teardown.ExitFailed}
	case errors.Is(err, fs.ErrPermission):
		return &teardown.Fault{Err: err, Try: "the account that owns it: ls -l " + l.Path, Code: teardown.ExitFailed}
	}
	return err
}

type showCmd struct {
	ID     string        `arg:"" help:"Id of the operation, or its beginning as far as it is unique."`
	Format render.Format `enum:"table,json,jsonl" default:"table" help:"table, json or jsonl: the events as they stand in the log."`
	logFlag
}

// Run shows one operation.
func (c showCmd) Run(_ context.Context, p Process) error {
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		return err
	}
	p.warnHead(l)
	events, lines, err := l.Show(c.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return noLog(l)
	}
	if err != nil {
		return readFault(err, l)
	}
	if c.Format == render.Table {
		return render.Show(p.Stdout, events, p.Now(), p.style(p.Stdout))
	}
	listing := render.NewListing(p.Stdout, c.Format, p.Now(), p.style(p.Stdout))
	for i, e := range events {
		if err := listing.Event(e, lines[i]); err != nil {
			return err
		}
	}
	return listing.End()
}
