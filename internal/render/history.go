package render

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// who is the part of an actor that screens show.
type who struct {
	Host      string `json:"host"`
	Account   string `json:"account"`
	SudoUser  string `json:"sudo_user"`
	TTY       string `json:"tty"`
	SSH       string `json:"ssh"`
	Container bool   `json:"container"`
	CI        *struct {
		Vendor     string `json:"vendor"`
		Actor      string `json:"actor"`
		URL        string `json:"url"`
		Repository string `json:"repository"`
		Commit     string `json:"commit"`
	} `json:"ci"`
	Agent *struct {
		Name   string `json:"name"`
		Source string `json:"source"`
	} `json:"agent"`
}

func actorOf(d record.Details) who {
	var w who
	_ = json.Unmarshal(d.Actor, &w) // of another version, or none: nothing to show
	return w
}

func nameOf(e audit.Event, d record.Details) string {
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

// outcome is the cell of an operation's outcome. What is unfinished may be running.
func (l *Listing) outcome(r audit.Record, d record.Details) cell {
	switch {
	case r.Unfinished && l.begins:
		return cell{text: "started", color: Warn}
	case r.Unfinished && l.AtWork != nil && l.AtWork(r.ID):
		return cell{text: "running", color: Warn}
	}
	if r.Unfinished && d.RecordedBy == record.ByScript {
		l.told = r.ID
	} else {
		l.open = l.open || r.Unfinished
	}
	return outcomeCell(r)
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

func lostCell(r audit.Record, d record.Details) cell {
	c := cell{right: true, text: "-"}
	switch {
	case r.Unfinished:
		c.text = "?"
	case !destroyed(r, d):
	case d.LostBytes > 0:
		c.text = human(d.LostBytes)
	case d.RecordedBy != "" && d.RecordedBy != record.ByGuard:
		c.text = Count(len(r.DataAffected), "item")
	default:
		c.text = Count(len(r.DataAffected), "volume")
	}
	return c
}

// destroyed reports whether an operation has an outcome in which something is
// gone. An export destroys nothing, and a restore only what it replaces.
func destroyed(r audit.Record, d record.Details) bool {
	over := !r.Unfinished && r.Outcome != audit.Pending && r.Outcome != audit.Cancelled && len(r.DataAffected) > 0
	switch r.Operation {
	case audit.Export, audit.Undo:
		return false
	case audit.Restore:
		return over && slices.ContainsFunc(d.Restored, func(v record.Restored) bool { return v.Replaced })
	}
	return over
}

// volumeNames are the volumes of an event, each of an anonymous one in short.
func volumeNames(names []string, d record.Details) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = name
		for _, r := range d.Resources {
			if r.Kind == inventory.KindVolume && r.Name == name {
				out[i] = short(r)
			}
		}
	}
	return out
}

func tookCell(d record.Details) cell {
	if d.DurationMS == 0 {
		return cell{text: "-"}
	}
	return cell{text: seconds(time.Duration(d.DurationMS) * time.Millisecond)}
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
	UndoUntil    *string         `json:"undo_until"`
}

func toJSON(r audit.Record) recordJSON {
	out := recordJSON{
		ID: r.ID, Timestamp: r.Timestamp.UTC().Format(time.RFC3339Nano), Operation: r.Operation, Outcome: r.Outcome,
		Unfinished: r.Unfinished, User: r.User, Details: r.Details, DataAffected: r.DataAffected, Seq: r.Seq,
	}
	if d, err := record.ParseDetails(r.Event); err == nil && d.StartedAt != "" {
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
