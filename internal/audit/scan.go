package audit

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a line, so that a hostile one cannot exhaust
// the stack. Our own events nest five levels deep.
const maxDepth = 128

// errJSON says that a line is not one JSON object.
var errJSON = errors.New("not a JSON object")

// scanner reads one JSON text strictly (RFC 8259) and without copying. The
// standard decoder matches keys in any case and lets the last of two win; an
// audit record must mean the same to every reader, so this one refuses both.
type scanner struct {
	b []byte
	i int
}

// scanObject calls field for every member of the object that line holds, with
// the key unescaped and the value as its raw bytes. Keys that occur twice, or
// that differ only in case, are errors at the top level; deeper down only the
// former are, since names given by users may differ in case.
func scanObject(line []byte, field func(key string, value []byte) error) error {
	s := &scanner{b: line}
	s.space()
	if s.peek() != '{' {
		return errJSON
	}
	seen := map[string]string{}
	err := s.object(0, func(key string, value []byte) error {
		folded := strings.ToLower(key)
		if first, twice := seen[folded]; twice {
			return fmt.Errorf("keys %q and %q", first, key)
		}
		seen[folded] = key
		return field(key, value)
	})
	if err != nil {
		return err
	}
	s.space()
	if s.i != len(s.b) {
		return fmt.Errorf("bytes after the object, at column %d", s.i+1)
	}
	return nil
}

func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return
		}
	}
}

func (s *scanner) fail(what string) error {
	return fmt.Errorf("%s at column %d", what, s.i+1)
}

func (s *scanner) expect(c byte) error {
	s.space()
	if s.peek() != c || s.i >= len(s.b) {
		return s.fail(fmt.Sprintf("%q missing", string(c)))
	}
	s.i++
	return nil
}

func (s *scanner) value(depth int) error {
	if depth > maxDepth {
		return s.fail("nesting too deep")
	}
	s.space()
	switch c := s.peek(); {
	case c == '{':
		seen := map[string]bool{}
		return s.object(depth, func(key string, _ []byte) error {
			if seen[key] {
				return fmt.Errorf("key %q twice", key)
			}
			seen[key] = true
			return nil
		})
	case c == '[':
		return s.array(depth)
	case c == '"':
		_, err := s.str()
		return err
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	for _, word := range []string{"true", "false", "null"} {
		if strings.HasPrefix(string(s.b[s.i:min(s.i+5, len(s.b))]), word) {
			s.i += len(word)
			return nil
		}
	}
	return s.fail("value missing")
}

func (s *scanner) object(depth int, field func(key string, value []byte) error) error {
	s.i++ // the brace
	s.space()
	if s.peek() == '}' {
		s.i++
		return nil
	}
	for {
		s.space()
		if s.peek() != '"' {
			return s.fail("key missing")
		}
		key, err := s.str()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		s.space()
		from := s.i
		if err := s.value(depth + 1); err != nil {
			return err
		}
		if err := field(key, s.b[from:s.i]); err != nil {
			return err
		}
		s.space()
		if s.peek() == ',' {
			s.i++
			continue
		}
		return s.expect('}')
	}
}

func (s *scanner) array(depth int) error {
	s.i++ // the bracket
	s.space()
	if s.peek() == ']' {
		s.i++
		return nil
	}
	for {
		if err := s.value(depth + 1); err != nil {
			return err
		}
		s.space()
		if s.peek() == ',' {
			s.i++
			continue
		}
		return s.expect(']')
	}
}

// str reads a string with the opening quote at s.i and returns its content,
// unescaped. A lone surrogate becomes U+FFFD, as encoding/json has it.
func (s *scanner) str() (string, error) {
	s.i++
	from, plain := s.i, true
	for s.i < len(s.b) {
		switch c := s.b[s.i]; {
		case c == '"':
			raw := s.b[from:s.i]
			s.i++
			if plain {
				return string(raw), nil
			}
			return unquote(raw)
		case c == '\\':
			plain = false
			if err := s.escape(); err != nil {
				return "", err
			}
		case c < 0x20:
			return "", s.fail("control character in a string")
		case c < utf8.RuneSelf:
			s.i++
		default:
			r, n := utf8.DecodeRune(s.b[s.i:])
			if r == utf8.RuneError && n == 1 {
				return "", s.fail("bytes that are not UTF-8")
			}
			s.i += n
		}
	}
	return "", s.fail("end of a string missing")
}

func (s *scanner) escape() error {
	if s.i+1 >= len(s.b) {
		return s.fail("end of a string missing")
	}
	switch s.b[s.i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i += 2
		return nil
	case 'u':
		if s.i+6 > len(s.b) {
			return s.fail("four hex digits missing")
		}
		for _, c := range s.b[s.i+2 : s.i+6] {
			if !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
				return s.fail("four hex digits missing")
			}
		}
		s.i += 6
		return nil
	}
	return s.fail("unknown escape")
}

func (s *scanner) number() error {
	if s.peek() == '-' {
		s.i++
	}
	switch {
	case s.peek() == '0':
		s.i++
	case s.digits() == 0:
		return s.fail("digit missing")
	}
	if s.peek() == '.' {
		s.i++
		if s.digits() == 0 {
			return s.fail("digit missing")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.i++
		if c := s.peek(); c == '+' || c == '-' {
			s.i++
		}
		if s.digits() == 0 {
			return s.fail("digit missing")
		}
	}
	return nil
}

func (s *scanner) digits() (n int) {
	for s.peek() >= '0' && s.peek() <= '9' {
		s.i++
		n++
	}
	return n
}
