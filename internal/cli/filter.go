package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
)

// filterFlags select operations. Of one flag any value will do; every flag that
// is given must.
type filterFlags struct {
	Operation []string `placeholder:"NAME" completion-predictor:"operation" group:"filter" help:"Only these operations: destroy, export, prune, restore, undo, purge, delete_dashboard, or your own. This flag and the next five can be repeated or take a comma-separated list."`
	Outcome   []string `placeholder:"WORD" completion-predictor:"outcome" group:"filter" help:"Only these outcomes: pending (unfinished), success, failed, partial, cancelled."`
	User      []string `placeholder:"NAME" group:"filter" help:"Only by these users, or CI actors; * matches anything, here and in the next three."`
	Project   []string `placeholder:"NAME" completion-predictor:"project" group:"filter" help:"Only of these projects."`
	Volume    []string `placeholder:"NAME" completion-predictor:"volume" group:"filter" help:"Only operations that destroyed one of these volumes, by name or Compose key; with --outcome, also those that only involved it."`
	Host      []string `placeholder:"NAME" group:"filter" help:"Only from these hosts, or on these engines."`
	Since     moment   `placeholder:"TIME" group:"filter" help:"Not before: 1h30m, 3d, yesterday, monday, 2026-11-23, RFC 3339."`
	Until     moment   `placeholder:"TIME" group:"filter" help:"Not after."`
	Grep      string   `placeholder:"REGEXP" group:"filter" help:"Only lines of the log that match this regular expression."`
}

func (f filterFlags) filter() record.Filter {
	return record.Filter{
		Operation: f.Operation, Outcome: f.Outcome, User: f.User, Project: f.Project, Volume: f.Volume, Host: f.Host,
		Since: f.Since.Time, Until: f.Until.Time, Grep: f.Grep,
	}
}

// given are the flags that select, as they were typed, each with the filter that
// lacks it.
func (f filterFlags) given() (all []lacking) {
	without := func(name string, values []string, drop func(*filterFlags)) {
		if len(values) > 0 {
			rest := f
			drop(&rest)
			all = append(all, lacking{"--" + name + " " + strings.Join(values, ","), rest})
		}
	}
	at := func(m moment) []string {
		if m.IsZero() {
			return nil
		}
		return []string{m.Local().Format("2006-01-02 15:04")}
	}
	word := func(text string) []string {
		if text == "" {
			return nil
		}
		return []string{strconv.Quote(text)}
	}
	without("since", at(f.Since), func(r *filterFlags) { r.Since = moment{} })
	without("until", at(f.Until), func(r *filterFlags) { r.Until = moment{} })
	without("grep", word(f.Grep), func(r *filterFlags) { r.Grep = "" })
	without("outcome", f.Outcome, func(r *filterFlags) { r.Outcome = nil })
	without("volume", f.Volume, func(r *filterFlags) { r.Volume = nil })
	without("host", f.Host, func(r *filterFlags) { r.Host = nil })
	without("user", f.User, func(r *filterFlags) { r.User = nil })
	without("project", f.Project, func(r *filterFlags) { r.Project = nil })
	without("operation", f.Operation, func(r *filterFlags) { r.Operation = nil })
	return all
}

// lacking is a filter without one of its flags.
type lacking struct {
	flag string
	rest filterFlags
}

// nothing says that no operation was selected, and which one would be if one of
// the flags were left out: the nearest to a time, else the newest.
func (f filterFlags) nothing(p Process, l *audit.Log) {
	flags := f.given()
	if len(flags) == 0 {
		return
	}
	for _, one := range flags {
		limit := 1
		if strings.HasPrefix(one.flag, "--until") {
			limit = 0 // down to the oldest after it
		}
		if r, found := nearestOf(l, one.rest, limit); found {
			p.say("No operation matches. Without %s: %s", one.flag, p.brief(r))
			return
		}
	}
	if r, found := nearestOf(l, filterFlags{}, 1); found {
		p.say("No operation matches. The newest: %s", p.brief(r))
		return
	}
	p.say("No operation matches: there is none in %s", l.Path)
}

// nearestOf is the last operation that a reading of the log finds.
func nearestOf(l *audit.Log, f filterFlags, limit int) (last audit.Record, found bool) {
	_, _ = l.History(f.filter().Query(limit), func(r audit.Record, _ []byte) error {
		last, found = r, true
		return nil
	})
	return last, found
}

// brief is an operation in a few words.
func (p Process) brief(r audit.Record) string {
	d, _ := record.ParseDetails(r.Event) // of another shape: no project
	return strings.Join(strings.Fields(fmt.Sprintf("%s  %s %s, %s, %s", render.ShortID(r.ID), r.Operation, d.Project, r.Outcome, r.Timestamp.Local().Format("2006-01-02 15:04"))), " ")
}
