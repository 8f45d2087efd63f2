package render

import (
	"cmp"
	"slices"
	"sort"
	"strings"
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
	reportFewest  = 7    // on the time axis, at least
	reportOpen    = 10   // rows of a table that are visible without unfolding
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
	Undoable   []ReportRow // what can still be undone, the newest
	CanUndo    int         // how many operations that are
	Kept       int64       // bytes that undoing them would bring back
	Back       int64       // bytes that were brought back

	// Undoing says what can still be undone of an operation; nil knows of nothing.
	Undoing func(audit.Event, record.Details) []record.Kept

	operations, users, projects map[string]int
	days                        map[int64]*Bar // by day since 1970, UTC
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
	Kept                                int64  // bytes that an undo would bring back, as far as they are known
	Destroyed                           bool
	Listed                              bool // it is in the table, where links lead

	outcome audit.Outcome
}

// NewReport begins a report.
func NewReport(log, filter string, made time.Time, verdict audit.Report) *Report {
	return &Report{Log: log, Filter: filter, Made: made, Verdict: verdict, Outcomes: map[audit.Outcome]int{},
		operations: map[string]int{}, users: map[string]int{}, projects: map[string]int{}, days: map[int64]*Bar{}}
}

// Add takes one operation.
func (r *Report) Add(rec audit.Record, _ []byte) error {
	d, _ := record.ParseDetails(rec.Event) // of another shape: the fields stay empty
	row := ReportRow{ID: rec.ID, Operation: rec.Operation, Project: d.Project, Who: nameOf(rec.Event, d), Reason: oneLine(cmp.Or(d.Error, d.Why)),
		Outcome: outcomeCell(rec).text, Time: rec.Timestamp.UTC(), Volumes: volumeNames(rec.DataAffected, d), Remaining: d.Remaining, outcome: rec.Outcome}
	if destroyed(rec, d) {
		row.Destroyed, row.Lost = true, d.LostBytes
		r.Destroyed++
	}
	if r.Undoing != nil && len(d.Kept) > 0 && !rec.Unfinished {
		r.undoable(&row, r.Undoing(rec.Event, d))
	}
	for _, k := range d.Undone {
		r.Back += k.Bytes
	}
	r.Count++
	r.Outcomes[rec.Outcome]++
	r.operations[rec.Operation]++
	r.users[row.Who]++
	if d.Project != "" {
		r.projects[d.Project]++
	}
	r.day(row.Time).add(rec.Outcome, row.Lost)
	if row.Listed = len(r.Rows) < reportRows; row.Listed {
		r.Rows = append(r.Rows, row)
	}
	if row.Undo != "" && len(r.Undoable) < reportTrouble {
		r.Undoable = append(r.Undoable, row)
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

// oneLine is a text of several lines as one: the first may introduce the others.
func oneLine(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, ":\n", ": "), "\n", "; ")
}

// undoable notes what of an operation can still be undone.
func (r *Report) undoable(row *ReportRow, left []record.Kept) {
	until := Until(left)
	if until.IsZero() {
		return
	}
	row.Undo = until.UTC().Format("2006-01-02 15:04 UTC")
	for _, k := range left {
		row.Kept += k.Bytes
	}
	r.CanUndo++
	r.Kept += row.Kept
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
