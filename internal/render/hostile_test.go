package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// attacks are texts that have done harm elsewhere, by what reads them.
var attacks = map[string]string{
	"CSI: clears the screen":           "\x1b[2J\x1b[H",
	"CSI of one character (C1)":        "a\u009b2Jb",
	"OSC 0: sets the title":            "\x1b]0;owned\x07",
	"OSC 8: a link to elsewhere":       "\x1b]8;;http://evil.example\x1b\\safe.example\x1b]8;;\x1b\\",
	"OSC 52: writes the clipboard":     "\x1b]52;c;cm0gLXJmIH4K\x07",
	"DCS and answerback":               "\x1bP$q\"p\x1b\\\x05",
	"C1 string terminators":            "\u0090x\u009c\u009d52;c;x\u009c",
	"overwriting the line":             "failed\rsuccess",
	"backspaces":                       "failed\b\b\b\b\b\bpassed",
	"a line of its own":                "shop\n01KB3Z8A0C  now  destroy  success",
	"DEL and NUL":                      "a\x7f\x00b",
	"bidi override":                    "shop\u202egpj.exe",
	"bidi isolates":                    "\u2066\u2067x\u2069",
	"zero width":                       "sh\u200bop\u200d\ufeff",
	"line and paragraph separators":    "a\u2028b\u2029c",
	"tag characters":                   "ok\U000e0041\U000e007f",
	"soft hyphen and fillers":          "a\u00adb\u180ec\ufff9d",
	"bytes that are not UTF-8":         "a\xff\xc0\xafb",
	"a formula":                        `=HYPERLINK("http://evil.example";"click")`,
	"a formula by plus":                "+1+cmd|' /C calc'!A0",
	"a formula by minus":               "-2+3+cmd|' /C calc'!A0",
	"a formula by at":                  "@SUM(1)",
	"a formula behind a tab":           "\t=1+1",
	"a formula behind a return":        "\r=1+1",
	"a formula in full width":          "\uff1d1+1",
	"a formula behind a semicolon":     "shop;=cmd|' /C calc'!A0",
	"formulas behind semicolons":       "=1;+1;-1;@1;;=1;\uff1d1",
	"a formula in quotes":              `x;"=1+1";""+1;'=1`,
	"a formula behind blanks":          "x; =1+1;\t=1+1;\r\n=1+1;\u00a0=1",
	"a formula that is quoted already": "\";=1+1;\"",
	"a field of its own":               `x","=1+1`,
	"a script":                         "<script>alert(1)</script>",
	"an event handler":                 `" onmouseover="alert(1)" x="`,
	"the end of the table":             "</td></tr></table><img src=x onerror=alert(1)>",
	"an entity":                        "&lt;b&gt; &#x202e;",
	"a comment that swallows the page": "<!--",
	"percent signs":                    "%s%n%!d(MISSING)",
	"a template":                       "{{.}}",
}

// hostile is an operation whose every text is the attack.
func hostile(text string) (audit.Record, []byte) {
	u := strings.ToValidUTF8(text, "\ufffd") // as JSON has it
	details, err := json.Marshal(map[string]any{
		"project": u, "reason": u, "stderr": u, "error": u, "remaining": []string{u}, "unforeseen": []string{u}, "runs": []string{u},
		"command": []string{"docker", u}, "dir": u, "mode": u, "files": []string{u}, "tool": u, "compose": u, "signal": u, "fallback": u,
		"engine":    map[string]any{"name": u, "host": u, "version": u, "context": u},
		"resources": []map[string]any{{"kind": "volume", "name": u, "reason": u, "used_by": []string{u}, "held_by": []string{u}, "claimed_by": u, "asked": true, "fate": "removed", "result": "remained"}},
		"actor":     map[string]any{"host": u, "tty": u, "ssh": u, "ci": map[string]any{"vendor": u, "actor": u, "url": u}},
	})
	if err != nil {
		panic(err)
	}
	e := audit.Event{V: 1, Log: text, Seq: 1, Prev: strings.Repeat("0", 64), ID: text, Timestamp: now, Operation: text,
		Outcome: audit.Partial, User: text, Details: details, DataAffected: []string{text}, ExportPath: text}
	raw, err := json.Marshal(map[string]any{"id": u, "user": u})
	if err != nil {
		panic(err)
	}
	return audit.Record{Event: e}, raw
}

