package cli

import (
	"bufio"
	"errors"
	"io/fs"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
)

// followPoll is how often the log is looked at for more.
const followPoll = 200 * time.Millisecond

// follow shows the newest operations, oldest first, and then each event as it
// is recorded, until a signal ends the program.
func (c listCmd) follow(p Process, l *audit.Log) error {
	out := bufio.NewWriter(p.Stdout)
	listing := render.NewListing(out, c.Format, p.Now(), p.style(p.Stdout))
	listing.Undoing = undoing(p, l)
	listing.AtWork = func(id string) bool { return record.AtWork(l, id) }
	listing.Follow()
	c.Reverse = true
	at, err := l.End()
	if err == nil {
		err = c.list(p, l, listing)
	}
	if errors.Is(err, fs.ErrNotExist) {
		p.say("No audit log yet: waiting for %s", l.Path)
		err = nil
	}
	listing.Live()
	match, add := c.filter().Match(), listing.Record
	if c.Raw {
		add = listing.Event
	}
	for err == nil {
		if err = errors.Join(listing.Flush(p.Now()), out.Flush()); err != nil {
			break
		}
		time.Sleep(followPoll)
		var failed error
		var cut bool
		at, cut, err = l.Since(at, func(e audit.Event, line []byte) {
			if match(e, line) && failed == nil {
				failed = add(audit.Record{Event: e, Unfinished: e.Outcome == audit.Pending}, line)
			}
		})
		if cut {
			p.say("ccdestroy: %s was cut, replaced or removed; from here on it is the one that is there now", l.Path)
		}
		err = errors.Join(err, failed)
	}
	if closedPipe(err) {
		return nil
	}
	return err
}
