package render

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/record"
)

// Format is how a listing is written.
type Format string

// The formats. JSON is one array, JSONL an object a line.
const (
	Table Format = "table"
	Wide  Format = "wide" // a table of more columns, and whole ids and times
	IDs   Format = "ids"  // the ids alone
	JSON  Format = "json"
	JSONL Format = "jsonl"
	CSV   Format = "csv"
	HTML  Format = "html"
)

// page is how many rows of a table are laid out together, and so held.
const page = 1000

// Listing writes operations or events one by one, in memory that does not grow
// with their number. Its methods return the errors of the writer.
type Listing struct {
	w      io.Writer
	format Format
	now    time.Time
	t      table
	csv    *csv.Writer
	count  int
	open   bool   // an interrupted operation was among them
	told   string // id of the last one that a script began and has not ended, "" for none
	begins bool   // what is pending has only just begun
	clock  bool   // times of the clock

	// Elsewhere says that the operations are those of other machines.
	Elsewhere bool
	// AtWork reports whether an unfinished operation is running; nil: none is.
	AtWork func(id string) bool

	// Undoing says what can still be undone of an operation; nil knows of nothing.
	Undoing func(audit.Event, record.Details) []record.Kept
}

// undo is until when an operation can be undone; zero means not at all.
func (l *Listing) undo(r audit.Record, d record.Details) time.Time {
	if l.Undoing == nil || len(d.Kept) == 0 || r.Unfinished {
		return time.Time{}
	}
	return Until(l.Undoing(r.Event, d))
}

func (l *Listing) undoCell(r audit.Record, d record.Details) cell {
	until := l.undo(r, d)
	if until.IsZero() {
		return cell{text: "-"}
	}
	text := until.Local().Format("2 Jan")
	if l.t.style.Width == 0 || l.t.style.Width >= narrow {
		text = "until " + text
	}
	return cell{text: text}
}

// NewListing begins a listing on w.
func NewListing(w io.Writer, format Format, now time.Time, style Style) *Listing {
	t := table{style: style, filled: format == Wide, stacks: format == Wide}
	return &Listing{w: w, format: format, now: now, t: t, csv: csv.NewWriter(w)}
}

// Follow makes it a listing that continues as things happen: with times of the
// clock, and columns that leave room for what is to come.
func (l *Listing) Follow() {
	l.clock = true
	if l.format == Table {
		l.t.widths = []int{10, 8, 9, 10, 10, 14, 8}
	}
}

// Live says that from here on each pending event is an operation that begins.
func (l *Listing) Live() { l.begins = true }

// when is the time of an event: how long ago, or by the clock.
func (l *Listing) when(t time.Time) string {
	switch local := t.Local(); {
	case !l.clock:
		return l.t.style.when(l.now, t)
	case local.Format(time.DateOnly) == l.now.Local().Format(time.DateOnly):
		return local.Format(time.TimeOnly)
	default:
		return local.Format("01-02 15:04")
	}
}

// Record adds an operation. line, its last event's in the log, is not looked at.
func (l *Listing) Record(r audit.Record, _ []byte) error {
	d, _ := record.ParseDetails(r.Event) // of another shape: the fields stay empty
	switch l.format {
	case JSON, JSONL:
		out := toJSON(r)
		if until := l.undo(r, d); !until.IsZero() {
			text := until.UTC().Format(time.RFC3339)
			out.UndoUntil = &text
		}
		return l.object(out)
	case Table:
		return l.row([]string{"ID", "WHEN", "~OPERATION", "OUTCOME", "~PROJECT", "~WHO", ">LOST", "?UNDO"},
			cell{text: dash(ShortID(r.ID))}, cell{text: l.when(r.Timestamp)}, cell{text: r.Operation}, l.outcome(r, d),
			cell{text: dash(d.Project)}, cell{text: nameOf(r.Event, d)}, lostCell(r, d), l.undoCell(r, d))
	case Wide:
		return l.row([]string{"ID", "TIME", "OPERATION", "OUTCOME", "PROJECT", "WHO", ">LOST", "UNDO", "ENGINE", ">TOOK", "VOLUMES", "REASON"},
			cell{text: dash(r.ID)}, cell{text: r.Timestamp.Local().Format("2006-01-02 15:04:05")}, cell{text: r.Operation}, l.outcome(r, d),
			cell{text: dash(d.Project)}, cell{text: nameOf(r.Event, d)}, lostCell(r, d), l.undoCell(r, d), cell{text: dash(d.Engine.Name)}, tookCell(d),
			cell{text: dash(strings.Join(volumeNames(r.DataAffected, d), " "))}, cell{text: dash(d.Why)})
	case IDs:
		return l.id(r.ID)
	}
	lost := ""
	if d.LostBytes > 0 && destroyed(r, d) {
		lost = fmt.Sprint(d.LostBytes)
	}
	return l.row([]string{"id", "timestamp", "operation", "outcome", "project", "who", "bytes_lost", "data_affected", "export_path"},
		cell{text: r.ID}, cell{text: stamp(r.Timestamp)}, cell{text: r.Operation}, outcomeCell(r),
		cell{text: d.Project}, cell{text: nameOf(r.Event, d)}, cell{text: lost}, cell{text: strings.Join(r.DataAffected, " ")}, cell{text: r.ExportPath})
}

// Empty reports whether nothing was added yet.
func (l *Listing) Empty() bool { return l.count == 0 }

// id adds an id; lines of the Python module have none.
func (l *Listing) id(id string) error {
	if id == "" {
		return nil
	}
	l.count++
	_, err := fmt.Fprintln(l.w, Terminal(id))
	return err
}

// Event adds an event, which raw is the line of.
func (l *Listing) Event(r audit.Record, raw []byte) error {
	e := r.Event
	outcome := outcomeCell(audit.Record{Event: e})
	affected := cell{text: strings.Join(e.DataAffected, " ")}
	switch l.format {
	case JSON, JSONL:
		return l.object(json.RawMessage(raw))
	case Table:
		return l.row([]string{">SEQ", "ID", "WHEN", "OPERATION", "OUTCOME", "~USER", "~AFFECTED"},
			cell{text: fmt.Sprint(e.Seq)}, cell{text: dash(ShortID(e.ID))}, cell{text: l.when(e.Timestamp)},
			cell{text: e.Operation}, outcome, cell{text: e.User}, affected)
	case Wide:
		return l.row([]string{">SEQ", "ID", "TIME", "OPERATION", "OUTCOME", "~USER", "~AFFECTED"},
			cell{text: fmt.Sprint(e.Seq)}, cell{text: dash(e.ID)}, cell{text: e.Timestamp.Local().Format("2006-01-02 15:04:05.000")},
			cell{text: e.Operation}, outcome, cell{text: e.User}, affected)
	case IDs:
		return l.id(e.ID)
	}
	return l.row([]string{"seq", "id", "timestamp", "operation", "outcome", "user", "data_affected", "export_path"},
		cell{text: fmt.Sprint(e.Seq)}, cell{text: e.ID}, cell{text: stamp(e.Timestamp)}, cell{text: e.Operation},
		outcome, cell{text: e.User}, affected, cell{text: e.ExportPath})
}

var (
	htmlHead = sync.OnceValue(func() *template.Template {
		return template.Must(template.New("head").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Audit history</title></head><body>
<table border="1"><caption>Audit history</caption><thead><tr>{{range .}}<th scope="col">{{.}}</th>{{end}}</tr></thead><tbody>
`))
	})
	htmlRow = sync.OnceValue(func() *template.Template {
		return template.Must(template.New("row").Parse("<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>\n"))
	})
)
