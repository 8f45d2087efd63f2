package render

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// ShortID is the part of an id that screens show: its time, to the millisecond.
func ShortID(id string) string { return id[:min(10, len(id))] }

// Ending writes how a teardown ended.
func Ending(w io.Writer, e record.Ending, style Style) error {
	var b strings.Builder
	id := Terminal(ShortID(e.ID))
	project := Terminal(e.Inventory.Project)
	v := e.Verdict
	switch {
	case e.Outcome == audit.Pending:
		why := "the engine does not answer"
		if e.Unknown != nil {
			why = Terminal(strings.ReplaceAll(e.Unknown.Error(), "\n", "; "))
		}
		b.WriteString(style.say(Warn, "UNKNOWN", " what happened to "+project+": "+why+"."))
		b.WriteString(unfinished(e.ID, style))
	case e.Inventory.Empty() && e.Outcome == audit.Success && len(v.Lost) == 0:
		fmt.Fprintf(&b, "Nothing to destroy for %s.\n", project)
	case e.Outcome == audit.Success:
		b.WriteString(style.say(Good, "Destroyed", fmt.Sprintf(" %s: %s in %s.", project, what(v), seconds(e.Duration))))
	case e.Outcome == audit.Partial:
		b.WriteString(style.say(Warn, "PARTLY destroyed", fmt.Sprintf(" %s: %s in %s.", project, what(v), seconds(e.Duration))))
	case e.Outcome == audit.Cancelled:
		b.WriteString(style.say(Warn, "Cancelled", ": nothing of "+project+" was destroyed."))
	default:
		b.WriteString(style.say(Bad, "FAILED", ": nothing of "+project+" was destroyed."))
	}
	remains(&b, v, style)
	for _, name := range v.Unforeseen {
		fmt.Fprintln(&b, style.fold(fmt.Sprintf("  also gone     volume %s: not foreseen, perhaps by another hand", Terminal(name)), 16))
	}
	if e.Exit.Code > 0 && e.Outcome == audit.Success && e.Outcome != audit.Pending {
		fmt.Fprintf(&b, "  Compose exited %d nevertheless; its error is in the record.\n", e.Exit.Code)
	}
	toFinish(&b, v.Steps(e.Program, e.Args), style)
	if e.Saved != "" && len(v.Lost) > 0 {
		b.WriteString(style.remedy("To bring the volumes back", style.command("restore", restorable(e)...)))
	} else if e.Saved != "" {
		b.WriteString(style.remedy("The export stays", Terminal(e.Saved)))
	}
	b.WriteString(undoLine(e.Kept, e.ID, style))
	recorded(&b, e, id, style)
	_, err := io.WriteString(w, b.String())
	return err
}

// restorable is the export, and the volumes that went if others survived:
// those would be in the way.
func restorable(e record.Ending) []string {
	args := []string{e.Saved}
	if e.Outcome != audit.Success {
		args = append(args, e.Verdict.Lost...)
	}
	return args
}

// wide is the width from which two sentences fit on a line.
const wide = 120

func recorded(b *strings.Builder, e record.Ending, id string, style Style) {
	if e.Unrecorded != nil {
		fmt.Fprintln(b, style.fold("The outcome could NOT be recorded: "+Terminal(e.Unrecorded.Error()), 2))
		if errors.Is(e.Unrecorded, audit.ErrEnded) {
			b.WriteString(style.remedy("Somebody settled the operation while it was at work, and the log says so", style.command("audit", "show", id)))
			return
		}
		b.WriteString(style.remedy("The log has the operation as unfinished. When it can be written", style.command("reconcile")))
		return
	}
	if e.Outcome == audit.Pending {
		return
	}
	text := Recorded(e.ID, style)
	if e.Code != 0 && e.Exit.Code == 0 && e.Exit.Signal == nil {
		between := map[bool]string{true: " ", false: "\n"}[style.Width == 0 || style.Width >= wide]
		text += fmt.Sprintf("%sdocker compose down -v exits 0 here; this is exit %d.", between, e.Code)
	}
	b.WriteString(text + "\n")
}

