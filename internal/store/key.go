package store

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Where things lie below the prefix of a store.
const (
	EventsDir = "v1/events/"
	packsDir  = "v1/packs/"
)

// errKey says that a line cannot have a key, or that a text is not one.
var errKey = errors.New("not a key of a store")

// Key is what a listing says of a line:
//
//	v1/events/day=<day>/<time>_<log>_<seq>_<id>_<operation>_<outcome>_<sum>.json
//
//	day        2026-11-24, of time
//	time       20261124T210203.123456Z
//	log        the log's id, escaped
//	seq        the line's number, of at least ten digits
//	id         of the operation, escaped
//	operation  escaped, its underscores as they are
//	outcome    one of the five
//	sum        the SHA-256 of the line, in hex
//
// An escaped text has its letters and digits (ASCII) and "-" as they are, and each
// other byte as "~" and two upper-case hex digits. So a key is safe in a URL, in a
// path of any file system and in a shell. There is one spelling of each Key, and
// parseKey refuses any other.
type Key struct {
	Time      time.Time // of the event, UTC, in microseconds
	Log       string
	Seq       int64
	ID        string
	Operation string
	Outcome   audit.Outcome
	Sum       string
}

const (
	dayLayout  = "2006-01-02"
	timeLayout = "20060102T150405.000000Z"
	sumLength  = 64
	// nameLimit is what file systems take as a name, for stores that keep objects as
	// files. Names of our own events have up to 233 bytes.
	nameLimit = 255
)

// KeyOf is the key of a line. Only chained events have one.
func KeyOf(e audit.Event, line []byte) (Key, error) { return keyOf(e, audit.Sum(line)) }

func keyOf(e audit.Event, sum string) (Key, error) {
	if !e.Chained() {
		return Key{}, fmt.Errorf("%w: an event that is not chained has none", errKey)
	}
	k := Key{
		Time: e.Timestamp.UTC().Truncate(time.Microsecond), Log: e.Log, Seq: e.Seq, ID: e.ID,
		Operation: e.Operation, Outcome: e.Outcome, Sum: sum,
	}
	if back, err := parseKey(k.String()); err != nil || back != k {
		return Key{}, fmt.Errorf("%w: line %d of log %.40q has too long an id or operation, or no time that fits", errKey, e.Seq, e.Log)
	}
	return k, nil
}

// event parses the line that an object of this key holds. The error is errNotNamed when
// that is not the line that the key names, or not one line: JSON allows an LF between its
// tokens, and a pack would take that for the end of the line.
func (k Key) event(line []byte) (audit.Event, error) {
	if audit.Sum(line) != k.Sum || bytes.IndexByte(line, '\n') >= 0 {
		return audit.Event{}, errNotNamed
	}
	e, err := audit.Parse(line)
	if err != nil {
		return audit.Event{}, fmt.Errorf("%w: %w", errNotNamed, err)
	}
	if is, err := keyOf(e, k.Sum); err != nil || is != k {
		return audit.Event{}, errNotNamed
	}
	return e, nil
}

var errNotNamed = errors.New("the object does not hold the line that its key names")

// String is the key below the prefix of the store.
func (k Key) String() string {
	var room [nameLimit + 64]byte
	return string(k.appendTo(room[:0]))
}

// appendTo appends what String returns: a store has millions of keys.
func (k Key) appendTo(b []byte) []byte {
	b = append(b, EventsDir+"day="...)
	b = append(k.Time.UTC().AppendFormat(b, dayLayout), '/')
	b = append(k.Time.UTC().AppendFormat(b, timeLayout), '_')
	b = append(appendEscaped(b, k.Log, ""), '_')
	for least := int64(1e9); least > max(k.Seq, 1); least /= 10 {
		b = append(b, '0')
	}
	b = append(strconv.AppendInt(b, k.Seq, 10), '_')
	b = append(appendEscaped(b, k.ID, ""), '_')
	b = append(appendEscaped(b, k.Operation, "_"), '_')
	b = append(append(b, k.Outcome...), '_')
	return append(append(b, k.Sum...), ".json"...)
}

// parseKey reads what String wrote.
func parseKey(text string) (Key, error) {
	n := strings.LastIndexByte(text, '/') + 1
	return parseName(text[:n], text[n:])
}

