package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Filter selects operations of a log. Of one field any value will do; every field
// that is set must match. In User, Project, Volume and Host * stands for
// anything. A volume, by name or Compose key, is one that was lost, or that an
// unfinished operation was to destroy; with Outcome, any that was involved.
type Filter struct {
	Operation, Outcome          []string
	User, Project, Volume, Host []string
	Since, Until                time.Time
	Grep                        string // regular expression on the line in the log
}

// Check finds values that can match nothing.
func (f Filter) Check() error {
	for _, op := range f.Operation {
		if !audit.ValidOperation(op) {
			return BadOperation(op)
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
	if !f.Since.IsZero() && !f.Until.IsZero() && f.Until.Before(f.Since) {
		return errors.New("--until is before --since")
	}
	return nil
}

// BadOperation says that a name cannot be that of an operation.
func BadOperation(name string) error {
	return fmt.Errorf("operation %q is not a lower_snake name such as destroy, export, prune or delete_dashboard", name)
}

func outcomes() string { return strings.Join(OutcomeWords(), ", ") }

// OutcomeWords are the words for outcomes.
func OutcomeWords() (words []string) {
	for _, o := range audit.Outcomes() {
		words = append(words, string(o))
	}
	return words
}

// Query is the filter as the log takes it.
func (f Filter) Query(limit int) audit.Query {
	words := f.Operation // these two are the same in each event of an operation
	if len(words) == 0 {
		words = f.Project
	}
	return audit.Query{Limit: limit, Since: f.Since, Match: f.Match(), Words: words}
}

// Match decides on an event and its line. Check has found no fault.
func (f Filter) Match() func(audit.Event, []byte) bool {
	grep := regexp.MustCompile(f.Grep) // check has compiled it
	detailed := len(f.User)+len(f.Project)+len(f.Volume)+len(f.Host) > 0
	return func(e audit.Event, line []byte) bool {
		switch {
		case len(f.Operation) > 0 && !slices.Contains(f.Operation, e.Operation),
			len(f.Outcome) > 0 && !slices.Contains(f.Outcome, string(e.Outcome)),
			!f.Since.IsZero() && e.Timestamp.Before(f.Since),
			!f.Until.IsZero() && e.Timestamp.After(f.Until),
			f.Grep != "" && !grep.Match(line):
			return false
		}
		return !detailed || f.matchDetails(e)
	}
}

func (f Filter) matchDetails(e audit.Event) bool {
	d, _ := ParseDetails(e) // of another shape: what is there counts
	var actor struct {
		Account string
		Host    string
		CI      struct{ Actor string }
	}
	_ = json.Unmarshal(d.Actor, &actor) // none: nobody
	volumes := slices.Clone(e.DataAffected)
	for _, r := range d.Resources {
		lost := slices.Contains(e.DataAffected, r.Name)
		if r.Kind == inventory.KindVolume && (lost || len(f.Outcome) > 0) {
			volumes = append(volumes, r.Name, r.Key)
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
