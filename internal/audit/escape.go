package audit

import (
	"bytes"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Hidden reports whether a character is invisible and changes how a
// terminal or a page shows the text around it: DEL and the C1 controls, marks
// of direction and zero width, separators, the byte order mark, tags.
func Hidden(r rune) bool {
	switch {
	case r >= 0x7f && r <= 0x9f, r == 0xad, r == 0x061c, r == 0x180e, r >= 0x200b && r <= 0x200f,
		r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f, r == 0xfeff,
		r >= 0xfff9 && r <= 0xfffb, r >= 0xe0000 && r <= 0xe0fff:
		return true
	}
	return false
}

// SafeJSON spells the hidden characters of a JSON text as \u escapes, which say
// the same. (A JSON text has them in strings only, and control characters not
// at all.)
func SafeJSON(text []byte) []byte {
	if !hasHidden(text) {
		return text
	}
	var b bytes.Buffer
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		switch {
		case !Hidden(r):
			b.Write(text[i : i+n])
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += n
	}
	return b.Bytes()
}

func hasHidden(text []byte) bool {
	for i := 0; i < len(text); {
		if c := text[i]; c < 0x7f {
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if Hidden(r) {
			return true
		}
		i += n
	}
	return false
}
