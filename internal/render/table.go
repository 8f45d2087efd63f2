package render

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"
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
	Color  bool // colours may be used
	Width  int  // columns; 0 when it is no terminal
	Height int  // lines; 0 when it is no terminal
	// Program is how the user calls this program, in words; none is ccdestroy.
	Program []string
}

// command is a command of ours as it can be pasted.
func (s Style) command(name string, args ...string) string {
	program := s.Program
	if len(program) == 0 {
		program = []string{"ccdestroy"}
	}
	return words(append(append(slices.Clone(program), name), args...))
}

// ourCommand is a command of ours in a text: the program with a command or a flag.
var ourCommand = regexp.MustCompile(`(docker )?\bccdestroy (-{1,2}[a-zA-Z]|(audit|completion|config|destroy|doctor|down|export|exports|help|init|inventory|man|prune|reconcile|record|restore|run|trash|undo|version|watch)\b)`)

// Called is a text with the commands in it as the user calls this program.
func (s Style) Called(text string) string {
	if len(s.Program) < 2 {
		return text
	}
	return ourCommand.ReplaceAllStringFunc(text, func(found string) string {
		return strings.Join(s.Program, " ") + strings.TrimPrefix(strings.TrimPrefix(found, "docker "), "ccdestroy")
	})
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
	widths []int
	soft   []bool // columns that may be cut short to fit the width
	least  []int  // but not below this
	filled bool   // leave out columns that have nothing in them
	names  []cell // the head, where columns are left out
	shown  []bool // columns that have something
}

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

// head adds the names of the columns. A ">" before one sets it to the right; a
// "~" lets it be cut short where the terminal is narrow.
func (t *table) head(names ...string) {
	row := make([]cell, len(names))
	for i, n := range names {
		row[i] = cell{text: strings.TrimLeft(n, ">~"), right: n[0] == '>'}
		t.soft = append(t.soft, n[0] == '~')
		t.least = append(t.least, max(softest, runewidth.StringWidth(row[i].text)))
	}
	if t.filled {
		t.names, t.shown = row, make([]bool, len(row))
		return
	}
	t.add(row...)
}

// fill notes which columns have something in them, and puts the head before the
// rows whenever these have become more.
func (t *table) fill() {
	more := false
	for _, row := range t.rows {
		for i, c := range row {
			if !t.shown[i] && c.text != "" && c.text != "-" {
				t.shown[i], more = true, true
			}
		}
	}
	if more {
		t.rows = append([][]cell{t.names}, t.rows...)
	}
}

// visible reports whether a column is written.
func (t *table) visible(i int) bool { return !t.filled || t.shown[i] }

// flush writes the rows that were added since the last flush. Columns never
// become narrower.
func (t *table) flush(w io.Writer) error {
	if t.filled {
		t.fill()
	}
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(t.widths) {
				t.widths = append(t.widths, 0)
			}
			if !t.visible(i) {
				continue
			}
			t.widths[i] = max(t.widths[i], runewidth.StringWidth(Terminal(c.text)))
		}
	}
	t.fit()
	for _, row := range t.rows {
		if _, err := fmt.Fprintln(w, t.indent+t.line(row)); err != nil {
			return err
		}
	}
	t.rows = t.rows[:0]
	return nil
}

// softest is how narrow a column may become whose name is shorter.
const softest = 6

// fit makes the widest of the soft columns narrower, as long as the lines are
// longer than the terminal is wide.
func (t *table) fit() {
	for t.style.Width > 0 {
		total, widest := len(t.indent)-2, -1
		for i, w := range t.widths {
			if i < len(t.shown) && !t.visible(i) {
				continue
			}
			total += w + 2
			if i < len(t.soft) && t.soft[i] && w > t.least[i] && (widest < 0 || w > t.widths[widest]) {
				widest = i
			}
		}
		if total <= t.style.Width || widest < 0 {
			return
		}
		t.widths[widest]--
	}
}

func (t *table) line(row []cell) string {
	var line strings.Builder
	for i, c := range row {
		if !t.visible(i) {
			continue
		}
		text := Terminal(c.text)
		if i < len(t.soft) && t.soft[i] {
			text = runewidth.Truncate(text, t.widths[i], "…")
		}
		pad := strings.Repeat(" ", max(0, t.widths[i]-runewidth.StringWidth(text)))
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
	return strings.TrimRight(line.String(), " ")
}
