package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// object adds a JSON value.
func (l *Listing) object(v any) error {
	l.count++
	if l.format == JSONL {
		if raw, ok := v.(json.RawMessage); ok { // as it stands in the log
			_, err := fmt.Fprintf(l.w, "%s\n", audit.SafeJSON(raw))
			return err
		}
		return encodeJSON(l.w, v, "", "")
	}
	sep := ",\n  "
	if l.count == 1 {
		sep = "[\n  "
	}
	var b bytes.Buffer
	if err := encodeJSON(&b, v, "  ", "  "); err != nil {
		return err
	}
	_, err := io.WriteString(l.w, sep+strings.TrimSuffix(b.String(), "\n"))
	return err
}

// row adds a row; a ">" before a name sets the column to the right.
func (l *Listing) row(names []string, cells ...cell) error {
	l.count++
	first := l.count == 1
	switch l.format {
	case Table, Wide:
		for i := range cells {
			cells[i].right = cells[i].right || names[i][0] == '>'
		}
		if first {
			l.t.head(names...)
		}
		l.t.add(cells...)
		if len(l.t.rows) >= page {
			return l.t.flush(l.w)
		}
		return nil
	case CSV:
		if first {
			if err := l.csv.Write(names); err != nil {
				return err
			}
		}
		texts := make([]string, len(cells))
		for i, c := range cells {
			texts[i] = Cell(c.text)
		}
		return l.csv.Write(texts)
	}
	if first {
		if err := htmlHead().Execute(l.w, names); err != nil {
			return err
		}
	}
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = Terminal(c.text)
	}
	return htmlRow().Execute(l.w, texts)
}

// Flush writes what was added so far, for somebody who is waiting for it. Times
// that follow are relative to now.
func (l *Listing) Flush(now time.Time) error {
	l.now = now
	l.csv.Flush()
	if err := l.csv.Error(); err != nil {
		return err
	}
	return l.t.flush(l.w)
}

// End completes the listing.
func (l *Listing) End() error {
	switch l.format {
	case JSON:
		end := "\n]\n"
		if l.count == 0 {
			end = "[]\n"
		}
		_, err := io.WriteString(l.w, end)
		return err
	case CSV:
		l.csv.Flush()
		return l.csv.Error()
	case HTML:
		if l.count == 0 {
			if err := htmlHead().Execute(l.w, []string{"No events"}); err != nil {
				return err
			}
		}
		_, err := io.WriteString(l.w, "</tbody></table>\n</body></html>\n")
		return err
	case Table, Wide:
		if err := l.t.flush(l.w); err != nil {
			return err
		}
		_, err := io.WriteString(l.w, l.unfinished())
		return err
	}
	return nil
}

// unfinished says what became of operations without an outcome, and what to do, or
// "" where there are none.
func (l *Listing) unfinished() (text string) {
	style := l.t.style
	switch {
	case (l.open || l.told != "") && l.Elsewhere:
		return style.fold("UNFINISHED: at work, or cut off. Where its log is, ccdestroy reconcile finds out which.", 0) + "\n"
	case l.open:
		text = style.remedy("UNFINISHED: cut off before it was recorded. To find out", style.command("reconcile"))
	}
	if l.told != "" {
		text += style.remedy("UNFINISHED: begun by a script. To record how it ended", style.command("record", "--id", ShortID(l.told), "--outcome", "WORD"))
	}
	return text
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// encodeJSON writes one value, without characters that upset a terminal.
func encodeJSON(w io.Writer, v any, prefix, indent string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, indent)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(audit.SafeJSON(b.Bytes()))
	return err
}
