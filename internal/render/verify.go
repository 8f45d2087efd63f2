package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Verify writes the verdict on a log for people.
func Verify(w io.Writer, r audit.Report, style Style) error {
	segments := ""
	if n := len(r.Files); n > 1 {
		segments = fmt.Sprintf(" of %d segments", n)
	}
	extent := fmt.Sprintf("%s in %s%s, %s", Count(int(r.Events), "chained event"), Count(int(r.Lines), "line"), segments, human(r.Bytes))
	if err := verdict(w, r, extent, style); err != nil {
		return err
	}
	if len(r.Findings) > 0 {
		fmt.Fprintln(w)
	}
	return trust(w, r, style)
}

// verdict writes whether it is intact, how large it is, and what was found.
func verdict(w io.Writer, r audit.Report, extent string, style Style) error {
	color, word := Good, "intact"
	if !r.Intact() {
		color, word = Bad, "NOT INTACT"
	}
	text := fmt.Sprintf("%s: %s. %s", Terminal(r.Path), word, extent)
	fmt.Fprintln(w, strings.Replace(style.fold(text, 2), ": "+word, ": "+style.paint(color, word), 1))
	if len(r.Findings) > 0 {
		fmt.Fprintln(w)
	}
	if err := findings(w, r, style); err != nil {
		return err
	}
	if r.Omitted > 0 {
		fmt.Fprintf(w, "  … and %d more\n", r.Omitted)
	}
	return nil
}

// VerifyStore writes the verdict on a store for people.
func VerifyStore(w io.Writer, r audit.Report, style Style) error {
	extent := fmt.Sprintf("%s in %s, %s; %d unfinished", Count(int(r.Events), "event"), Count(int(r.Logs), "log"), human(r.Bytes), r.Unfinished)
	if err := verdict(w, r, extent, style); err != nil {
		return err
	}
	if len(r.Heads) > 0 {
		held := 0
		for _, h := range r.Heads {
			held += min(int(h.Line), 1)
		}
		fmt.Fprintf(w, "It holds %d of %s that it was compared with.\n", held, Count(len(r.Heads), "head"))
	}
	return nil
}

// findings lists them; those of each file under its name, where there are
// several.
func findings(w io.Writer, r audit.Report, style Style) error {
	byFile := map[string][]audit.Finding{}
	var files []string
	for _, f := range r.Findings {
		if byFile[f.File] == nil {
			files = append(files, f.File)
		}
		byFile[f.File] = append(byFile[f.File], f)
	}
	for _, file := range files {
		t := table{style: style, indent: "  ", folds: true}
		if r.Several() || r.Logs > 0 {
			fmt.Fprintf(w, "%s:\n", Terminal(file))
		}
		line := "LINE"
		if r.Logs > 0 {
			line = "EVENT"
		}
		t.head("CLASS", line, "WHAT")
		for _, f := range byFile[file] {
			c := cell{text: string(f.Class), color: Warn}
			if f.Problem {
				c.color = Bad
			}
			text := f.Text
			if f.ID != "" {
				text = ShortID(f.ID) + ": " + text
			}
			t.add(c, cell{text: dash(between(f.Line, f.ToLine))}, cell{text: text})
		}
		if err := t.flush(w); err != nil {
			return err
		}
	}
	return nil
}

// trust says which part of the log can be relied on, and why.
func trust(w io.Writer, r audit.Report, style Style) error {
	if !r.Intact() && len(r.Untouched) > 0 {
		fmt.Fprintln(w, "Unchanged, each stretch in itself:")
		for i, g := range r.Untouched {
			if i == 20 {
				fmt.Fprintf(w, "  … and %d more\n", len(r.Untouched)-i)
				break
			}
			file := ""
			if r.Several() {
				file = Terminal(g.File) + ", "
			}
			fmt.Fprintf(w, "  %slines %s%s\n", file, between(g.Line, g.ToLine), proven(g))
		}
	}
	held := 0
	for _, h := range r.Heads {
		if h.Line > 0 {
			held++
		}
	}
	switch {
	case r.Events == 0:
	case len(r.Heads) == 0:
		fmt.Fprintln(w, style.fold("No head to compare with: whoever can write the file could have rewritten all of it (audit verify --head WORD).", 2))
	default:
		fmt.Fprintf(w, "It holds %d of %s that it was compared with.\n", held, Count(len(r.Heads), "head"))
	}
	if r.Head.Seq == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "Head: %s\n", Terminal(r.Head.Word()))
	return err
}

