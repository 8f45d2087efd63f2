// Command picture turns the text of a terminal session, with its colours, into
// an SVG picture.
//
//	go run ./internal/lab/picture < session > docs/session.svg
//
// With -run it makes the text instead: it runs a command on a terminal, answers what
// it asks, and writes what was on the screen.
//
//	go run ./internal/lab/picture -run ccdestroy undo > session
package main

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Sizes in pixels, for a font of 13.
const (
	lineHeight = 18
	charWidth  = 7.83
	margin     = 16
)

var (
	escape = regexp.MustCompile("\x1b\\[([0-9;]*)m")
	inks   = map[string]string{"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341"}
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == "-run" {
		onTerminal(os.Args[2:])
		return
	}
	text, err := io.ReadAll(os.Stdin)
	text = bytes.ReplaceAll(text, []byte(" "), []byte("\u00a0")) // SVG runs spaces together
	if err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	columns := 0
	for _, l := range lines {
		columns = max(columns, utf8.RuneCountInString(escape.ReplaceAllString(l, "")))
	}
	width, height := float64(columns)*charWidth+2*margin, len(lines)*lineHeight+2*margin
	fmt.Printf(`<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="A session of ccdestroy" viewBox="0 0 %.0f %d" width="%.0f" height="%d">`, width, height, width, height)
	fmt.Printf(`<rect width="100%%" height="100%%" rx="8" fill="#161b22"/><g font-family="ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="13" fill="#e6edf3">`)
	for i, l := range lines {
		fmt.Printf("\n<text x=\"%d\" y=\"%d\">%s</text>", margin, margin+i*lineHeight+13, spans(l))
	}
	fmt.Println("\n</g></svg>")
}

// spans turns the colours of a line into tspans.
func spans(line string) string {
	var b strings.Builder
	open, at := false, 0
	for _, m := range escape.FindAllStringSubmatchIndex(line, -1) {
		b.WriteString(html.EscapeString(line[at:m[0]]))
		at = m[1]
		if open {
			b.WriteString("</tspan>")
			open = false
		}
		switch code := line[m[2]:m[3]]; {
		case code == "1":
			b.WriteString(`<tspan font-weight="bold">`)
			open = true
		case inks[code] != "":
			b.WriteString(`<tspan fill="` + inks[code] + `">`)
			open = true
		}
	}
	b.WriteString(html.EscapeString(line[at:]))
	if open {
		b.WriteString("</tspan>")
	}
	return b.String()
}
