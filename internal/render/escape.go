package render

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Terminal makes text safe for a terminal line. Control characters (C0, DEL,
// C1), line and paragraph separators, characters that change the direction of
// writing, and bytes that are not UTF-8 become visible escapes.
func Terminal(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		case audit.Hidden(r) && r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		case audit.Hidden(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return b.String()
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// formula is how a text begins that a spreadsheet runs, behind quotes and blanks
// that it drops. Where a locale separates by semicolons, what stands behind one is
// a cell of its own, in a CSV of commas too.
var formula = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(^|;)([\s\p{Z}"']*[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}])`)
})

// Cell makes text safe for a spreadsheet: what would be run as a formula is
// marked as text, the way spreadsheets do it themselves.
func Cell(s string) string { return formula().ReplaceAllString(Terminal(s), "$1'$2") }

// Lines escapes each line of a text and indents it.
func Lines(text, indent string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(indent + Terminal(strings.TrimRight(line, "\n")) + "\n")
	}
	return b.String()
}
