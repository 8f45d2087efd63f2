package render

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// who is the part of an actor that screens show.
type who struct {
	Host string `json:"host"`
	CI   *struct {
		Vendor string `json:"vendor"`
		Actor  string `json:"actor"`
		URL    string `json:"url"`
	} `json:"ci"`
}

func actorOf(d teardown.Details) who {
	var w who
	_ = json.Unmarshal(d.Actor, &w) // of another version, or none: nothing to show
	return w
}

func nameOf(e audit.Event, d teardown.Details) string {
	w := actorOf(d)
	switch {
	case w.CI != nil && w.CI.Actor != "":
		return w.CI.Actor + "@" + w.CI.Vendor
	case w.CI != nil:
		return e.User + "@" + w.CI.Vendor
	case w.Host != "":
		return e.User + "@" + w.Host
	}
	return e.User
}

func outcomeCell(r audit.Record) cell {
	switch {
	case r.Unfinished:
		return cell{text: "UNFINISHED", color: Warn}
	case r.Outcome == audit.Success:
		return cell{text: string(r.Outcome), color: Good}
	case r.Outcome == audit.Failed:
		return cell{text: string(r.Outcome), color: Bad}
	}
	return cell{text: string(r.Outcome), color: Warn}
}

func lostCell(r audit.Record, d teardown.Details) cell {
	c := cell{right: true, text: "-"}
	switch {
	case r.Unfinished:
		c.text = "?"
	case d.LostBytes > 0:
		c.text = human(d.LostBytes)
	case len(r.DataAffected) > 0:
		c.text = count(len(r.DataAffected), "volume")
	}
	return c
}

// History writes the records as a table, newest first.
func History(w io.Writer, records []audit.Record, now time.Time, style Style) error {
	t := table{style: style}
	t.head("ID", "WHEN", "OPERATION", "OUTCOME", "PROJECT", "WHO", "LOST")
	t.rows[0][6].right = true
	unfinished := false
	for _, r := range records {
		d, _ := teardown.ParseDetails(r.Event) // of another shape: the fields stay empty
		id := ShortID(r.ID)
		if id == "" {
			id = "-"
		}
		project := d.Project
		if project == "" {
			project = "-"
		}
		t.add(cell{text: id}, cell{text: ago(now, r.Timestamp) + " ago"}, cell{text: r.Operation}, outcomeCell(r),
			cell{text: project}, cell{text: nameOf(r.Event, d)}, lostCell(r, d))
		unfinished = unfinished || r.Unfinished
	}
	if err := t.write(w); err != nil {
		return err
	}
	if unfinished {
		_, err := fmt.Fprintln(w, "UNFINISHED: under way, or cut off before it could be recorded; ccdestroy reconcile looks again.")
		return err
	}
	return nil
}

// recordJSON is one operation in the JSON formats; docs/json.md describes it.
type recordJSON struct {
	ID           string          `json:"id"`
	Timestamp    string          `json:"timestamp"`
	StartedAt    *string         `json:"started_at"`
	Operation    string          `json:"operation"`
	Outcome      audit.Outcome   `json:"outcome"`
	Unfinished   bool            `json:"unfinished"`
	User         string          `json:"user"`
	Details      json.RawMessage `json:"details"`
	DataAffected []string        `json:"data_affected"`
	ExportPath   *string         `json:"export_path"`
	Seq          int64           `json:"seq"`
}

func toJSON(r audit.Record) recordJSON {
	out := recordJSON{
		ID: r.ID, Timestamp: r.Timestamp.UTC().Format(time.RFC3339Nano), Operation: r.Operation, Outcome: r.Outcome,
		Unfinished: r.Unfinished, User: r.User, Details: r.Details, DataAffected: r.DataAffected, Seq: r.Seq,
	}
	if d, err := teardown.ParseDetails(r.Event); err == nil && d.StartedAt != "" {
		out.StartedAt = &d.StartedAt
	}
	if out.DataAffected == nil {
		out.DataAffected = []string{}
	}
	if r.ExportPath != "" {
		out.ExportPath = &r.ExportPath
	}
	return out
}

// HistoryJSON writes the records as one array.
func HistoryJSON(w io.Writer, records []audit.Record) error {
	out := make([]recordJSON, 0, len(records))
	for _, r := range records {
		out = append(out, toJSON(r))
	}
	return writeJSON(w, out)
}

// HistoryLines writes the records as one object a line.
func HistoryLines(w io.Writer, records []audit.Record) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, r := range records {
		if err := enc.Encode(toJSON(r)); err != nil {
			return err
		}
	}
	return nil
}

// EventsJSON writes lines of the log, which are JSON objects, as one array.
func EventsJSON(w io.Writer, lines [][]byte) error {
	raw := make([]json.RawMessage, 0, len(lines))
	for _, l := range lines {
		raw = append(raw, l)
	}
	return writeJSON(w, raw)
}

// EventLines writes lines of the log as they stand there.
func EventLines(w io.Writer, lines [][]byte) error {
	for _, l := range lines {
		if _, err := fmt.Fprintf(w, "%s\n", l); err != nil {
			return err
		}
	}
	return nil
}

// Events writes single events as a table.
func Events(w io.Writer, events []audit.Event, now time.Time, style Style) error {
	t := table{style: style}
	t.head("SEQ", "ID", "WHEN", "OPERATION", "OUTCOME", "USER", "AFFECTED")
	for _, e := range events {
		t.add(cell{text: fmt.Sprint(e.Seq), right: true}, cell{text: ShortID(e.ID)}, cell{text: ago(now, e.Timestamp) + " ago"},
			cell{text: e.Operation}, outcomeCell(audit.Record{Event: e}), cell{text: e.User}, cell{text: strings.Join(e.DataAffected, ", ")})
	}
	return t.write(w)
}
