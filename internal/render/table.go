package render

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"

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
	Width  int  // columns; 0 if it is not a terminal
	Height int  // lines; 0 if it is not a terminal
	// Program is how the user calls this program, in words; none is ccdestroy.
	Program []string
	// Log is the log that our commands have to be told, since they would not find it
	// where the user is; "" if they would.
	Log string
	// ByID is set where an undo has to be told of which operation, since by itself
	// it would not come upon this one.
	ByID bool
}

// readers are the commands that look for a log, and take --log.
var readers = []string{"audit", "reconcile", "record", "undo"}

// command is a command of ours as it can be pasted.
func (s Style) command(name string, args ...string) string {
	program := s.Program
	if len(program) == 0 {
		program = []string{"ccdestroy"}
	}
	if s.Log != "" && slices.Contains(readers, name) {
		args = append(slices.Clone(args), "--log", s.Log)
	}
	return words(append(append(slices.Clone(program), name), args...))
}

// ourCommands are the names of all commands.
const ourCommands = "audit|completion|config|destroy|doctor|down|export|exports|guard|help|hook|init|inventory|man|" +
	"prune|reap|reconcile|record|restore|run|ship|store|trash|undo|version|watch"

// ourCommand is a command of ours in a text: the program with a command or a flag.
var ourCommand = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(docker )?\bccdestroy (-{1,2}[a-zA-Z]|(` + ourCommands + `)\b)`)
})

// Called is a text with the commands in it as the user calls this program.
func (s Style) Called(text string) string {
	if len(s.Program) < 2 {
		return text
	}
	program := words(s.Program)
	text = strings.ReplaceAll(text, program+" ", "ccdestroy ") // some are spelled like that already
	return ourCommand().ReplaceAllStringFunc(text, func(found string) string {
		return program + strings.TrimPrefix(strings.TrimPrefix(found, "docker "), "ccdestroy")
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
	whole bool // it is not folded: a command
}

// table lays cells out in columns, two spaces apart, with no spaces at the end
// of a line.
type table struct {
	style  Style
	indent string
	rows   [][]cell
	names  []cell // the head, where there is one
	due    bool   // the head is to be written before the next row
	widths []int
	soft   []bool // columns that may be cut short to fit the width
	least  []int  // but not below this
	hidden []bool // columns that have had nothing in them, and are left out
	filled bool   // leave out every column that has nothing in it
	folds  bool   // the last column is folded at words
	stacks bool   // columns that have no room stand below their row
	below  int    // so many of the last ones do
}

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

// head sets the names of the columns. Marks before one: ">" sets the column to
// the right, "~" lets it be cut short where the terminal is narrow, "?" leaves it
// out as long as there is nothing in it.
func (t *table) head(names ...string) {
	for _, n := range names {
		name := strings.TrimLeft(n, ">~?")
		marks := strings.TrimSuffix(n, name)
		t.names = append(t.names, cell{text: name, right: strings.Contains(marks, ">")})
		t.soft = append(t.soft, strings.Contains(marks, "~"))
		t.least = append(t.least, max(softest, runewidth.StringWidth(name)))
		t.hidden = append(t.hidden, t.filled || strings.Contains(marks, "?"))
	}
	t.due = true
}

// visible reports whether a column is written.
func (t *table) visible(i int) bool { return i >= len(t.hidden) || !t.hidden[i] }

// flush writes the rows that were added since the last flush. Columns never
// become narrower. The head comes again whenever there are other columns.
func (t *table) flush(w io.Writer) error {
	if len(t.rows) == 0 {
		return nil
	}
	t.measure()
	t.fit()
	if t.due && t.names != nil {
		t.rows = append([][]cell{t.names}, t.rows...)
	}
	for i, row := range t.rows {
		text := t.line(row)
		if i > 0 || !t.due {
			text += t.under(row)
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	t.rows, t.due = t.rows[:0], false
	return nil
}

// measure finds out which columns have something in them, and how wide they are.
func (t *table) measure() {
	for _, row := range t.rows {
		for i, c := range row {
			if !t.visible(i) && c.text != "" && c.text != "-" {
				t.hidden[i], t.due = false, true
			}
		}
	}
	for _, row := range append([][]cell{t.names}, t.rows...) {
		for i, c := range row {
			if i == len(t.widths) {
				t.widths = append(t.widths, 0)
			}
			if t.visible(i) {
				t.widths[i] = max(t.widths[i], runewidth.StringWidth(Terminal(c.text)))
			}
		}
	}
}

// softest is how narrow a column may become whose name is shorter, and narrowest
// how narrow one that is folded.
const (
	softest   = 6
	narrowest = 20
)

// fit makes the widest of the soft columns narrower, or moves the last ones below
// their rows, as long as the lines are longer than the terminal is wide.
func (t *table) fit() {
	for t.style.Width > 0 {
		total, widest := runewidth.StringWidth(t.indent)-2, -1
		for i, w := range t.widths[:len(t.widths)-t.below] {
			if !t.visible(i) {
				continue
			}
			if t.folds && i == len(t.widths)-1 {
				w = min(w, narrowest)
			}
			total += w + 2
			if i < len(t.soft) && t.soft[i] && w > t.least[i] && (widest < 0 || w > t.widths[widest]) {
				widest = i
			}
		}
		switch {
		case total <= t.style.Width:
			return
		case widest >= 0:
			t.widths[widest]--
		case t.stacks && t.below < len(t.widths)-1:
			t.below, t.due = t.below+1, true
		default:
			return
		}
	}
}

func (t *table) line(row []cell) string {
	var line strings.Builder
	line.WriteString(t.indent)
	used := runewidth.StringWidth(t.indent)
	for i, c := range row[:max(0, min(len(row), len(t.widths)-t.below))] {
		if !t.visible(i) {
			continue
		}
		text := Terminal(c.text)
		last := i == len(row)-1
		switch {
		case t.folds && last && !c.whole:
			line.WriteString(t.folded(text, c.color, used))
			continue
		case i < len(t.soft) && t.soft[i]:
			text = runewidth.Truncate(text, t.widths[i], "…")
		}
		pad := strings.Repeat(" ", max(0, t.widths[i]-runewidth.StringWidth(text)))
		switch {
		case c.right:
			line.WriteString(pad + t.style.paint(c.color, text))
		case last:
			line.WriteString(t.style.paint(c.color, text))
		default:
			line.WriteString(t.style.paint(c.color, text) + pad)
		}
		line.WriteString("  ")
		used += t.widths[i] + 2
	}
	return strings.TrimRight(line.String(), " ")
}

// folded is a text in the last column, which begins at a column of the screen.
func (t *table) folded(text string, color Color, at int) string {
	parts := wrapped(text, t.style.Width-at)
	for i := range parts {
		parts[i] = t.style.paint(color, parts[i])
	}
	return strings.Join(parts, "\n"+strings.Repeat(" ", at))
}

// under are the cells of a row that stand below it, each after the name of its
// column.
func (t *table) under(row []cell) string {
	indent := t.indent + "    "
	var text, line string
	for i := len(t.widths) - t.below; i < len(row); i++ {
		c := row[i]
		if c.text == "" || c.text == "-" {
			continue
		}
		part := t.names[i].text + " " + Terminal(c.text)
		if line != "" && runewidth.StringWidth(indent+line+"  "+part) <= t.style.Width {
			line += "  " + part
			continue
		}
		if line != "" {
			text += "\n" + indent + line
		}
		line = strings.Join(wrapped(part, t.style.Width-len(indent)), "\n"+indent)
	}
	if line != "" {
		text += "\n" + indent + line
	}
	return text
}
