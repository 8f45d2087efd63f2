package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// filterFlags select operations. Of one flag any value will do; every flag that
// is given must.
type filterFlags struct {
	Operation []string `placeholder:"NAME" completion-predictor:"operation" group:"filter" help:"Only these operations: destroy, export, prune, delete_dashboard, restore, or your own. This and the next five: repeatable, or comma-separated."`
	Outcome   []string `placeholder:"WORD" completion-predictor:"outcome" group:"filter" help:"Only these outcomes: pending (unfinished), success, failed, partial, cancelled."`
	User      []string `placeholder:"NAME" group:"filter" help:"Only by these users, or CI actors; * stands for anything, as in the next three."`
	Project   []string `placeholder:"NAME" completion-predictor:"project" group:"filter" help:"Only of these projects."`
	Volume    []string `placeholder:"NAME" completion-predictor:"volume" group:"filter" help:"Only where one of these volumes was concerned."`
	Host      []string `placeholder:"NAME" group:"filter" help:"Only from these hosts, or on these engines."`
	Since     moment   `placeholder:"TIME" group:"filter" help:"Not before: 2h, 3d, yesterday, 2026-11-23, RFC 3339."`
	Until     moment   `placeholder:"TIME" group:"filter" help:"Not after."`
	Grep      string   `placeholder:"REGEXP" group:"filter" help:"Only where the line in the log has this in it."`
}

// check finds values that can match nothing.
func (f filterFlags) check() error {
	for _, op := range f.Operation {
		if !audit.ValidOperation(op) {
			return badOperation(op)
		}
	}
	for _, o := range f.Outcome {
		if !audit.Outcome(o).Valid() {
			return fmt.Errorf("--outcome %s: unknown; it is one of %s", o, outcomes())
		}
	}
	for _, patterns := range [][]string{f.User, f.Project, f.Volume, f.Host} {
		for _, p := range patterns {
			if _, err := path.Match(p, ""); err != nil {
				return fmt.Errorf("%q: %w", p, err)
			}
		}
	}
	if _, err := regexp.Compile(f.Grep); err != nil {
		return fmt.Errorf("--grep: %w", err)
	}
	if !f.Since.IsZero() && !f.Until.IsZero() && f.Until.Before(f.Since.Time) {
		return errors.New("--until is before --since")
	}
	return nil
}

func badOperation(name string) error {
	return fmt.Errorf("operation %q is no lower_snake name, such as destroy, export, prune or delete_dashboard", name)
}

// outcomes are the words for them.
func outcomes() string { return strings.Join(outcomeWords(), ", ") }

func outcomeWords() (words []string) {
	for _, o := range audit.Outcomes() {
		words = append(words, string(o))
	}
	return words
}

// query is the flags as the log takes them.
func (f filterFlags) query(limit int) audit.Query {
	words := f.Operation // these two are the same in each event of an operation
	if len(words) == 0 {
		words = f.Project
	}
	return audit.Query{Limit: limit, Since: f.Since.Time, Match: f.match(), Words: words}
}

func (f filterFlags) match() func(audit.Event, []byte) bool {
	grep := regexp.MustCompile(f.Grep) // check has compiled it
	detailed := len(f.User)+len(f.Project)+len(f.Volume)+len(f.Host) > 0
	return func(e audit.Event, line []byte) bool {
		switch {
		case len(f.Operation) > 0 && !slices.Contains(f.Operation, e.Operation),
			len(f.Outcome) > 0 && !slices.Contains(f.Outcome, string(e.Outcome)),
			!f.Since.IsZero() && e.Timestamp.Before(f.Since.Time),
			!f.Until.IsZero() && e.Timestamp.After(f.Until.Time),
			f.Grep != "" && !grep.Match(line):
			return false
		}
		return !detailed || f.matchDetails(e)
	}
}

func (f filterFlags) matchDetails(e audit.Event) bool {
	d, _ := teardown.ParseDetails(e) // of another shape: what is there counts
	var actor struct {
		Account string
		Host    string
		CI      struct{ Actor string }
	}
	_ = json.Unmarshal(d.Actor, &actor) // none: nobody
	volumes := slices.Clone(e.DataAffected)
	for _, r := range d.Resources {
		if r.Kind == teardown.KindVolume {
			volumes = append(volumes, r.Name)
		}
	}
	return oneOf(f.User, e.User, actor.Account, actor.CI.Actor) && oneOf(f.Project, d.Project) &&
		oneOf(f.Volume, volumes...) && oneOf(f.Host, actor.Host, d.Engine.Name, d.Engine.Host)
}

// oneOf reports whether one of the names matches one of the patterns, or there
// are none of them.
func oneOf(patterns []string, names ...string) bool {
	for _, p := range patterns {
		for _, n := range names {
			if ok, _ := path.Match(p, n); ok || p == n {
				return true
			}
		}
	}
	return len(patterns) == 0
}
