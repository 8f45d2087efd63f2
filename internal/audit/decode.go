package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// ErrVersion says that a line was written by a newer format version.
var ErrVersion = errors.New("written by a newer version of the log format")

// The known keys, in the order in which they are written. The last seven are
// those of the Python module.
const (
	keyV = iota
	keyLog
	keySeq
	keyPrev
	keyID
	keyTimestamp
	keyOperation
	keyOutcome
	keyUser
	keyDetails
	keyDataAffected
	keyExportPath
	keyCount
)

var keyNames = [keyCount]string{"v", "log", "seq", "prev", "id", "timestamp", "operation", "outcome", "user",
	"details", "data_affected", "export_path"}

// fields are the values of the known keys of one line, as they stand in it; nil
// where the key is not there.
type fields [keyCount][]byte

// parsed is a line that was checked, with what a reader of many lines needs at
// once. The slices are parts of the line.
type parsed struct {
	fields
	v         int
	seq       int64
	timestamp time.Time
	outcome   Outcome
}

func (p *parsed) chained() bool { return p.v != 0 }

// Parse reads one line, without its LF. A line with a v is chained and must
// have every key; one without is read as the Python module wrote it. The
// event's details are a part of data.
func Parse(data []byte) (Event, error) {
	p, err := parse(data)
	if err != nil {
		return Event{}, err
	}
	return p.event()
}

// parse checks the whole of a line and copies nothing.
func parse(data []byte) (p parsed, err error) {
	if err := p.scan(data); err != nil {
		return p, fmt.Errorf("malformed: %w", err)
	}
	if p.fields[keyV] != nil {
		if p.v, err = strconv.Atoi(string(p.fields[keyV])); err != nil {
			return p, wrongType(keyV)
		}
	}
	if p.v > Version {
		return p, fmt.Errorf("%w: v is %d, this program knows %d", ErrVersion, p.v, Version)
	}
	return p, p.check()
}

// scan finds the known keys. A key that is one of them but for its case is
// refused, since other readers take it for the same, and so are two unknown
// keys that differ only in case.
func (f *fields) scan(line []byte) error {
	var unknown map[string][]byte // by their folded form
	next := 0                     // keys mostly come in order
	return scanObject(line, func(key, value []byte) error {
		for n := range keyCount {
			if at := (next + n) % keyCount; string(key) == keyNames[at] {
				f[at], next = value, at+1
				return nil
			}
		}
		form := folded(key)
		other, twice := foldedNames[form]
		if !twice {
			other, twice = unknown[form]
		}
		if twice {
			return fmt.Errorf("keys %q and %q", other, key)
		}
		if unknown == nil {
			unknown = map[string][]byte{}
		}
		unknown[form] = key
		return nil
	})
}

// foldedNames are the known keys by their folded form.
var foldedNames = func() map[string][]byte {
	names := map[string][]byte{}
	for _, name := range keyNames {
		names[folded([]byte(name))] = []byte(name)
	}
	return names
}()

// folded is the same for two keys that differ only in case (bytes.EqualFold).
func folded(key []byte) string { return string(bytes.Map(smallest, key)) }

// smallest is the first of the characters that differ from r only in case.
func smallest(r rune) rune {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}
	first := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		first = min(first, other)
	}
	return first
}

func wrongType(key int) error {
	return fmt.Errorf("malformed: key %q has a value of the wrong type", keyNames[key])
}

// check makes sure that every key that belongs to the event is there, with a
// value of its type.
func (p *parsed) check() (err error) {
	first := keyTimestamp
	if p.fields[keyV] != nil {
		first = keyV
	}
	for key := range keyCount {
		switch {
		case (p.fields[key] != nil) == (key >= first):
		case first == keyV:
			return fmt.Errorf("malformed: a chained event lacks the key %q", keyNames[key])
		default:
			return errors.New("malformed: not the seven keys of an event")
		}
	}
	for _, key := range [...]int{keyLog, keyPrev, keyID, keyTimestamp, keyOperation, keyOutcome, keyUser} {
		if key >= first && p.fields[key][0] != '"' {
			return wrongType(key)
		}
	}
	if first == keyV {
		if err := p.checkChain(); err != nil {
			return err
		}
	}
	return p.checkEvent()
}

