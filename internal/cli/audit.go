package cli

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

type auditCmd struct {
	List listCmd `cmd:"" default:"withargs" help:"List operations, newest first: the command when none is named."`
	Show showCmd `cmd:"" help:"Show one operation in full."`
}

type listCmd struct {
	Limit     int      `short:"n" default:"20" placeholder:"N" help:"Show the newest N operations; 0 means all (${default})."`
	Operation []string `placeholder:"NAME" help:"Only these operations: destroy, export, prune, delete_dashboard, restore, or your own. Repeatable, or comma-separated."`
	Format    string   `enum:"table,json,jsonl" default:"table" help:"table, json (one array) or jsonl (one object a line)."`
	Raw       bool     `help:"Show every event as it stands in the log, pending ones too."`
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
	if c.Raw {
		err = c.raw(p, l)
	} else {
		err = c.merged(p, l)
	}
	return readFault(err, l)
}

func (c listCmd) merged(p Process, l *audit.Log) error {
	records, scanned, err := l.History(audit.Query{Limit: c.Limit, Operations: c.Operation})
	if err := noted(p, l, scanned, err); err != nil {
		return err
	}
	switch c.Format {
	case "json":
		return render.HistoryJSON(p.Stdout, records)
	case "jsonl":
		return render.HistoryLines(p.Stdout, records)
	}
	if len(records) == 0 {
		return nil
	}
	return render.History(p.Stdout, records, p.Now(), p.style(p.Stdout))
}

func (c listCmd) raw(p Process, l *audit.Log) error {
	var lines [][]byte
	var events []audit.Event
	scanned, err := l.Backward(func(e audit.Event, raw []byte) bool {
		if (audit.Query{Operations: c.Operation}).Match(e) {
			lines = append(lines, append([]byte(nil), raw...))
			events = append(events, e)
		}
		return c.Limit == 0 || len(lines) < c.Limit
	})
	if err := noted(p, l, scanned, err); err != nil {
		return err
	}
	switch c.Format {
	case "json":
		return render.EventsJSON(p.Stdout, lines)
	case "jsonl":
		return render.EventLines(p.Stdout, lines)
	}
	if len(events) == 0 {
		return nil
	}
	return render.Events(p.Stdout, events, p.Now(), p.style(p.Stdout))
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
	ID     string `arg:"" help:"Id of the operation, or its beginning as far as it is unique."`
	Format string `enum:"table,json,jsonl" default:"table" help:"table, json or jsonl: the events as they stand in the log."`
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
		return &teardown.Fault{Err: errors.New("no audit log: looked for " + l.Path), Try: "--log FILE, or run it in the project's directory", Code: teardown.ExitFailed}
	}
	if err != nil {
		return readFault(err, l)
	}
	switch c.Format {
	case "json":
		return render.EventsJSON(p.Stdout, lines)
	case "jsonl":
		return render.EventLines(p.Stdout, lines)
	}
	return render.Show(p.Stdout, events, p.Now(), p.style(p.Stdout))
}

type reconcileCmd struct {
	Host    string `short:"H" placeholder:"ADDRESS" help:"Docker Engine to talk to."`
	Context string `placeholder:"NAME" help:"Docker context to use."`
	logFlag
}

// Run settles what can be settled; it exits 1 when something stays unfinished.
func (c reconcileCmd) Run(ctx context.Context, p Process, code *int) error {
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		return err
	}
	p.warnHead(l)
	client, err := p.engine(projectFlags{Host: c.Host, Context: c.Context})
	if err != nil {
		return err
	}
	defer client.Close()
	settled, obstacles, err := p.settle(ctx, l, client, 0)
	if err != nil {
		return readFault(err, l)
	}
	for _, err := range obstacles {
		p.say("ccdestroy: %v", err)
		*code = teardown.ExitFailed
	}
	if settled == 0 && len(obstacles) == 0 {
		p.say("Nothing is unfinished in %s", l.Path)
	}
	return nil
}
