package render

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/record"
)

// Reaped is a project that a reap speaks of.
type Reaped struct {
	Project string
	Age     time.Duration
	Limit   time.Duration // 0 means no limit
	Volumes []string
	Over    bool
	Stays   string         // why it stays although it has expired, or ""
	Ending  *record.Ending // of its teardown, or nil
	Err     error          // why nothing was destroyed, or nil
}

// span is an age as people say it: "5 days", "3 hours".
func (r Reaped) span(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	now := time.Unix(0, 0)
	return ago(now, now.Add(-d))
}

// verdict is what happened to it, or will.
func (r Reaped) verdict() (word, why string, c Color) {
	switch {
	case r.Err != nil:
		return "refused", firstLine(r.Err.Error()), Bad
	case r.Stays != "":
		return "stays", r.Stays, Warn
	case !r.Over:
		if r.Limit == 0 {
			return "stays", "no limit", Plain
		}
		return "stays", "not expired", Plain
	case r.Ending == nil:
		return "goes", "", Plain
	case r.Ending.Outcome == audit.Success:
		return "destroyed", "", Good
	case r.Ending.Outcome == audit.Pending:
		return string(audit.Pending), "it is unknown what was destroyed", Warn
	}
	var left []string
	for _, res := range r.Ending.Verdict.Remaining {
		left = append(left, res.String())
	}
	return string(r.Ending.Outcome), strings.Join(left, ", "), Bad
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// Reap lists projects, with what happens to each.
func Reap(w io.Writer, list []Reaped, style Style) error {
	if len(list) == 0 {
		_, err := io.WriteString(w, "No project matches.\n")
		return err
	}
	t := table{style: style, folds: true}
	t.head("~PROJECT", "AGE", "LIMIT", ">VOLUMES", "RESULT", "?WHY")
	for _, r := range list {
		word, why, color := r.verdict()
		t.add(cell{text: r.Project}, cell{text: r.span(r.Age)}, cell{text: r.span(r.Limit)}, cell{text: fmt.Sprint(len(r.Volumes))},
			cell{text: word, color: color}, cell{text: why})
	}
	return t.flush(w)
}

// ReapedOne writes how one ended, as soon as it has, and what brings it back.
func ReapedOne(w io.Writer, r Reaped, style Style) error {
	word, why, color := r.verdict()
	text := word
	if why != "" {
		text += ": " + Terminal(why)
	}
	name := Terminal(r.Project) + ": "
	text = style.fold(name+text, 2)
	if rest, first := strings.CutPrefix(text, name+word); first { // else it is on the next line
		text = name + style.paint(color, word) + rest
	}
	text += "\n"
	if r.Ending != nil {
		style.ByID = true // others end around it
		text += undoLine(r.Ending.Kept, r.Ending.ID, style)
	}
	_, err := io.WriteString(w, text)
	return err
}

// ReapSummary sums up.
func ReapSummary(w io.Writer, list []Reaped, took time.Duration, style Style) error {
	gone, unknown, remain, volumes, bytes := 0, 0, 0, 0, int64(0)
	for _, r := range list {
		switch word, _, _ := r.verdict(); word {
		case "destroyed":
			gone++
		case string(audit.Pending):
			unknown++
		default:
			remain++
		}
		if r.Ending != nil {
			volumes += len(r.Ending.Verdict.Lost)
			bytes += r.Ending.Verdict.LostBytes
		}
	}
	var b strings.Builder
	if len(list) == 0 {
		b.WriteString("No project has expired.\n")
	} else {
		fmt.Fprintf(&b, "%s %s: %s (%s) in %s.\n", style.paint(Good, "Destroyed"), Count(gone, "project"), Count(volumes, "volume"), human(bytes), seconds(took))
	}
	if unknown > 0 {
		b.WriteString(style.remedy(fmt.Sprintf("UNKNOWN what was destroyed of %s. When the engine is back", Count(unknown, "project")), style.command("reconcile")))
	}
	if remain > 0 {
		fmt.Fprintf(&b, "%s %s that should go, or a part of them.\n", style.paint(Warn, "Still there:"), Count(remain, "project"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// ReapJSON writes what happened to each as one array; docs/json.md describes it.
func ReapJSON(w io.Writer, list []Reaped) error {
	type row struct {
		Project string   `json:"project"`
		Age     int64    `json:"age_seconds"`
		Limit   int64    `json:"limit_seconds"` // 0 means no limit
		Volumes []string `json:"volumes"`
		Result  string   `json:"result"`
		Why     string   `json:"why"`
		Ended   *result  `json:"operation"` // null where there was none
	}
	rows := []row{}
	for _, r := range list {
		word, why, _ := r.verdict()
		out := row{r.Project, int64(r.Age.Seconds()), int64(r.Limit.Seconds()), append([]string{}, r.Volumes...), word, why, nil}
		if r.Ending != nil && r.Ending.ID != "" {
			e := resultOf(*r.Ending)
			out.Ended = &e
		}
		rows = append(rows, out)
	}
	return encodeJSON(w, rows, "", "  ")
}