// parseName is parseKey, of the directory and the name in it.
func parseName(dir, text string) (Key, error) {
	refuse := func() (Key, error) { return Key{}, fmt.Errorf("%w: %.300q", errKey, dir+text) }
	name, isJSON := strings.CutSuffix(text, ".json")
	var room [12]string
	part := room[:0]
	for p := range strings.SplitSeq(name, "_") {
		part = append(part, p)
	}
	n := len(part)
	if !isJSON || n < 7 || len(text) > nameLimit {
		return refuse()
	}
	at, err := time.Parse(timeLayout, part[0])
	seq, err2 := strconv.ParseInt(part[2], 10, 64)
	k := Key{Time: at, Seq: seq, Outcome: audit.Outcome(part[n-2]), Sum: part[n-1]}
	var ok, ok2, ok3 bool
	k.Log, ok = unescape(part[1])
	k.ID, ok2 = unescape(part[3])
	k.Operation, ok3 = unescape(strings.Join(part[4:n-2], "_"))
	sum := len(k.Sum) == sumLength && strings.Trim(k.Sum, "0123456789abcdef") == ""
	if err != nil || err2 != nil || !ok || !ok2 || !ok3 || !sum || k.Log == "" || k.ID == "" || seq < 1 || !k.Outcome.Valid() {
		return refuse()
	}
	var spelt [nameLimit + 64]byte
	if is := k.appendTo(spelt[:0]); len(is) != len(dir)+len(text) || string(is[:len(dir)]) != dir || string(is[len(dir):]) != text {
		return refuse()
	}
	return k, nil
}

// packKey is where the n-th pack of a day lies, n counting from 1: all lines of the
// day in the order of their keys, each with its LF, compressed with zstd.
func packKey(day time.Time, n int) string {
	return packsDir + dayDir(day) + fmt.Sprintf("%d.jsonl.zst", n)
}

// parsePackKey is the day of a key that packKey wrote. It refuses any other spelling.
func parsePackKey(text string) (day time.Time, err error) {
	dir, name, _ := strings.Cut(strings.TrimPrefix(text, packsDir), "/")
	day, err = time.Parse(dayLayout, strings.TrimPrefix(dir, "day="))
	number, _ := strings.CutSuffix(name, ".jsonl.zst")
	n, err2 := strconv.Atoi(number)
	if err != nil || err2 != nil || n < 1 || packKey(day, n) != text {
		return time.Time{}, fmt.Errorf("%w: %.300q", errKey, text)
	}
	return day, nil
}

// dayOf is the day of a directory "…/day=2026-11-24/".
func dayOf(dir string) (day time.Time, ok bool) {
	_, text, _ := strings.Cut(strings.TrimSuffix(dir, "/"), "/day=")
	day, err := time.Parse(dayLayout, text)
	return day, err == nil && day.Format(dayLayout) == text
}

func dayDir(t time.Time) string { return "day=" + t.UTC().Format(dayLayout) + "/" }

// appendEscaped leaves letters, digits, "-" and what plain has.
func appendEscaped(b []byte, text, plain string) []byte {
	for i := range len(text) {
		c := text[i]
		if c == '-' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte(plain, c) >= 0 {
			b = append(b, c)
		} else {
			b = fmt.Appendf(b, "~%02X", c)
		}
	}
	return b
}

func unescape(text string) (string, bool) {
	if strings.IndexByte(text, '~') < 0 {
		return text, true
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '~' {
			b.WriteByte(text[i])
			continue
		}
		if i+3 > len(text) {
			return "", false
		}
		c, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
		if err != nil {
			return "", false
		}
		b.WriteByte(byte(c))
		i += 2
	}
	return b.String(), true
}

// compare sorts keys as their texts do, where no id or operation is strange; always
// in the same order.
func (k Key) compare(o Key) int {
	return cmp.Or(k.Time.Compare(o.Time), cmp.Compare(k.Log, o.Log), cmp.Compare(k.Seq, o.Seq), cmp.Compare(k.ID, o.ID),
		cmp.Compare(k.Operation, o.Operation), cmp.Compare(k.Outcome, o.Outcome), cmp.Compare(k.Sum, o.Sum))
}

// compareInLog sorts keys log by log, by their numbers: a clock can be set back.
func (k Key) compareInLog(o Key) int {
	return cmp.Or(cmp.Compare(k.Log, o.Log), cmp.Compare(k.Seq, o.Seq), k.compare(o))
}
