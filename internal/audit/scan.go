package audit

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a line, so that a hostile one cannot exhaust
// the stack. Our own events nest five levels deep.
const maxDepth = 128

// maxKeys bounds the keys of one object, and maxAllKeys those of a line, so that
// a hostile one cannot have us keep millions of them. Our own events have some
// 20 keys a resource, in objects of their own: 16 MiB of them, which is as long
// as a line may be, hold fewer than a million.
const (
	maxKeys    = 4096
	maxAllKeys = 1 << 20
)

// errJSON says that a line is not one JSON object.
var errJSON = errors.New("not a JSON object")

// scanner reads one JSON text strictly (RFC 8259) and without copying. The
// standard decoder matches keys in any case and lets the last of two win; an
// audit record must mean the same to every reader, so this one refuses both.
type scanner struct {
	b    []byte
	i    int
	keys [][]byte // of the objects that are open, outermost first; unescaped
	all  int      // keys seen
}

// scanObject calls field for every member of the object that line holds, with
// the key unescaped and the value as its raw bytes. A key that occurs twice in
// one object, however deep, is an error. The slices are parts of line.
func scanObject(line []byte, field func(key, value []byte) error) error {
	s := scanner{b: line}
	s.space()
	if s.peek() != '{' {
		return errJSON
	}
	if err := s.object(0, field); err != nil {
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

func (s *scanner) value(depth int) error {
	if depth > maxDepth {
		return s.fail("nesting too deep")
	}
	switch c := s.peek(); {
	case c == '"':
		_, _, err := s.str()
		return err
	case c == '{':
		return s.object(depth, nil)
	case c == '[':
		return s.array(depth)
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if rest := s.b[s.i:]; len(rest) >= len(word) && string(rest[:len(word)]) == word {
			s.i += len(word)
			return nil
		}
	}
	return s.fail("value missing")
}

func (s *scanner) object(depth int, field func(key, value []byte) error) error {
	s.i++ // the brace
	s.space()
	if s.peek() == '}' {
		s.i++
		return nil
	}
	open := keySet{s: s, base: len(s.keys)}
	for n := 1; ; n++ {
		if s.all++; n > maxKeys || s.all > maxAllKeys {
			return s.fail("too many keys")
		}
		s.space()
		key, err := s.member()
		if err != nil {
			return err
		}
		if open.add(key) {
			return fmt.Errorf("key %q twice", key)
		}
		from := s.i
		if err := s.value(depth + 1); err != nil {
			return err
		}
		if field != nil {
			if err := field(key, s.b[from:s.i]); err != nil {
				return err
			}
		}
		if more, err := s.more('}'); !more {
			s.keys = s.keys[:open.base]
			return err
		}
	}
}

// member reads a key and its colon, up to the value.
func (s *scanner) member() (key []byte, err error) {
	if s.peek() != '"' {
		return nil, s.fail("key missing")
	}
	raw, plain, err := s.str()
	if err != nil {
		return nil, err
	}
	if key = raw; !plain {
		if key, err = unquote(raw); err != nil {
			return nil, err
		}
	}
	s.space()
	if s.peek() != ':' {
		return nil, s.fail(`":" missing`)
	}
	s.i++
	s.space()
	return key, nil
}

// more passes a comma, or the end of what is open.
func (s *scanner) more(end byte) (bool, error) {
	s.space()
	switch s.peek() {
	case ',':
		s.i++
		return true, nil
	case end:
		s.i++
		return false, nil
	}
	return false, s.fail(fmt.Sprintf("%q missing", string(end)))
}

// fewKeys is up to where comparing each with each is cheaper than a map.
const fewKeys = 24

// keySet holds the keys of one open object, on the scanner's stack as long as
// they are few.
type keySet struct {
	s    *scanner
	base int // where they begin on the stack
	many map[string]bool
}

// add reports whether the key was already there.
func (k *keySet) add(key []byte) (twice bool) {
	if k.many != nil {
		twice = k.many[string(key)]
		k.many[string(key)] = true
		return twice
	}
	for _, other := range k.s.keys[k.base:] {
		if bytes.Equal(other, key) {
			return true
		}
	}
	k.s.keys = append(k.s.keys, key)
	if len(k.s.keys)-k.base > fewKeys {
		k.many = map[string]bool{}
		for _, other := range k.s.keys[k.base:] {
			k.many[string(other)] = true
		}
	}
	return false
}

func (s *scanner) array(depth int) error {
	s.i++ // the bracket
	s.space()
	if s.peek() == ']' {
		s.i++
		return nil
	}
	for {
		s.space()
		if err := s.value(depth + 1); err != nil {
			return err
		}
		if more, err := s.more(']'); !more {
			return err
		}
	}
}

// str reads a string with the opening quote at s.i and returns what stands
// between the quotes; plain says that there is no escape in it.
func (s *scanner) str() (raw []byte, plain bool, err error) {
	s.i++
	from, plain := s.i, true
	for {
		s.i += ordinary(s.b[s.i:])
		if s.i >= len(s.b) {
			return nil, false, s.fail("end of a string missing")
		}
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return s.b[from : s.i-1], plain, nil
		case c == '\\':
			plain = false
			if err := s.escape(); err != nil {
				return nil, false, err
			}
		case c < 0x20:
			return nil, false, s.fail("control character in a string")
		default:
			r, n := utf8.DecodeRune(s.b[s.i:])
			if r == utf8.RuneError && n == 1 {
				return nil, false, s.fail("bytes that are not UTF-8")
			}
			s.i += n
		}
	}
}

// ordinary counts the bytes at the beginning of b that are ASCII and neither
// control characters, nor quotes, nor backslashes: eight at a time.
func ordinary(b []byte) (n int) {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; n+8 <= len(b); n += 8 {
		x := binary.LittleEndian.Uint64(b[n:])
		quote, slash := x^(ones*'"'), x^(ones*'\\')
		// The classic tests for "less than 0x20" and "is zero", a byte each; a
		// borrow can only mark bytes above one that is marked rightly.
		special := (x | (x-ones*0x20)&^x | (quote-ones)&^quote | (slash-ones)&^slash) & tops
		if special != 0 {
			return n + bits.TrailingZeros64(special)/8
		}
	}
	for ; n < len(b); n++ {
		if c := b[n]; c < 0x20 || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return n
		}
	}
	return n
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
			if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
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

// unquote resolves the escapes of a string that was scanned. A lone surrogate
// becomes U+FFFD, as encoding/json has it.
func unquote(raw []byte) ([]byte, error) {
	var out string
	err := json.Unmarshal(append(append([]byte{'"'}, raw...), '"'), &out)
	return []byte(out), err
}