// TestHostile sends every attack through every output.
func TestHostile(t *testing.T) {
	for name, text := range attacks {
		rec, raw := hostile(text)
		outputs := map[string]string{}
		for _, format := range []Format{Table, Wide, IDs, JSON, JSONL, CSV, HTML} {
			for _, single := range []bool{false, true} {
				var b bytes.Buffer
				l := NewListing(&b, format, now, Style{Width: 80})
				err := l.Record(rec, raw)
				if single {
					b.Reset()
					l = NewListing(&b, format, now, Style{Width: 80})
					err = l.Event(rec, raw)
				}
				if err != nil || l.End() != nil {
					t.Fatal(name, err)
				}
				outputs[fmt.Sprintf("%s, single events %t", format, single)] = b.String()
			}
		}
		outputs["show"] = output(t, func(b *bytes.Buffer) error {
			return Show(b, []audit.Event{rec.Event, rec.Event}, [][]byte{raw, raw}, record.Aside{Left: []record.Kept{{Name: text, Until: text}}, Ended: map[string]record.Ender{text: {ID: text, Operation: audit.Undo}}}, now, Style{Width: 80})
		})
		d, err := record.ParseDetails(rec.Event)
		if err != nil {
			t.Fatal(err)
		}
		outputs["inventory"] = output(t, func(b *bytes.Buffer) error { return Inventory(b, d.Inventory, now, Style{Width: 80}) })
		outputs["inventory in JSON"] = output(t, func(b *bytes.Buffer) error { return InventoryJSON(b, d.Inventory) })
		outputs["one line"] = Line(d.Inventory, Style{}) + Terminal(strings.Join(Warnings(d.Inventory), "")) // as say writes them
		ending := record.Ending{ID: text, Inventory: d.Inventory, Exit: fault.Exit{Code: 1, Stderr: text},
			Outcome: audit.Partial, Verdict: inventory.Verdict{Resources: d.Resources, Remaining: d.Resources, Unforeseen: []string{text}}}
		outputs["ending"] = output(t, func(b *bytes.Buffer) error { return Ending(b, ending, Style{Width: 80}) })
		outputs["stopped"] = output(t, func(b *bytes.Buffer) error { return GitHubStopped(b, text, text) })
		outputs["annotation"] = GitHubAnnotation(ending) + GitHubCommand("error", text, text)
		outputs["summary"] = output(t, func(b *bytes.Buffer) error { return GitHubSummary(b, ending) })
		report := audit.Report{Path: text, Head: audit.Head{Log: text, Seq: 1}, Events: 1, Findings: []audit.Finding{{Class: audit.Foreign, Problem: true, Text: text, ID: text}}}
		outputs["verify"] = output(t, func(b *bytes.Buffer) error { return Verify(b, report, Style{Width: 80}) })
		outputs["verify in JSON"] = output(t, func(b *bytes.Buffer) error { return VerifyJSON(b, report) })
		ending.Saved = text
		outputs["ending with an export"] = output(t, func(b *bytes.Buffer) error { return Ending(b, ending, Style{Width: 80}) })
		exports := []archive.Found{{ID: text, Project: text, Volumes: []string{text}, State: archive.State(text), Why: text, Path: text, Sum: text}}
		aside := record.Kept{Name: text, Until: text, Operation: text, As: text}
		outputs["undone"] = output(t, func(b *bytes.Buffer) error {
			return Undone(b, audit.Success, []record.Kept{aside}, record.Details{Command: []string{text, "down"}}, text, 0, Style{Width: 80})
		})
		held := []Held{{Kept: aside, Project: text, User: text, Error: text}}
		outputs["trash"] = output(t, func(b *bytes.Buffer) error { return Trash(b, held, now, Style{Width: 80}) })
		outputs["trash in JSON"] = output(t, func(b *bytes.Buffer) error { return TrashJSON(b, held, now) })
		outputs["to purge"] = output(t, func(b *bytes.Buffer) error { return ToPurge(b, []record.Kept{aside}, Style{Width: 80}) })
		outputs["purged"] = output(t, func(b *bytes.Buffer) error {
			return PurgeDone(b, audit.Success, []record.Kept{aside}, text, 0, Style{Width: 80})
		})
		outputs["exports"] = output(t, func(b *bytes.Buffer) error { return Exports(b, exports, now, Style{Width: 80}) })
		outputs["exports in JSON"] = output(t, func(b *bytes.Buffer) error { return ExportsJSON(b, exports) })
		saved := archive.Volume{Name: text, Consistency: archive.Live, Content: archive.Content{Skipped: []archive.Skipped{{What: text, Why: text, Count: 1, Names: []string{text}}}}}
		outputs["exported"] = output(t, func(b *bytes.Buffer) error {
			return Exported(b, archive.Manifest{EventID: text, Project: text, Volumes: []archive.Volume{saved}}, 0, Style{Width: 80})
		})
		outputs["checked"] = output(t, func(b *bytes.Buffer) error { return Checked(b, text, []string{text}, false, Style{Width: 80}) })
		outputs["restored"] = output(t, func(b *bytes.Buffer) error {
			return Restored(b, text, []string{text}, []string{text}, 0, Style{Width: 80})
		})
		outputs["pruned"] = output(t, func(b *bytes.Buffer) error {
			return Pruned(b, audit.Partial, ending.Verdict, []record.Kept{aside}, text, 0, Style{Width: 80})
		})
		outputs["progress"] = output(t, func(b *bytes.Buffer) error {
			NewProgress(b, Style{}).Volume(text, 1).End(nil)
			return nil
		})
		for where, out := range outputs {
			if bad := unsafe(out); bad != "" {
				t.Errorf("%s in %s: %s:\n%q", name, where, bad, out)
			}
			judge(t, name, where, out)
		}
	}
}

