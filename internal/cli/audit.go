package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
)

type auditCmd struct {
	List   listCmd   `cmd:"" signals:"end" settings:"reads" default:"withargs" help:"List operations, newest first (default command)."`
	Show   showCmd   `cmd:"" signals:"end" settings:"reads" help:"Show one operation in full."`
	Verify verifyCmd `cmd:"" signals:"end" settings:"reads" help:"Verify that the log was not changed; exits 7 if it was."`
	Prove  proveCmd  `cmd:"" signals:"end" settings:"reads" help:"Write a proof that the events of an operation are sealed in the store."`
	Report reportCmd `cmd:"" signals:"end" settings:"reads" help:"Write an HTML report: what was destroyed, by whom, and what went wrong."`
	Head   headCmd   `cmd:"" signals:"end" settings:"reads" help:"Print the head of the log as one word, to keep elsewhere."`
	Rotate rotateCmd `cmd:"" help:"Close the log and continue in a new one."`
	Accept acceptCmd `cmd:"" help:"Accept a log that was replaced, truncated or restored on purpose, and record why."`
}

type listCmd struct {
	Limit   int           `short:"n" default:"20" placeholder:"N" help:"Show the newest N operations; 0 means all (${default})."`
	Format  render.Format `enum:"table,wide,json,jsonl,csv,html" default:"table" help:"table, wide (full ids and times, more columns), json (one array), jsonl (one object a line), csv or html."`
	Quiet   bool          `short:"q" help:"Show only ids."`
	Reverse bool          `help:"Show the oldest first."`
	Raw     bool          `help:"Show every event in the log, including pending ones."`
	Follow  bool          `short:"f" help:"Keep showing events as they are recorded, until Ctrl-C."`
	filterFlags
	outputFlags
	logFlag
	sourceFlag
}

// Validate is called by the parser.
func (c listCmd) Validate() error {
	switch {
	case c.Limit < 0:
		return errors.New("--limit must not be negative; 0 means all")
	case c.Follow && c.Output != "":
		return errors.New("--follow and --output exclude each other: --output writes when the listing ends")
	case c.Follow && (c.Format == render.JSON || c.Format == render.HTML):
		return errors.New("--follow needs a format without an end, such as jsonl, not " + string(c.Format))
	}
	return c.filter().Check()
}

// Run lists the history.
func (c listCmd) Run(ctx context.Context, p Process) error {
	if c.Quiet {
		c.Format = render.IDs
	}
	s, err := p.source(c.sourceFlag)
	if err != nil {
		return err
	}
	if s != nil {
		return c.fromStore(ctx, p, s)
	}
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		return err
	}
	p.warnHead(l)
	if c.Follow {
		return record.ReadFault(c.follow(p, l), l)
	}
	none := true
	err = c.write(ctx, p, l, func(w io.Writer, style render.Style) error {
		listing := render.NewListing(w, c.Format, p.Now(), style)
		listing.Undoing = undoing(p, l)
		listing.AtWork = func(id string) bool { return record.AtWork(l, id) }
		defer func() { none = listing.Empty() }()
		if err := c.list(p, l, listing); err != nil {
			return err
		}
		return listing.End()
	})
	if err == nil && none {
		c.nothing(p, l)
	}
	return record.ReadFault(err, l)
}

// list adds what is asked for to the listing.
func (c listCmd) list(p Process, l *audit.Log, listing *render.Listing) error {
	add := listing.Record
	read := l.History
	if c.Raw {
		read, add = l.Events, listing.Event
	}
	visit, end := c.inOrder(add)
	scanned, err := read(c.filter().Query(c.Limit), visit)
	return noted(p, l, scanned, end(err))
}

// inOrder is what each event is given to, newest first, and what is called in the end
// with the error of reading: --reverse holds the events back until then.
func (c listCmd) inOrder(add func(audit.Record, []byte) error) (visit func(audit.Record, []byte) error, end func(error) error) {
	if !c.Reverse {
		return add, func(err error) error { return err }
	}
	type item struct {
		audit.Record
		line []byte
	}
	var held []item
	visit = func(r audit.Record, line []byte) error {
		held = append(held, item{r, line})
		return nil
	}
	end = func(err error) error {
		for _, i := range slices.Backward(held) {
			err = errors.Join(err, add(i.Record, i.line))
		}
		return err
	}
	return visit, end
}

// noted reports incidental things: that there is no log, which is not an
// error, and lines that were skipped.
func noted(p Process, l *audit.Log, s audit.Scanned, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		p.say("No audit log: looked for %s", l.Path)
		return nil
	}
	if s.Missing != "" {
		p.say("ccdestroy: %s: the segment %s is missing, and so is all that is older", l.Path, s.Missing)
	}
	if s.Malformed > 0 {
		p.say("ccdestroy: %s: skipped %d lines that are not events", l.Path, s.Malformed)
	}
	return err
}

type showCmd struct {
	ID     string        `arg:"" completion-predictor:"event" help:"Id of the operation, or a unique prefix."`
	Format render.Format `enum:"table,json,jsonl" default:"table" help:"table, or json or jsonl: the events as they are in the log."`
	outputFlags
	logFlag
	sourceFlag
}

// Run shows one operation.
func (c showCmd) Run(ctx context.Context, p Process) error {
	s, err := p.source(c.sourceFlag)
	if err != nil {
		return err
	}
	if s != nil {
		return c.fromStore(ctx, p, s)
	}
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		return err
	}
	p.warnHead(l)
	events, lines, err := l.Show(c.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return record.NoLog(l)
	}
	if err != nil {
		return record.ReadFault(err, l)
	}
	return c.shown(ctx, p, l, events, lines, aside(p, l))
}

// showEach calls show with the events of each log; they are side by side.
func showEach(events []audit.Event, lines [][]byte, show func([]audit.Event, [][]byte) error) error {
	for start := 0; start < len(events); {
		end := start + 1
		for end < len(events) && events[end].Log == events[start].Log {
			end++
		}
		if err := show(events[start:end], lines[start:end]); err != nil {
			return err
		}
		start = end
	}
	return nil
}

// shown writes it, that of each log for itself. aside says what became of what it has set aside.
func (c showCmd) shown(ctx context.Context, p Process, l *audit.Log, events []audit.Event, lines [][]byte, aside func(audit.Event, record.Details) record.Aside) error {
	return c.write(ctx, p, l, func(w io.Writer, style render.Style) error {
		if c.Format == render.Table {
			return showEach(events, lines, func(events []audit.Event, lines [][]byte) error {
				last := events[len(events)-1]
				d, _ := record.ParseDetails(last) // of another shape: nothing is kept
				return render.Show(w, events, lines, aside(last, d), p.Now(), style)
			})
		}
		listing := render.NewListing(w, c.Format, p.Now(), style)
		for i, e := range events {
			if err := listing.Event(audit.Record{Event: e}, lines[i]); err != nil {
				return err
			}
		}
		return listing.End()
	})
}
