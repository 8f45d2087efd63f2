package render

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/record"
)

// What a report lists at most; the rest is summed up, and it says so.
const (
	reportRows    = 5000 // operations in the table
	reportTop     = 10   // users, projects, losses
	reportTrouble = 100  // partial, failed and unfinished operations, each
	reportBars    = 48   // on the time axis
)

// Report sums up a history for one page, an operation at a time, newest first.
type Report struct {
	Log     string
	Made    time.Time
	Verdict audit.Report
	Filter  string // how the operations were selected, "" for all

	Count      int
	Destroyed  int   // operations that destroyed something
	Lost       int64 // bytes, as far as they were measured
	Outcomes   map[audit.Outcome]int
	Rows       []ReportRow // the newest
	Largest    []ReportRow // by bytes lost
	Trouble    []ReportRow // partial and failed
	Unfinished []ReportRow

	// Undoing says what can still be undone of an operation; nil knows of nothing.
	Undoing func(audit.Event, record.Details) []record.Kept

	operations, users, projects map[string]int
	days                        map[int64]map[audit.Outcome]int // by day since 1970, UTC
}

// ReportRow is one operation.
type ReportRow struct {
	ID, Operation, Project, Who, Reason string
	Outcome                             string // a pending one is UNFINISHED
	Time                                time.Time
	Lost                                int64
	Volumes                             []string
	Remaining                           []string
	Undo                                string // until when it can be undone, or ""
	Listed                              bool   // it is in the table, where links lead
}

// NewReport begins a report.
func NewReport(log, filter string, made time.Time, verdict audit.Report) *Report {
	return &Report{Log: log, Filter: filter, Made: made, Verdict: verdict, Outcomes: map[audit.Outcome]int{},
		operations: map[string]int{}, users: map[string]int{}, projects: map[string]int{}, days: map[int64]map[audit.Outcome]int{}}
}

// Add takes one operation.
func (r *Report) Add(rec audit.Record, _ []byte) error {
	d, _ := record.ParseDetails(rec.Event) // of another shape: the fields stay empty
	row := ReportRow{ID: rec.ID, Operation: rec.Operation, Project: d.Project, Who: nameOf(rec.Event, d), Reason: cmp.Or(d.Error, d.Why),
		Outcome: outcomeCell(rec).text, Time: rec.Timestamp.UTC(), Volumes: volumeNames(rec.DataAffected, d), Remaining: d.Remaining}
	if destroyed(rec, d) {
		row.Lost = d.LostBytes
		r.Destroyed++
	}
	if r.Undoing != nil && len(d.Kept) > 0 && !rec.Unfinished {
		if until := Until(r.Undoing(rec.Event, d)); !until.IsZero() {
			row.Undo = until.UTC().Format("2006-01-02 15:04 UTC")
		}
	}
	r.Count++
	r.Outcomes[rec.Outcome]++
	r.operations[rec.Operation]++
	r.users[row.Who]++
	if d.Project != "" {
		r.projects[d.Project]++
	}
	day := row.Time.Unix() / 86400
	if r.days[day] == nil {
		r.days[day] = map[audit.Outcome]int{}
	}
	r.days[day][rec.Outcome]++
	if row.Listed = len(r.Rows) < reportRows; row.Listed {
		r.Rows = append(r.Rows, row)
	}
	switch {
	case rec.Unfinished && len(r.Unfinished) < reportTrouble:
		r.Unfinished = append(r.Unfinished, row)
	case (rec.Outcome == audit.Partial || rec.Outcome == audit.Failed) && len(r.Trouble) < reportTrouble:
		r.Trouble = append(r.Trouble, row)
	}
	if row.Lost > 0 {
		r.Lost += row.Lost
		r.large(row)
	}
	return nil
}

// large keeps the largest losses.
func (r *Report) large(row ReportRow) {
	at := sort.Search(len(r.Largest), func(i int) bool { return r.Largest[i].Lost < row.Lost })
	if at < reportTop {
		r.Largest = slices.Insert(r.Largest, at, row)
		r.Largest = r.Largest[:min(len(r.Largest), reportTop)]
	}
}

// Older is how many operations are not in the table.
func (r *Report) Older() int { return r.Count - len(r.Rows) }

// Share is a name and how often it occurs.
type Share struct {
	Name  string
	Count int
}

func shares(counts map[string]int) (all []Share) {
	for name, n := range counts {
		all = append(all, Share{name, n})
	}
	slices.SortFunc(all, func(a, b Share) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	if len(all) > reportTop {
		rest := Share{Name: fmt.Sprintf("%d others", len(all)-reportTop)}
		for _, s := range all[reportTop:] {
			rest.Count += s.Count
		}
		all = append(all[:reportTop], rest)
	}
	return all
}

// Operations, Users and Projects are what occurs most.
func (r *Report) Operations() []Share { return shares(r.operations) }

// Users are who did most.
func (r *Report) Users() []Share { return shares(r.users) }

// Projects are what most was done to.
func (r *Report) Projects() []Share { return shares(r.projects) }

// Bar is a stretch of days on the time axis.
type Bar struct {
	From, To time.Time // both included
	Counts   map[audit.Outcome]int
	Total    int
}

// Bars cuts the time from the first operation to the last into stretches of as
// many days each, so that there are not too many.
func (r *Report) Bars() (bars []Bar) {
	if len(r.days) == 0 {
		return nil
	}
	first, last := int64(1)<<62, int64(-1)<<62
	for day := range r.days {
		first, last = min(first, day), max(last, day)
	}
	width := (last-first)/reportBars + 1
	for day := first; day <= last; day += width {
		b := Bar{From: time.Unix(day*86400, 0).UTC(), To: time.Unix((day+width-1)*86400, 0).UTC(), Counts: map[audit.Outcome]int{}}
		for d := day; d < day+width; d++ {
			for o, n := range r.days[d] {
				b.Counts[o] += n
				b.Total += n
			}
		}
		bars = append(bars, b)
	}
	return bars
}