// nothing is an amount.
const nothing = "nothing"

// what counts what went: "3 containers, 2 volumes (2.2 GB), 1 network".
func what(v inventory.Verdict) string {
	n := map[inventory.Kind]int{}
	for _, r := range v.Resources {
		if r.Result == inventory.Gone || r.Result == inventory.Remade {
			n[r.Kind]++
		}
	}
	var parts []string
	for _, kind := range []inventory.Kind{inventory.KindContainer, inventory.KindVolume, inventory.KindNetwork, inventory.KindImage} {
		if n[kind] == 0 {
			continue
		}
		part := Count(n[kind], string(kind))
		if kind == inventory.KindVolume && v.LostBytes > 0 {
			part += " (" + human(v.LostBytes) + ")"
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return nothing
	}
	return strings.Join(parts, ", ")
}

// remains lists what remains, and why.
func remains(b *strings.Builder, v inventory.Verdict, style Style) {
	for _, r := range v.Remaining {
		r.Name = brief(r.Name)
		fmt.Fprintln(b, style.fold("  still there   "+Terminal(r.String()), 16))
	}
	for _, name := range v.Providers {
		fmt.Fprintln(b, style.fold(fmt.Sprintf("  unknown       provider of service %s: Compose failed, and what it holds cannot be seen", Terminal(name)), 16))
	}
}

// toFinish lists what would finish the job: commands that can be pasted, a line
// each.
func toFinish(b *strings.Builder, steps []inventory.Step, style Style) {
	if len(steps) == 0 {
		return
	}
	b.WriteString("To finish:\n")
	width := 0
	for _, s := range steps {
		width = max(width, runewidth.StringWidth(words(s.Argv)))
	}
	for _, s := range steps {
		b.WriteString(step(words(s.Argv), Terminal(s.Comment), width, style))
	}
}

// step is a command with a comment after it, or above it if there is no room.
func step(command, comment string, width int, style Style) string {
	if comment == "" {
		return "  " + command + "\n"
	}
	line := "  " + command + strings.Repeat(" ", width-runewidth.StringWidth(command)) + "   # " + comment
	if style.Width == 0 || runewidth.StringWidth(line) <= style.Width {
		return line + "\n"
	}
	var b strings.Builder
	for _, part := range wrapped(comment, style.Width-4) {
		b.WriteString("  # " + part + "\n")
	}
	return b.String() + "  " + command + "\n"
}

func words(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, Terminal(fault.Shell(n)))
	}
	return strings.Join(out, " ")
}

// unfinished says under which id an operation is in the log whose end is unknown.
func unfinished(id string, style Style) string {
	return style.remedy("Unfinished in the log as "+Terminal(ShortID(id))+". When the engine is back", style.command("reconcile"))
}

// Pruned writes how a prune ended.
func Pruned(w io.Writer, outcome audit.Outcome, v inventory.Verdict, aside []record.Kept, id string, took time.Duration, style Style) error {
	var b strings.Builder
	switch outcome {
	case audit.Success:
		fmt.Fprintf(&b, "%s %s in %s.\n", style.paint(Good, "Destroyed"), what(v), seconds(took))
	case audit.Partial:
		fmt.Fprintf(&b, "%s %s in %s.\n", style.paint(Warn, "PARTLY destroyed:"), what(v), seconds(took))
	case audit.Pending:
		b.WriteString(none(outcome, "removed", style) + "\n" + unfinished(id, style))
	default:
		b.WriteString(none(outcome, "removed", style) + "\n")
	}
	remains(&b, v, style)
	toFinish(&b, v.Steps(nil, nil), style)
	b.WriteString(undoLine(aside, id, style))
	if outcome != audit.Pending {
		b.WriteString(Recorded(id, style) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Moved says what has changed since an inventory was shown.
func Moved(changes []inventory.Change) string {
	var b strings.Builder
	b.WriteString("\nThis has changed in the meantime:\n")
	for _, c := range changes {
		fmt.Fprintf(&b, "  %s\n", Terminal(c.String()))
	}
	return b.String()
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