func (p *parsed) checkChain() (err error) {
	if p.seq, err = strconv.ParseInt(string(p.fields[keySeq]), 10, 64); err != nil {
		return wrongType(keySeq)
	}
	empty := func(key int) bool { return len(p.fields[key]) == len(`""`) }
	if p.v < 1 || p.seq < 1 || empty(keyLog) || empty(keyID) {
		return errors.New("malformed: a chained event without v, log, seq or id")
	}
	if prev := p.fields[keyPrev]; !IsSum(prev[1 : len(prev)-1]) {
		return errors.New("malformed: prev is not 64 lower-case hex digits")
	}
	return nil
}

func (p *parsed) checkEvent() (err error) {
	if p.outcome = outcomeOf(p.fields[keyOutcome]); p.outcome == "" {
		return fmt.Errorf("malformed: unknown outcome %s", p.fields[keyOutcome])
	}
	if p.fields[keyDetails][0] != '{' {
		return errors.New("malformed: details are not an object")
	}
	if path := p.fields[keyExportPath]; path[0] != '"' && string(path) != "null" {
		return wrongType(keyExportPath)
	}
	if !areStrings(p.fields[keyDataAffected]) {
		return wrongType(keyDataAffected)
	}
	p.timestamp, err = ParseTime(text(p.fields[keyTimestamp]))
	return err
}

// outcomeOf is the outcome that a value spells, or "".
func outcomeOf(value []byte) Outcome {
	for _, o := range Outcomes() {
		if string(value[1:len(value)-1]) == string(o) {
			return o
		}
	}
	if o := Outcome(text(value)); o.Valid() {
		return o
	}
	return ""
}

// areStrings reports whether a value that was scanned is an array of strings.
func areStrings(value []byte) bool {
	if value[0] != '[' {
		return false
	}
	s := scanner{b: value, i: 1}
	for s.space(); s.peek() != ']'; s.space() {
		switch s.peek() {
		case ',':
			s.i++
		case '"':
			_, _, _ = s.str()
		default:
			return false
		}
	}
	return true
}

// text is the string that a value which was scanned spells.
func text(value []byte) string {
	raw := value[1 : len(value)-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw)
	}
	out, _ := unquote(raw) // already scanned, so it cannot fail
	return string(out)
}

// IsSum reports whether a text is one that Sum can return.
func IsSum[T string | []byte](text T) bool {
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(text) == 64
}

// event makes an Event, whose details are a part of the line.
func (p *parsed) event() (Event, error) {
	e := Event{
		V: p.v, Seq: p.seq, Timestamp: p.timestamp, Outcome: p.outcome,
		Operation: text(p.fields[keyOperation]), User: text(p.fields[keyUser]),
		Details: p.fields[keyDetails],
	}
	if p.chained() {
		e.Log, e.Prev, e.ID = text(p.fields[keyLog]), text(p.fields[keyPrev]), text(p.fields[keyID])
	}
	if path := p.fields[keyExportPath]; path[0] == '"' {
		e.ExportPath = text(path)
	}
	return e, json.Unmarshal(p.fields[keyDataAffected], &e.DataAffected)
}

var wholeDigits = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$`)
})

// ParseTime reads what datetime.isoformat writes: with or without microseconds,
// with or without an offset. Without one it was the writer's local time, which
// here can only be taken for ours.
func ParseTime(text string) (time.Time, error) {
	if !wholeDigits().MatchString(text) { // time.Parse takes an hour of one digit
		return time.Time{}, fmt.Errorf("malformed: timestamp %q is not ISO 8601", text)
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("malformed: timestamp %q is not ISO 8601", text)
}
