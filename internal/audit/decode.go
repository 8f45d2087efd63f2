package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrVersion says that a line was written by a newer format version.
var ErrVersion = errors.New("written by a newer version of the log format")

// Parse reads one line, without its LF. A line with a v is chained and must
// have every key; one without is read as the Python module wrote it.
func Parse(data []byte) (Event, error) {
	var e Event
	var log, prev *string
	seen := 0
	err := scanObject(data, func(key string, value []byte) error {
		seen++
		switch key {
		case "v":
			return fill(key, value, &e.V)
		case "log":
			return fill(key, value, &log)
		case "seq":
			return fill(key, value, &e.Seq)
		case "prev":
			return fill(key, value, &prev)
		case "id":
			return fill(key, value, &e.ID)
		case "timestamp":
			var err error
			e.Timestamp, err = parseTime(value)
			return err
		case "operation":
			return fill(key, value, &e.Operation)
		case "outcome":
			return fill(key, value, &e.Outcome)
		case "user":
			return fill(key, value, &e.User)
		case "details":
			e.Details = append(json.RawMessage(nil), value...)
			return nil
		case "data_affected":
			return fill(key, value, &e.DataAffected)
		case "export_path":
			return fill(key, value, &e.ExportPath)
		}
		seen--
		return nil // unknown: kept in the file, ignored here
	})
	switch {
	case err != nil:
		return Event{}, fmt.Errorf("malformed: %w", err)
	case e.V > Version:
		return Event{}, fmt.Errorf("%w: v is %d, this program knows %d", ErrVersion, e.V, Version)
	}
	if log != nil {
		e.Log = *log
	}
	if prev != nil {
		e.Prev = *prev
	}
	return e, complete(e, seen)
}

// seedKeys and chainedKeys are how many of the known keys a whole event has.
const seedKeys, chainedKeys = 7, 12

func complete(e Event, keys int) error {
	switch {
	case e.Chained() && (keys != chainedKeys || e.V < 1 || e.Log == "" || e.Seq < 1 || e.ID == ""):
		return errors.New("malformed: a chained event lacks a key")
	case e.Chained() && !isHash(e.Prev):
		return errors.New("malformed: prev is not 64 lower-case hex digits")
	case !e.Chained() && (keys != seedKeys || e.Log != "" || e.ID != ""):
		return errors.New("malformed: not the seven keys of an event")
	case len(e.Details) == 0 || e.Details[0] != '{':
		return errors.New("malformed: details are not an object")
	case !e.Outcome.Valid():
		return fmt.Errorf("malformed: unknown outcome %q", e.Outcome)
	}
	return nil
}

func isHash(s string) bool {
	if len(s) != 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func fill(key string, value []byte, to any) error {
	if err := json.Unmarshal(value, to); err != nil {
		return fmt.Errorf("key %q has a value of the wrong type", key)
	}
	return nil
}

func unquote(raw []byte) (string, error) {
	var out string
	err := json.Unmarshal(append(append([]byte{'"'}, raw...), '"'), &out)
	return out, err
}

// parseTime reads what datetime.isoformat writes: with or without microseconds,
// with or without an offset. Without one it was the writer's local time, which
// here can only be taken for ours.
func parseTime(value []byte) (time.Time, error) {
	var text string
	if err := fill("timestamp", value, &text); err != nil {
		return time.Time{}, err
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("timestamp %q is not ISO 8601", text)
}
