package audit

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Version is the format version that this package writes, and the highest that
// it reads.
const Version = 1

// The operations that this program performs itself. Others may be recorded
// under any name that ValidOperation accepts.
const (
	Destroy         = "destroy"
	Export          = "export"
	Prune           = "prune"
	DeleteDashboard = "delete_dashboard"
	Restore         = "restore"
	Undo            = "undo"
	Purge           = "purge"  // of what was set aside
	Rotate          = "rotate" // of the log itself
	Accept          = "accept" // about what happened to the log
)

var operationName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z][a-z0-9_]*$`) })

// maxOperation is how long the name of an operation may be.
const maxOperation = 64

// ValidOperation reports whether name is a lower_snake name of at most 64 bytes.
func ValidOperation(name string) bool {
	return len(name) <= maxOperation && operationName().MatchString(name)
}

// Outcome is how an operation ended, or Pending if it has not ended yet.
type Outcome string

// The outcomes. Pending is the one that does not end an operation.
const (
	Pending   Outcome = "pending"
	Success   Outcome = "success"
	Failed    Outcome = "failed"
	Partial   Outcome = "partial"
	Cancelled Outcome = "cancelled"
)

// Outcomes lists every outcome, in the order in which help texts name them.
func Outcomes() []Outcome { return []Outcome{Pending, Success, Failed, Partial, Cancelled} }

// Valid reports whether o is one of Outcomes.
func (o Outcome) Valid() bool { return slices.Contains(Outcomes(), o) }

// timeLayout is RFC 3339 with microseconds and a numeric offset: the one
// spelling that Python's datetime.fromisoformat reads in every version.
const timeLayout = "2006-01-02T15:04:05.000000-07:00"

// Event is one line of the log.
//
// Append fills V, Log, Seq and Prev; whoever records an event leaves them
// empty. On a line of the Python module they and ID are empty.
type Event struct {
	V            int             // format version; 0 on an unchained line
	Log          string          // random id of the log, the same on each of its lines
	Seq          int64           // 1, 2, 3 … over the chained lines
	Prev         string          // SHA-256, hex, of the line before without its LF; 64 zeros on line 1
	ID           string          // ULID of the operation; its pending and outcome events share it
	Timestamp    time.Time       // when the event was recorded; microseconds are kept
	Operation    string          // what was done
	Outcome      Outcome         // how it ended
	User         string          // who, by the environment
	Details      json.RawMessage // a JSON object; nil is written as {}
	DataAffected []string        // pending: volumes about to go; outcome: volumes verified gone
	ExportPath   string          // where the export lies; "" is written as null
}

// Chained reports whether the event is part of the hash chain.
func (e Event) Chained() bool { return e.V != 0 }

// Head names a line of a log, by default the last one: nobody can change any chained line before
// it without changing the head.
type Head struct {
	Log    string // the log's id
	Seq    int64  // of the last chained line
	SHA256 string // hex, of the line without its LF
}

// Word is the head in one word, log:seq:sha256.
func (h Head) Word() string { return fmt.Sprintf("%s:%d:%s", h.Log, h.Seq, h.SHA256) }

// ParseHead reads what Word wrote.
func ParseHead(word string) (Head, error) {
	rest, sum, ok := cutLast(word, ':')
	log, number, ok2 := cutLast(rest, ':')
	seq, err := strconv.ParseInt(number, 10, 64)
	if !ok || !ok2 || err != nil || seq < 1 || log == "" || !IsSum(sum) {
		return Head{}, fmt.Errorf("%q is not a head: log:seq:sha256", word)
	}
	return Head{Log: log, Seq: seq, SHA256: sum}, nil
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}