func proven(g audit.Range) string {
	switch g.ProvenToLine {
	case 0:
		return ""
	case g.ToLine:
		return ", proven by a head"
	}
	return fmt.Sprintf(", up to %d proven by a head", g.ProvenToLine)
}

// between is "7", "7-9", or "" for nothing.
func between(from, to int64) string {
	switch {
	case from == 0:
		return ""
	case from == to:
		return fmt.Sprint(from)
	}
	return fmt.Sprintf("%d-%d", from, to)
}

// verdictJSON is a verdict; docs/json.md describes it.
type verdictJSON struct {
	Path       string        `json:"path"`
	Files      []string      `json:"files"`
	Intact     bool          `json:"intact"`
	Bytes      int64         `json:"bytes"`
	Lines      int64         `json:"lines"`
	Events     int64         `json:"events"`
	Operations int64         `json:"operations"`
	Unfinished int64         `json:"unfinished"`
	Head       *string       `json:"head"`
	Heads      []headJSON    `json:"heads"`
	Logs       *int64        `json:"logs,omitempty"`
	Findings   []findingJSON `json:"findings"`
	Omitted    int64         `json:"findings_omitted"`
	Untouched  []rangeJSON   `json:"untouched"`
}

type headJSON struct {
	Head string  `json:"head"`
	From string  `json:"from"` // given or noted
	Line *int64  `json:"line"` // where the log has it
	File *string `json:"file"`
}

type findingJSON struct {
	Class   audit.Class `json:"class"`
	Problem bool        `json:"problem"`
	File    *string     `json:"file"`
	Line    *int64      `json:"line"`
	ToLine  *int64      `json:"to_line"`
	Seq     *int64      `json:"seq"`
	ToSeq   *int64      `json:"to_seq"`
	ID      *string     `json:"id"`
	Text    string      `json:"text"`
}

type rangeJSON struct {
	File     string `json:"file"`
	Line     int64  `json:"line"`
	ToLine   int64  `json:"to_line"`
	Seq      int64  `json:"seq"`
	ToSeq    int64  `json:"to_seq"`
	ProvenTo *int64 `json:"proven_to_line"`
}

// VerifyJSON writes the verdict for programs.
func VerifyJSON(w io.Writer, r audit.Report) error {
	out := verdictJSON{
		Path: r.Path, Files: append([]string{}, r.Files...), Intact: r.Intact(), Bytes: r.Bytes, Lines: r.Lines, Events: r.Events, Operations: r.Operations,
		Unfinished: r.Unfinished, Logs: orNull(r.Logs), Heads: []headJSON{}, Findings: []findingJSON{}, Omitted: r.Omitted, Untouched: []rangeJSON{},
	}
	if word := r.Head.Word(); r.Head.Seq > 0 {
		out.Head = &word
	}
	for _, h := range r.Heads {
		from := "given"
		if h.Noted {
			from = "noted"
		}
		out.Heads = append(out.Heads, headJSON{Head: h.Word(), From: from, Line: orNull(h.Line), File: orNone(h.File)})
	}
	for _, f := range r.Findings {
		one := findingJSON{Class: f.Class, Problem: f.Problem, File: orNone(f.File), Line: orNull(f.Line), ToLine: orNull(f.ToLine), Seq: orNull(f.Seq), ToSeq: orNull(f.ToSeq), Text: f.Text}
		one.ID = orNone(f.ID)
		out.Findings = append(out.Findings, one)
	}
	for _, g := range r.Untouched {
		out.Untouched = append(out.Untouched, rangeJSON{File: g.File, Line: g.Line, ToLine: g.ToLine, Seq: g.Seq, ToSeq: g.ToSeq, ProvenTo: orNull(g.ProvenToLine)})
	}
	return encodeJSON(w, out, "", "  ")
}

// orNull is null in place of 0, which means that there is none.
func orNull(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// orNone is null in place of "".
func orNone(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
