package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/store"
)

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
func (c listCmd) fromStore(ctx context.Context, p Process, s *source) error {
	if c.Follow {
		return readStore(c.followStore(ctx, p, s))
	}
	none := true
	err := c.write(ctx, p, &audit.Log{}, func(w io.Writer, style render.Style) error {
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
	visit, end := c.inOrder(add)
	err = end(s.History(ctx, q, func(r audit.Record, line []byte) error {
		sums[audit.Sum(line)] = true
		return visit(r, line)
	}))
	s.warnSpoilt(p, spoilt)
	return sums, err
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
