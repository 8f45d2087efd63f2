package render

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/record"
)

// Held is one volume in the trash.
type Held struct {
	record.Kept
	Project, User string
	Since         time.Time
	Ending        bool   // it is being purged
	Error         string // why it cannot be read, or ""
}

// heldJSON is one of them in JSON; docs/json.md describes it.
type heldJSON struct {
	Operation string `json:"operation"`
	Volume    string `json:"volume"`
	Project   string `json:"project,omitempty"`
	User      string `json:"user,omitempty"`
	Since     string `json:"since,omitempty"`
	Until     string `json:"until,omitempty"`
	Bytes     int64  `json:"bytes,omitempty"`
	State     string `json:"state"`
	Error     string `json:"error,omitempty"`
}

func (h Held) state(now time.Time) string {
	until, _ := time.Parse(time.RFC3339, h.Until)
	switch {
	case h.Error != "":
		return "unreadable"
	case h.Ending:
		return "being purged"
	case until.Before(now):
		return "over"
	}
	return "kept"
}

// Trash writes what is kept on an engine, a line for each volume.
func Trash(w io.Writer, list []Held, now time.Time, style Style) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "Nothing is kept.")
		return err
	}
	t := table{style: style}
	t.head("ID", "WHEN", "~PROJECT", "~VOLUME", ">SIZE", "UNTIL", "STATE")
	var bytes int64
	for _, h := range list {
		size, until := "unknown", "-"
		if h.Bytes > 0 {
			size = human(h.Bytes)
		}
		if at, err := time.Parse(time.RFC3339, h.Until); err == nil {
			until = at.Local().Format("2 Jan 15:04")
		}
		bytes += h.Bytes
		t.add(cell{text: ShortID(h.Operation)}, cell{text: style.when(now, h.Since)}, cell{text: dash(h.Project)}, cell{text: h.Name},
			cell{text: size, right: true}, cell{text: until}, cell{text: h.state(now)})
	}
	if err := t.flush(w); err != nil {
		return err
	}
	for _, h := range list {
		if h.Error != "" {
			if _, err := fmt.Fprintln(w, style.fold(Terminal(fmt.Sprintf("Volume %s cannot be read: %s", h.Name, h.Error)), 2)); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(w, "%s, at least %s.\n%s%s", Count(len(list), "volume"), human(bytes),
		style.remedy("To bring back", style.command("undo", "ID")), style.remedy("To destroy for good", style.command("trash", "purge")))
	return err
}

// TrashJSON writes it as one array.
func TrashJSON(w io.Writer, list []Held, now time.Time) error {
	out := []heldJSON{}
	for _, h := range list {
		one := heldJSON{Operation: h.Operation, Volume: h.Name, Project: h.Project, User: h.User, Until: h.Until, Bytes: h.Bytes, State: h.state(now), Error: h.Error}
		if !h.Since.IsZero() {
			one.Since = h.Since.UTC().Format(time.RFC3339)
		}
		out = append(out, one)
	}
	return encodeJSON(w, out, "", "  ")
}

// ToPurge shows what is about to be purged.
func ToPurge(w io.Writer, list []record.Kept, style Style) error {
	var b strings.Builder
	var bytes int64
	for i, k := range list {
		bytes += k.Bytes
		if i < listed {
			fmt.Fprintf(&b, "  %s  volume %s\n", Terminal(ShortID(k.Operation)), Terminal(k.Name))
		}
	}
	if len(list) > listed {
		fmt.Fprintf(&b, "  … and %d more\n", len(list)-listed)
	}
	fmt.Fprintf(&b, "%s for good\n", style.paint(Bad, "Destroys "+keptAmount(list, bytes)))
	_, err := io.WriteString(w, b.String())
	return err
}

// PurgeDone says how a purge ended.
func PurgeDone(w io.Writer, outcome audit.Outcome, gone []record.Kept, id string, took time.Duration, style Style) error {
	var bytes int64
	for _, k := range gone {
		bytes += k.Bytes
	}
	text := fmt.Sprintf("%s %s in %s.", style.paint(Good, "Purged"), keptAmount(gone, bytes), seconds(took))
	if len(gone) == 0 {
		text = none(outcome, "purged", style)
	}
	_, err := fmt.Fprintf(w, "%s\n%s\n", text, Recorded(id, style))
	return err
}