func output(t *testing.T, write func(*bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// unsafe says what a text has in it that no terminal should get.
func unsafe(out string) string {
	if !utf8.ValidString(out) {
		return "not UTF-8"
	}
	for _, r := range out {
		if r < 0x20 && r != '\n' || audit.Hidden(r) {
			return fmt.Sprintf("has %U", r)
		}
	}
	return ""
}

// judge looks at an output as its reader would.
func judge(t *testing.T, name, where, out string) {
	t.Helper()
	switch {
	case strings.HasPrefix(where, "csv"):
		rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		if err != nil || len(rows) != 2 || len(rows[0]) != len(rows[1]) {
			t.Errorf("%s in %s: %v\n%s", name, where, err, out)
			return
		}
		for _, field := range rows[1] {
			if field != "" && strings.ContainsAny(field[:1], "=+-@\t\r") || strings.HasPrefix(field, "\uff1d") {
				t.Errorf("%s in %s: a formula: %q", name, where, field)
			}
		}
		_, line, _ := strings.Cut(out, "\n")
		for _, field := range strings.Split(line, ";") { // as a spreadsheet whose locale separates by them
			if start := strings.TrimLeft(field, "\" \u00a0"); start != "" && strings.ContainsAny(start[:1], "=+-@") || strings.HasPrefix(start, "\uff1d") {
				t.Errorf("%s in %s: a formula: %q", name, where, field)
			}
		}
	case where == "annotation":
		for line := range strings.Lines(out) {
			if parts := strings.SplitN(line, "::", 3); len(parts) != 3 || !strings.HasPrefix(parts[1], "warning title=") && !strings.HasPrefix(parts[1], "error title=") || strings.Contains(parts[1], ",") {
				t.Errorf("%s in %s: not one command: %q", name, where, line)
			}
		}
		if strings.Count(out, "\n") != 2 {
			t.Errorf("%s in %s: lines of its own: %q", name, where, out)
		}
	case where == "summary":
		if strings.ContainsAny(out, "<>`*_[]@~") || strings.Count(out, "\n### ") > 0 || strings.Count(out, "\n") != 8 {
			t.Errorf("%s in %s: Markdown of its own: %q", name, where, out)
		}
	case strings.HasPrefix(where, "html"):
		body := out[strings.Index(out, "<tbody>"):]
		for _, bad := range []string{"<script", "<img", "<!--", `" onmouseover`} {
			if strings.Contains(body, bad) {
				t.Errorf("%s in %s: %q is not escaped", name, where, bad)
			}
		}
		if strings.Count(body, "<td>") != strings.Count(body, "</td>") || strings.Count(out, "</table>") != 1 {
			t.Errorf("%s in %s: the table is broken:\n%s", name, where, out)
		}
	case strings.Contains(strings.ToLower(where), "json"):
		for line := range strings.Lines(map[bool]string{true: out, false: strings.ReplaceAll(out, "\n", " ")}[strings.HasPrefix(where, "jsonl")]) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s in %s: not JSON: %s", name, where, line)
			}
		}
		var records []struct{ User string }
		if strings.HasPrefix(where, "json,") && utf8.ValidString(attacks[name]) && (json.Unmarshal([]byte(out), &records) != nil || records[0].User != attacks[name]) {
			t.Errorf("%s in %s: the text is not what it was: %q", name, where, records)
		}
	}
}

// What CI systems are given stays within their limits.
func TestCILimits(t *testing.T) {
	e := record.Ending{ID: "X", Outcome: audit.Partial}
	for range 3000 {
		r := inventory.Resource{Kind: "volume", Name: strings.Repeat("|", 255), Reason: strings.Repeat("\n", 4000), Asked: true, Result: inventory.Remained}
		e.Verdict.Resources, e.Verdict.Remaining = append(e.Verdict.Resources, r), append(e.Verdict.Remaining, r)
	}
	if out := output(t, func(b *bytes.Buffer) error { return GitHubSummary(b, e) }); len(out) > 1<<19 || !strings.Contains(out, "more.") {
		t.Errorf("the summary takes %d bytes", len(out))
	}
	if out := GitHubAnnotation(e); len(out) > 4*annotationLimit || strings.Count(out, "\n") != 1 {
		t.Errorf("the annotation takes %d bytes", len(out))
	}
}
