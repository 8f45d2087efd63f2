package render

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// Show writes one operation in full. events are all its events, oldest first,
// and lines theirs in the log; aside is what became of what it has set aside.
func Show(w io.Writer, events []audit.Event, lines [][]byte, aside record.Aside, now time.Time, style Style) error {
	last := events[len(events)-1]
	d, _ := record.ParseDetails(last) // a script's details may be of another shape: what fits is shown
	var b strings.Builder
	outcome := outcomeCell(audit.Record{Event: last, Unfinished: last.Outcome == audit.Pending})
	what := strings.TrimRight(Terminal(last.Operation)+" "+Terminal(d.Project), " ")
	fmt.Fprintf(&b, "%s  %s  %s\n\n", style.paint(Strong, Terminal(last.ID)), what, style.paint(outcome.color, outcome.text))
	f := fields{b: &b, style: style}
	started := events[0].Timestamp
	f.line("When", "%s (%s ago)", started.Local().Format("2006-01-02 15:04:05 -0700"), ago(now, started))
	if d.DurationMS > 0 {
		f.line("Took", "%s", seconds(time.Duration(d.DurationMS)*time.Millisecond))
	}
	f.details(last, d)
	if last.ExportPath != "" {
		f.line("Export", "%s", last.ExportPath)
		if d.Export != nil {
			f.line("To restore", "%s", style.command("restore", last.ExportPath))
		}
	}
	f.kept(last, d, aside)
	for i, name := range volumeNames(last.DataAffected, d) {
		label := map[bool]string{true: "About to go", false: "Lost"}[last.Outcome == audit.Pending]
		if i > 0 {
			label = ""
		}
		what := "volume "
		if d.RecordedBy != "" && d.RecordedBy != record.ByGuard {
			what = "" // whatever it is
		}
		f.text(label, what+name)
	}
	resources(&b, d, last.Outcome, style)
	if d.Stderr != "" {
		fmt.Fprintf(&b, "\nCompose said at the end:\n%s", Lines(d.Stderr, "  "))
	}
	b.WriteString("\n")
	chain(&b, events, lines, style)
	_, err := io.WriteString(w, b.String())
	return err
}

// chain says where each event is in the log.
func chain(b *strings.Builder, events []audit.Event, lines [][]byte, style Style) {
	for i, e := range events {
		if !e.Chained() {
			fmt.Fprintf(b, "Unchained: written by another program\n")
			continue
		}
		fmt.Fprintln(b, style.fold(fmt.Sprintf("Event %d of log %s: %s at %s", e.Seq, Terminal(e.Log), e.Outcome, e.Timestamp.UTC().Format(time.RFC3339)), 2))
		fmt.Fprintln(b, style.fold(fmt.Sprintf("  sha256 %s, after %s", audit.Sum(lines[i]), Terminal(e.Prev)), 2))
	}
}

// fields writes "Label     text" lines, escaped.
type fields struct {
	b     *strings.Builder
	style Style
}

func (f fields) line(label, format string, args ...any) {
	fmt.Fprintf(f.b, "%-12s %s\n", label, Terminal(fmt.Sprintf(format, args...)))
}

// kept says what was set aside, brought back or purged.
func (f fields) kept(last audit.Event, d record.Details, aside record.Aside) {
	if until := Until(aside.Left); !until.IsZero() {
		f.line("Undo", "until %s: %s", until.Local().Format("2006-01-02 15:04"), f.style.command("undo", ShortID(last.ID)))
	}
	for _, k := range d.Kept {
		text := "volume " + k.Name
		switch {
		case last.Outcome == audit.Pending:
			text += ", about to be set aside"
		case aside.Ended[k.Name].Operation == audit.Undo:
			text += ", brought back by " + ShortID(aside.Ended[k.Name].ID)
		case aside.Ended[k.Name].Operation == audit.Purge:
			text += ", purged by " + ShortID(aside.Ended[k.Name].ID)
		case !slices.Contains(aside.Left, k):
			text += ", no longer kept"
		case k.Until != "":
			text += ", until " + minuteOf(k.Until)
		}
		f.text("Kept", text)
	}
	for label, list := range map[string][]record.Kept{"Brought back": d.Undone, "Purged": d.Purged} {
		for _, k := range list {
			as := ""
			if k.As != "" {
				as = " as " + k.As
			}
			f.text(label, fmt.Sprintf("volume %s%s, set aside by %s", k.Name, as, k.Operation))
		}
	}
}

// text is a line that is folded at the terminal's width.
func (f fields) text(label, text string) {
	if text == "" {
		return
	}
	for line := range strings.Lines(Style{Width: f.style.Width - labelWidth - 1}.fold(Terminal(text), 0)) {
		fmt.Fprintf(f.b, "%-*s %s\n", labelWidth, label, strings.TrimSuffix(line, "\n"))
		label = ""
	}
}

