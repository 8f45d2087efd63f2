package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"
)

// table is the result in Markdown: a row per engine, a column per feature.
func table(rows []row) string {
	var b strings.Builder
	b.WriteString("| engine |")
	for _, f := range features {
		fmt.Fprintf(&b, " %s |", f.name)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(features)) + "\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s |", r.what)
		for _, f := range features {
			cell := r.results.cell(f)
			if r.skipped != "" || r.err != nil {
				cell = "not run"
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// The marks between which a page has the table.
const (
	begins = "<!-- make matrix writes the table -->\n"
	ends   = "<!-- end of the table -->\n"
)

// putInto replaces what stands between the marks of a page.
func putInto(path, table string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begun := bytes.Cut(page, []byte(begins))
	_, after, ended := bytes.Cut(rest, []byte(ends))
	if !begun || !ended {
		return fmt.Errorf("%s has no place for the table: %q and %q", path, begins, ends)
	}
	text := fmt.Sprintf("%s%sRun on %s.\n\n%s\n%s%s", before, begins, time.Now().UTC().Format("2 January 2006"), table, ends, after)
	return os.WriteFile(path, []byte(text), 0o644)
}
