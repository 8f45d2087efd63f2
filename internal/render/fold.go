package render

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// wrapped breaks a text at spaces into lines of a width. A word that is longer
// stands alone. A width below 20 breaks nothing.
func wrapped(text string, width int) (lines []string) {
	if width < 20 {
		return []string{text}
	}
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && runewidth.StringWidth(line)+1+runewidth.StringWidth(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// fold breaks a line at spaces where the terminal ends; what goes on below is
// indented by so many columns. Spaces within a line stay as they are.
func (s Style) fold(line string, indent int) string {
	if s.Width < 20+indent {
		return line
	}
	var out strings.Builder
	hang := ""
	for runewidth.StringWidth(hang+line) > s.Width {
		at := breakAt(line, s.Width-len(hang))
		if at < 0 {
			break
		}
		out.WriteString(hang + strings.TrimRight(line[:at], " ") + "\n")
		line, hang = strings.TrimLeft(line[at:], " "), strings.Repeat(" ", indent)
	}
	return out.String() + hang + line
}

// breakAt is the last space before a width, else the first one behind it; none is
// -1. Spaces at the beginning are no place to break.
func breakAt(line string, width int) int {
	at, used, begun := -1, 0, false
	for i, r := range line {
		if r == ' ' && begun {
			if used > width && at >= 0 {
				return at
			}
			at = i
			if used > width {
				return at
			}
		}
		begun = begun || r != ' '
		used += runewidth.RuneWidth(r)
	}
	return at
}

// say is a line that begins with a word in colour, folded.
func (s Style) say(c Color, word, rest string) string {
	return strings.Replace(s.fold(word+rest, 2), word, s.paint(c, word), 1) + "\n"
}

// remedy is "label: command", on two lines where there is no room for one. A
// command is never broken: it is there to be pasted.
func (s Style) remedy(label, command string) string {
	if text := label + ": " + command; s.Width == 0 || runewidth.StringWidth(text) <= s.Width {
		return text + "\n"
	}
	return label + ":\n  " + command + "\n"
}

// isCommand reports whether a text is for pasting, and so not to be broken.
func isCommand(text string) bool {
	word, _, _ := strings.Cut(text, " ")
	return word == "ccdestroy" || word == "docker" || word == "sudo" || word == "chmod"
}

// Talk is one line of talk, with our commands as the user calls them. One at its
// end has a line of its own where there is no room for all: it is there to be pasted.
func (s Style) Talk(text string) string {
	line := Terminal(s.Called(text))
	at := strings.LastIndex(text, ": ccdestroy ")
	if at < 0 || s.Width == 0 || runewidth.StringWidth(line) <= s.Width {
		return s.fold(line, 2)
	}
	return s.fold(Terminal(s.Called(text[:at+1])), 2) + "\n  " + Terminal(s.Called(text[at+2:]))
}

// Complaint is what went wrong, and what to try.
func (s Style) Complaint(text, try string) string {
	var b strings.Builder
	lines := strings.Split(strings.TrimSpace(text), "\n")
	b.WriteString(s.Talk("ccdestroy: "+lines[0]) + "\n")
	for _, line := range lines[1:] {
		b.WriteString(s.fold("  "+Terminal(s.Called(line)), 4) + "\n")
	}
	if try != "" {
		b.WriteString(s.try(Terminal(s.Called(try))))
	}
	return b.String()
}

// try is what to try: one line, or one for each alternative where one has no room
// for all.
func (s Style) try(text string) string {
	text = "Try: " + text
	if s.Width == 0 || runewidth.StringWidth(text) <= s.Width {
		return text + "\n"
	}
	var b strings.Builder
	for i, part := range strings.Split(text, "; or ") {
		if i > 0 {
			part = " or: " + part
		}
		if !isCommand(part[5:]) {
			part = s.fold(part, 5)
		}
		b.WriteString(part + "\n")
	}
	return b.String()
}
