package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/store"
)

// sourceFlag is for commands that read.
type sourceFlag struct {
	Store storeSource `fixed:"" help:"Read all logs in the configured store, or in the one given: --store=s3://BUCKET/PREFIX."`
	keyFlag
}

// storeSource is the flag --store of commands that read: by itself it means the
// store that is set, and with an address another one.
type storeSource struct{ url string }

// IsBool says that it needs no value.
func (*storeSource) IsBool() bool { return true }

// configured is the store that is set.
const configured = "true"

// Decode takes the value behind the equals sign, or a next word that is an address.
func (s *storeSource) Decode(ctx *kong.DecodeContext) error {
	s.url = configured
	next := ctx.Scan.Peek()
	text, _ := next.Value.(string)
	if next.Type == kong.FlagValueToken || strings.HasPrefix(text, "s3://") {
		s.url = fmt.Sprint(ctx.Scan.Pop().Value)
	}
	return nil
}

// source opens the store to read from, nil where the log is meant.
func (p Process) source(f sourceFlag) (*source, error) {
	url := f.Store.url
	if url == configured {
		url = ""
		if set := p.set.all("store"); len(set) > 0 {
			url = fmt.Sprint(set[0].value)
		}
		if url == "" {
			return nil, fault.Usage("--store=s3://BUCKET/PREFIX; or set "+variable("store")+"; docs/store.md", "--store: no store is set")
		}
	}
	if url == "" || url == "false" {
		if len(f.StoreKey) > 0 && len(p.set.all("store-key")) == 0 { // typed, so that somebody counts on it
			return nil, fault.Usage("--store --store-key KEY", "--store-key is the key of a store, and the log here is not sealed")
		}
		return nil, nil
	}
	s, err := p.store(url)
	if err != nil {
		return nil, err
	}
	keys, err := f.keys()
	if err != nil {
		return nil, err
	}
	if p.Getenv("GOGC") == "" {
		debug.SetGCPercent(100) // what is read is large, and goes at once
	}
	var once sync.Once
	return &source{store.Archive{Source: store.NewSource(s, keys, func(key string, err error) {
		once.Do(func() {
			p.say("WARNING: %s: passed over %s, and perhaps more: %s: ccdestroy audit verify --store", s, render.Terminal(key), render.Terminal(err.Error()))
		})
	})}, fmt.Sprint(s), s}, nil
}

// source is a store to read from.
type source struct {
	store.Archive
	name   string
	reader store.Reader
}

// readStore adds what to try to an error of reading a store.
func readStore(err error) error {
	var ambiguous *audit.AmbiguousError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ambiguous):
		return &fault.Fault{Err: err, Try: fault.Command("ccdestroy", "audit", "show", "--store", ambiguous.IDs[0]), Code: fault.ExitFailed}
	case errors.Is(err, audit.ErrNotFound):
		return &fault.Fault{Err: err, Try: "ccdestroy audit --store -n 0", Code: fault.ExitFailed}
	case errors.Is(err, audit.ErrVersion):
		return &fault.Fault{Err: err, Try: "install a newer ccdestroy", Code: fault.ExitFailed}
	}
	return &fault.Fault{Err: err, Try: "ccdestroy doctor", Code: fault.ExitFailed}
}

// nothingLeft: what is kept for undo lies on the machines.
func nothingLeft(audit.Event, record.Details) []record.Kept { return nil }

// query is the filter as a store takes it.
func (f filterFlags) query(limit int) store.Query {
	q := store.Query{Limit: limit, Operation: f.Operation, Outcome: f.Outcome, Since: f.Since.Time, Until: f.Until.Time}
	if len(f.User)+len(f.Project)+len(f.Volume)+len(f.Host) > 0 || f.Grep != "" {
		q.Match = f.filter().Match()
	}
	for _, words := range [][]string{f.User, f.Project, f.Volume, f.Host} {
		if len(words) > 0 {
			q.Words = append(q.Words, words)
		}
	}
	return q
}

// fromStore lists the history of all logs.
func (c listCmd) fromStore(ctx context.Context, p Process, s *source, err error) error {
	if err != nil {
		return err
	}
	if c.Follow {
		return readStore(c.followStore(ctx, p, s))
	}
	none := true
	err = c.write(ctx, p, &audit.Log{}, func(w io.Writer, style render.Style) error {
		listing := c.listing(w, p, style)
		defer func() { none = listing.Empty() }()
		if _, err := c.listStore(ctx, p, s, listing); err != nil {
			return readStore(err)
		}
		return listing.End()
	})
	if err == nil && none {
		p.say("No operation matches in %s", s.name)
	}
	return err
}

func (c listCmd) listing(w io.Writer, p Process, style render.Style) *render.Listing {
	listing := render.NewListing(w, c.Format, p.Now(), style)
	listing.Undoing = nothingLeft
	listing.Elsewhere = true
	return listing
}

