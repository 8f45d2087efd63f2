package render

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/contextcore/ccdestroy/internal/audit"
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
		fmt.Fprintf(&b, "%s what happened to %s: the engine does not answer.\n", style.paint(Warn, "UNKNOWN"), project)
		fmt.Fprintf(&b, "Unfinished in the log as %s. When the engine is back: %s\n", id, style.command("reconcile"))
	case e.Inventory.Empty() && e.Outcome == audit.Success && len(v.Lost) == 0:
		fmt.Fprintf(&b, "Nothing was there to destroy for %s.\n", project)
	case e.Outcome == audit.Success:
		fmt.Fprintf(&b, "%s %s: %s in %s.\n", style.paint(Good, "Destroyed"), project, what(v), seconds(e.Duration))
	case e.Outcome == audit.Partial:
		fmt.Fprintf(&b, "%s %s: %s in %s.\n", style.paint(Warn, "PARTLY destroyed"), project, what(v), seconds(e.Duration))
	case e.Outcome == audit.Cancelled:
		fmt.Fprintf(&b, "%s: nothing of %s was destroyed.\n", style.paint(Warn, "Cancelled"), project)
	default:
		fmt.Fprintf(&b, "%s: nothing of %s was destroyed.\n", style.paint(Bad, "FAILED"), project)
	}
	kept(&b, v, e.Program, e.Args)
	for _, name := range v.Unforeseen {
		fmt.Fprintf(&b, "  also gone  volume %s: not foreseen, perhaps by another hand\n", Terminal(name))
	}
	if e.Exit.Code > 0 && e.Outcome == audit.Success && e.Outcome != audit.Pending {
		fmt.Fprintf(&b, "  Compose exited %d nevertheless; its error is in the record.\n", e.Exit.Code)
	}
	if e.Saved != "" && len(v.Lost) > 0 {
		fmt.Fprintf(&b, "To bring the volumes back: %s\n", style.command("restore", restorable(e)...))
	} else if e.Saved != "" {
		fmt.Fprintf(&b, "The export stays: %s\n", Terminal(e.Saved))
	}
	b.WriteString(undoLine(e.Kept, style))
	recorded(&b, e, id, style)
	_, err := io.WriteString(w, b.String())
	return err
}

// restorable is the export, and the volumes that went where others survived:
// those would be in the way.
func restorable(e record.Ending) []string {
	args := []string{e.Saved}
	if e.Outcome != audit.Success {
		args = append(args, e.Verdict.Lost...)
	}
	return args
}

func recorded(b *strings.Builder, e record.Ending, id string, style Style) {
	if e.Unrecorded != nil {
		fmt.Fprintf(b, "The outcome could NOT be recorded: %s\n", Terminal(e.Unrecorded.Error()))
		if errors.Is(e.Unrecorded, audit.ErrEnded) {
			fmt.Fprintf(b, "Somebody settled the operation while it was at work, and the log says so: %s\n", style.command("audit", "show", id))
			return
		}
		fmt.Fprintf(b, "The log has the operation as unfinished. When it can be written: %s\n", style.command("reconcile"))
		return
	}
	if e.Outcome == audit.Pending {
		return
	}
	fmt.Fprintf(b, "Recorded as %s (%s).", id, style.command("audit", "show", id))
	if e.Code != 0 && e.Exit.Code == 0 && e.Exit.Signal == nil {
		fmt.Fprintf(b, " docker compose down -v exits 0 here; this is exit %d.", e.Code)
	}
	b.WriteString("\n")
}

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
		part := count(n[kind], string(kind))
		if kind == inventory.KindVolume && v.LostBytes > 0 {
			part += " (" + human(v.LostBytes) + ")"
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// kept lists what remains, why, and what would finish the job: commands that can
// be pasted, a line each.
func kept(b *strings.Builder, v inventory.Verdict, program, args []string) {
	for _, r := range v.Remaining {
		fmt.Fprintf(b, "  still there   %s %s", r.Kind, Terminal(r.Name))
		if r.Reason != "" {
			fmt.Fprintf(b, ": %s", Terminal(r.Reason))
		}
		b.WriteString("\n")
	}
	for _, name := range v.Providers {
		fmt.Fprintf(b, "  unknown       provider of service %s: Compose failed, and what it holds cannot be seen\n", Terminal(name))
	}
	steps := v.Steps(program, args)
	if len(steps) == 0 {
		return
	}
	b.WriteString("To finish:\n")
	width := 0
	for _, s := range steps {
		width = max(width, runewidth.StringWidth(words(s.Argv)))
	}
	for _, s := range steps {
		line := "  " + words(s.Argv)
		if s.Comment != "" {
			line += strings.Repeat(" ", width-runewidth.StringWidth(words(s.Argv))) + "   # " + Terminal(s.Comment)
		}
		b.WriteString(line + "\n")
	}
}

func words(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, Terminal(Shell(n)))
	}
	return strings.Join(out, " ")
}

// Pruned writes how a prune ended.
func Pruned(w io.Writer, outcome audit.Outcome, v inventory.Verdict, aside []record.Kept, id string, took time.Duration, style Style) error {
	var b strings.Builder
	switch outcome {
	case audit.Success:
		fmt.Fprintf(&b, "%s %s in %s.\n", style.paint(Good, "Destroyed"), what(v), seconds(took))
	case audit.Partial:
		fmt.Fprintf(&b, "%s %s in %s.\n", style.paint(Warn, "PARTLY destroyed:"), what(v), seconds(took))
	default:
		fmt.Fprintf(&b, "%s nothing was removed.\n", style.paint(Bad, "FAILED:"))
	}
	kept(&b, v, nil, nil)
	b.WriteString(undoLine(aside, style))
	fmt.Fprintf(&b, "Recorded as %s (%s).\n", Terminal(ShortID(id)), style.command("audit", "show", ShortID(id)))
	_, err := io.WriteString(w, b.String())
	return err
}

// Moved says what has changed since an inventory was shown.
func Moved(changes []inventory.Change) string {
	var b strings.Builder
	b.WriteString("\nThis has changed meanwhile:\n")
	for _, c := range changes {
		fmt.Fprintf(&b, "  %s\n", Terminal(c.String()))
	}
	return b.String()
}
