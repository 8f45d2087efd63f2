package render

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// KeepLines say what of an inventory can be brought back, a sentence each.
func KeepLines(inv inventory.Inventory, style Style) (lines []string) {
	k := inv.Keep
	if k == nil {
		return nil
	}
	if n := len(k.Volumes); n > 0 {
		them, which := "them", ""
		if n == 1 {
			them = "it"
		}
		if len(k.Not) > 0 {
			which = ", " + Count(n, "volume")
		}
		var args []string
		if style.ByID && inv.Project != "" {
			args = []string{"-p", inv.Project}
		}
		lines = append(lines, Terminal(fmt.Sprintf("Kept for %s%s: %s brings %s back.", span(k.For), which, style.command("undo", args...), them)))
	}
	for i, not := range k.Not {
		if i == listed {
			lines = append(lines, fmt.Sprintf("Not kept: … and %d more", len(k.Not)-listed))
			break
		}
		lines = append(lines, style.fold(Terminal(fmt.Sprintf("Not kept: volume %s: %s", not.Name, not.Why)), 2))
	}
	if k.Why != "" {
		lines = append(lines, style.fold(Terminal("Not kept: "+k.Why), 2))
	}
	if len(k.Not) > 0 || k.Why != "" {
		lines = append(lines, "To save what is not kept: "+style.command("--export", "DIR"))
	}
	return lines
}

// span is "7 days", or "36h0m0s" if it is not a whole number of days.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d%day == 0:
		return Count(int(d/day), "day")
	case d%time.Hour == 0:
		return Count(int(d/time.Hour), "hour")
	}
	return d.String()
}

// undoLine says until when what was destroyed can be brought back, or "".
func undoLine(kept []record.Kept, id string, style Style) string {
	until := Until(kept)
	if until.IsZero() {
		return ""
	}
	var args []string
	if style.ByID {
		args = []string{ShortID(id)}
	}
	return style.remedy("Undo until "+until.Local().Format("2 Jan 15:04"), Terminal(style.command("undo", args...)))
}

// Recorded says under which id an operation is in the log, and what shows it.
func Recorded(id string, style Style) string {
	return Terminal(fmt.Sprintf("Recorded as %s (%s).", ShortID(id), style.command("audit", "show", ShortID(id))))
}

// Until is until when the first of the volumes is kept; zero where there is none.
func Until(kept []record.Kept) (until time.Time) {
	for _, k := range kept {
		if t, err := time.Parse(time.RFC3339, k.Until); err == nil && (until.IsZero() || t.Before(until)) {
			until = t
		}
	}
	return until
}

// Undone says what an undo has brought back, and what to run next.
func Undone(w io.Writer, outcome audit.Outcome, back []record.Kept, was record.Details, id string, took time.Duration, style Style) error {
	var b strings.Builder
	var bytes int64
	for _, k := range back {
		bytes += k.Bytes
	}
	if len(back) == 0 {
		b.WriteString(none(outcome, "brought back", style) + "\n")
	} else {
		fmt.Fprintf(&b, "%s %s in %s.\n", style.paint(Good, "Brought back"), keptAmount(back, bytes), seconds(took))
	}
	for i, k := range back {
		if i == listed {
			fmt.Fprintf(&b, "  … and %d more\n", len(back)-listed)
			break
		}
		name := Terminal(k.Name)
		if k.As != "" {
			name = Terminal(k.As) + ", which was " + name
		}
		fmt.Fprintf(&b, "  volume %s\n", name)
	}
	if len(back) > 0 && back[0].As == "" {
		b.WriteString(runAgain(was, style))
	}
	b.WriteString(Recorded(id, style) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// runAgain is the command that brings the services of a teardown up again, or "".
// Away from where the teardown ran it names the files, which it need not there.
func runAgain(was record.Details, style Style) string {
	i, label := slices.Index(was.Command, "down"), "To run it again"
	if i <= 0 || was.Project == "" {
		return ""
	}
	command := slices.Clone(was.Command[:i])
	switch at := slices.Index(command, "compose"); {
	case was.Mode == inventory.Labels:
		label += ", where its compose file is"
	case style.ByID && at >= 0 && len(was.Files) > 0:
		flags := without(command[at+1:], "--file")
		command = command[:at+1]
		for _, file := range was.Files {
			command = append(command, "--file", file)
		}
		command = append(command, flags...)
	}
	return style.remedy(label, Terminal(words(append(command, "up", "-d"))))
}

// without are words without a flag and its values.
func without(all []string, flag string) (left []string) {
	for i := 0; i < len(all); i++ {
		if all[i] == flag {
			i++
			continue
		}
		left = append(left, all[i])
	}
	return left
}

// keptAmount has the sizes that directories take on the disk: those of the files are
// counted for a teardown alone.
func keptAmount(kept []record.Kept, bytes int64) string {
	text := Count(len(kept), "volume")
	if bytes > 0 {
		text += " (" + human(bytes) + " on disk)"
	}
	return text
}

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

// none says that nothing was done, or nothing that is known of.
func none(outcome audit.Outcome, what string, style Style) string {
	switch outcome {
	case audit.Pending:
		return style.paint(Warn, "UNKNOWN") + " what was " + what + "."
	case audit.Cancelled:
		return "Cancelled: nothing was " + what + "."
	case audit.Success: // something else was faster
		return "Nothing was left to be " + what + "."
	}
	return style.paint(Bad, "FAILED") + ": nothing was " + what + "."
}

// CanUndo says what can be brought back of the newest teardown of a project.
func CanUndo(w io.Writer, e audit.Event, left []record.Kept, now time.Time, style Style) error {
	var bytes int64
	for _, k := range left {
		bytes += k.Bytes
	}
	_, err := io.WriteString(w, style.remedy(fmt.Sprintf("Kept %s ago, until %s: %s. To bring back", ago(now, e.Timestamp), Until(left).Local().Format("2 Jan 15:04"), keptAmount(left, bytes)),
		style.command("undo", Terminal(ShortID(e.ID)))))
	return err
}