// minuteOf is a time of a record in local time; what is not a time stays.
func minuteOf(rfc3339 string) string {
	t, err := time.Parse(time.RFC3339, rfc3339)
	if err != nil {
		return rfc3339
	}
	return t.Local().Format("2006-01-02 15:04")
}

// labelWidth is how wide labels are.
const labelWidth = 12

func (f fields) details(e audit.Event, d record.Details) {
	f.who(e, d)
	f.text("Reason", d.Why)
	f.text("Confirmed", d.Confirmation)
	f.text("Directory", d.Dir)
	f.text("Mode", string(d.Mode))
	f.text("Fallback", d.Fallback)
	var command []string
	for _, word := range d.Command {
		command = append(command, fault.Shell(word))
	}
	if len(command) > 0 {
		f.line("Command", "%s", strings.Join(command, " "))
	}
	f.text("Compose", d.Compose)
	if d.Engine.Version != "" {
		f.text("Engine", fmt.Sprintf("%s at %s, %s", d.Engine.Name, d.Engine.Host, d.Engine.Version))
	}
	if d.ExitCode != nil && *d.ExitCode != 0 {
		f.line("Exit code", "%d", *d.ExitCode)
	}
	f.text("Signal", d.Signal)
	f.text("Error", oneLine(d.Error))
	for _, id := range d.Halted {
		f.text("May not run", "container "+id[:min(len(id), 12)]+", stopped for the export: docker start "+id[:min(len(id), 12)])
	}
	f.text("Settled by", d.Settled)
	for _, name := range d.Unforeseen {
		f.text("Also gone", "volume "+name+", not foreseen")
	}
	f.text("Tool", d.Tool)
	switch d.RecordedBy {
	case record.ByScript:
		f.text("Recorded by", "ccdestroy record: as a script told it")
	case record.ByGuard:
		f.text("Recorded by", "ccdestroy guard: the engine asked before it did it")
		if d.Request != nil {
			f.text("Client", d.Request.Agent)
		}
	case "watch":
		f.text("Recorded by", "ccdestroy watch: as the engine told it, which does not say who")
	}
	for _, id := range d.Claims {
		f.line("Perhaps by", "operation %s", id)
	}
	f.others(e)
}

// others shows the details that a script gave and that this program knows
// nothing about.
func (f fields) others(e audit.Event) {
	var all map[string]json.RawMessage
	_ = json.Unmarshal(e.Details, &all) // it was read before
	known := append(record.DetailNames(), "recovered", "unchained", "recorded_at")
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(known, key) {
			var text string
			if json.Unmarshal(all[key], &text) != nil {
				text = string(all[key])
			}
			f.text("Detail", key+": "+text)
		}
	}
}

// who says who it was and where, as far as is known.
func (f fields) who(e audit.Event, d record.Details) {
	w := actorOf(d)
	name := nameOf(e, d)
	if w.Account != "" && w.Account != e.User {
		name += ", account " + w.Account
	}
	if w.SudoUser != "" {
		name += ", by sudo from " + w.SudoUser
	}
	f.text("Who", name)
	where := w.Host
	if w.Container {
		where += ", in a container"
	}
	if w.TTY != "" {
		where += ", terminal " + w.TTY
	}
	if w.SSH != "" {
		where += ", over SSH from " + strings.Fields(w.SSH + " ?")[0]
	}
	f.text("Where", strings.TrimPrefix(where, ", "))
	if w.Agent != nil {
		f.text("Agent", w.Agent.Name+", by $"+w.Agent.Source)
	}
	if w.CI != nil {
		f.text("CI run", w.CI.URL)
		f.text("Commit", strings.TrimSpace(w.CI.Repository+" "+w.CI.Commit))
	}
}

// resources lists each resource with its fate or, once known, its result.
func resources(b *strings.Builder, d record.Details, outcome audit.Outcome, style Style) {
	if len(d.Resources) == 0 {
		return
	}
	b.WriteString("\n")
	t := table{style: style, folds: true}
	t.head("KIND", "~NAME", ">SIZE", "RESULT", "?WHY")
	for _, r := range d.Resources {
		size := "-"
		if r.Size != nil {
			size = human(r.Size.Bytes)
		}
		result := cell{text: "to be " + string(r.Fate)}
		switch {
		case r.Result == inventory.Gone, r.Result == inventory.Remade:
			result = cell{text: string(r.Result), color: Bad}
		case r.Result == inventory.Remained && r.Asked:
			result = cell{text: "remained", color: Warn}
		case r.Result == inventory.Remained:
			result = cell{text: "kept"}
		case r.Result == inventory.Unknown:
			result = cell{text: "unknown", color: Warn}
		case outcome != audit.Pending: // without evidence, nothing happened to it
			result = cell{text: string(inventory.Untouched)}
		}
		t.add(cell{text: string(r.Kind)}, cell{text: short(r)}, cell{text: size, right: true}, result, cell{text: r.Reason})
	}
	_ = t.flush(b) // into memory
}
