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
		lines = append(lines, style.fold(Terminal(fmt.Sprintf("Kept for %s%s: %s brings %s back.", span(k.For), which, style.command("undo", args...), them)), 2))
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
		if k.As == "" && wasMounted(k.Name, was) {
			name += " (anonymous: a new container does not use it)"
		}
		fmt.Fprintln(&b, style.fold("  volume "+name, 4))
	}
	if len(back) > 0 && back[0].As == "" {
		b.WriteString(runAgain(was, style))
	}
	b.WriteString(Recorded(id, style) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// wasMounted reports whether a volume is an anonymous one of a container that went.
// Compose gives the container that it makes next another one.
func wasMounted(name string, was record.Details) bool {
	return slices.ContainsFunc(was.Resources, func(r inventory.Resource) bool {
		return r.Kind == inventory.KindVolume && r.Name == name && r.Anonymous && len(r.UsedBy) > 0
	})
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
