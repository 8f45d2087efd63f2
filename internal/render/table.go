package render

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Color is a terminal colour with a meaning.
type Color string

// The colours. Plain has none.
const (
	Plain  Color = ""
	Good   Color = "\x1b[32m" // green: done
	Bad    Color = "\x1b[31m" // red: failed, destroys
	Warn   Color = "\x1b[33m" // yellow: partial, unfinished
	Strong Color = "\x1b[1m"
)

// Style says what the reader's side can show.
type Style struct {
	Color bool // colours may be used
	Width int  // columns; 0 when it is no terminal
}

func (s Style) paint(c Color, text string) string {
	if !s.Color || c == Plain {
		return text
	}
	return string(c) + text + "\x1b[0m"
}

// cell is one field of a table; text is escaped when it is written.
type cell struct {
	text  string
	color Color
	right bool
}

// table lays cells out in columns, two spaces apart, with no spaces at the end
// of a line.
type table struct {
	style  Style
	indent string
	rows   [][]cell
}

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

func (t *table) head(names ...string) {
	row := make([]cell, len(names))
	for i, n := range names {
		row[i] = cell{text: n}
	}
	t.add(row...)
}

func (t *table) write(w io.Writer) error {
	var widths []int
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(Terminal(c.text)))
		}
	}
	for _, row := range t.rows {
		var line strings.Builder
		for i, c := range row {
			text := Terminal(c.text)
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			switch {
			case c.right:
				line.WriteString(pad + t.style.paint(c.color, text))
			case i == len(row)-1:
				line.WriteString(t.style.paint(c.color, text))
			default:
				line.WriteString(t.style.paint(c.color, text) + pad)
			}
			line.WriteString("  ")
		}
		if _, err := fmt.Fprintln(w, t.indent+strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}