// listStore adds what is asked for to the listing, and returns the sums of its lines.
func (c listCmd) listStore(ctx context.Context, p Process, s *source, listing *render.Listing) (sums map[string]bool, err error) {
	sums = map[string]bool{}
	type item struct {
		audit.Record
		line []byte
	}
	var held []item // for --reverse alone
	add := listing.Record
	q := c.query(c.Limit)
	if q.Raw = c.Raw; q.Raw {
		add = listing.Event
	}
	q.Forked = func(log string, seq int64) {
		p.say("WARNING: %s: the log %s went on in two ways at event %d: ccdestroy audit verify --store", s.name, log, seq)
	}
	spoilt := 0
	q.Spoilt = func(store.Key) { spoilt++ }
	err = s.History(ctx, q, func(r audit.Record, line []byte) error {
		sums[audit.Sum(line)] = true
		if c.Reverse {
			held = append(held, item{r, line})
			return nil
		}
		return add(r, line)
	})
	for _, i := range slices.Backward(held) {
		err = errors.Join(err, add(i.Record, i.line))
	}
	s.warnSpoilt(p, spoilt)
	return sums, err
}

// warnSpoilt tells of objects that were passed over.
func (s *source) warnSpoilt(p Process, n int) {
	if n > 0 {
		p.say("WARNING: %s: skipped %d objects that do not hold what they are named after: ccdestroy audit verify --store", s.name, n)
	}
}

// storePoll is how often a store is asked for more.
const storePoll = 2 * time.Second

// followStore shows the newest operations and then each event as it comes, until a
// signal ends the program.
func (c listCmd) followStore(ctx context.Context, p Process, s *source) error {
	out := bufio.NewWriter(p.Stdout)
	listing := c.listing(out, p, p.style(p.Stdout))
	listing.Follow()
	c.Reverse = true
	match, add := c.filter().Match(), listing.Record
	if c.Raw {
		add = listing.Event
	}
	var listed map[string]bool // what came between the first look and the list is in both
	flush := func() (err error) {
		if listed == nil {
			if listed, err = c.listStore(ctx, p, s, listing); err != nil {
				return err
			}
			listing.Live()
		}
		if err := errors.Join(listing.Flush(p.Now()), out.Flush()); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(storePoll):
			return nil
		}
	}
	err := s.Follow(ctx, p.Now, flush, func(e audit.Event, line []byte) error {
		if !match(e, line) || listed[audit.Sum(line)] {
			return nil
		}
		return add(audit.Record{Event: e, Unfinished: e.Outcome == audit.Pending}, line)
	})
	if closedPipe(err) {
		return nil
	}
	return err
}

// fromStore shows one operation.
func (c showCmd) fromStore(ctx context.Context, p Process, s *source, err error) error {
	if err != nil {
		return err
	}
	spoilt := 0
	events, lines, err := s.Show(ctx, c.ID, func(store.Key) { spoilt++ })
	s.warnSpoilt(p, spoilt)
	if err != nil {
		return readStore(err)
	}
	if first, last := events[0], events[len(events)-1]; first.Log != last.Log {
		p.say("WARNING: %s: several logs have an operation of this id; ids are meant to be unique, and one of them may be made up", s.name)
	}
	return c.shown(ctx, p, &audit.Log{}, events, lines, nothingLeft)
}

// fromStore verifies all logs.
func (c verifyCmd) fromStore(ctx context.Context, p Process, s *source, heads []audit.Head, err error, code *int) error {
	if err != nil {
		return err
	}
	report, err := s.Verify(ctx, s.name, heads)
	if err != nil {
		return readStore(err)
	}
	if err := c.seals(ctx, p, s, &report); err != nil {
		return readStore(err)
	}
	if !report.Intact() {
		*code = fault.ExitNotIntact
	}
	if c.Format == "json" {
		return render.VerifyJSON(p.Stdout, report)
	}
	return render.VerifyStore(p.Stdout, report, p.style(p.Stdout))
}

// fromStore prints the heads of all logs.
func (c headCmd) fromStore(ctx context.Context, p Process, s *source, err error) error {
	if err != nil {
		return err
	}
	heads, err := s.Heads(ctx)
	if err != nil {
		return readStore(err)
	}
	out := bufio.NewWriter(p.Stdout)
	for _, h := range heads {
		fmt.Fprintln(out, render.Terminal(h.Word()))
	}
	return out.Flush()
}

// fromStore writes the report on all logs.
func (c reportCmd) fromStore(ctx context.Context, p Process, s *source, heads []audit.Head, err error) error {
	if err != nil {
		return err
	}
	verdict, err := s.Verify(ctx, s.name, heads)
	if err != nil {
		return readStore(err)
	}
	report := render.NewReport(s.name, c.words(), p.Now(), verdict)
	report.Undoing = nothingLeft
	if err := s.History(ctx, c.query(0), func(r audit.Record, line []byte) error { return report.Add(r, line) }); err != nil {
		return readStore(err)
	}
	return outputFlags{Output: c.Output, NoPager: true}.write(ctx, p, &audit.Log{}, func(w io.Writer, _ render.Style) error { return report.Page(w) })
}

// typedStore is the store that a line which is being typed reads from.
func (p Process) typedStore() (url string, asked bool) {
	words := strings.Fields(p.Getenv(completeAsked))
	for i, word := range words {
		switch {
		case word == "--store" && i+1 < len(words) && strings.HasPrefix(words[i+1], "s3://"):
			return words[i+1], true
		case word == "--store":
			return p.Getenv(variable("store")), true
		}
		if rest, ok := strings.CutPrefix(word, "--store="); ok {
			return rest, true
		}
	}
	return "", false
}

// storedEvents are the newest ids in a store.
func (p Process) storedEvents(url string) []string {
	s, err := p.store(url)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), completionPatience)
	defer cancel()
	ids, _ := store.Archive{Source: store.NewSource(s, nil, nil)}.IDs(ctx, 100) // what there was time for
	return ids
}
