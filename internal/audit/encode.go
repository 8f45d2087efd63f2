package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// line is the order of the keys in the file.
type line struct {
	V            int             `json:"v"`
	Log          string          `json:"log"`
	Seq          int64           `json:"seq"`
	Prev         string          `json:"prev"`
	ID           string          `json:"id"`
	Timestamp    string          `json:"timestamp"`
	Operation    string          `json:"operation"`
	Outcome      Outcome         `json:"outcome"`
	User         string          `json:"user"`
	Details      json.RawMessage `json:"details"`
	DataAffected []string        `json:"data_affected"`
	ExportPath   *string         `json:"export_path"`
}

// encode returns the event as one line, LF included. Bytes that are not UTF-8
// become U+FFFD: JSON has no other way to say them. Characters that could upset
// a terminal are escaped, so that the file can be looked at with cat.
func encode(e Event) ([]byte, error) {
	l := line{
		V: e.V, Log: e.Log, Seq: e.Seq, Prev: e.Prev, ID: e.ID,
		Timestamp: e.Timestamp.UTC().Format(timeLayout),
		Operation: e.Operation, Outcome: e.Outcome, User: e.User,
		Details: e.Details, DataAffected: e.DataAffected,
	}
	if len(l.Details) == 0 {
		l.Details = json.RawMessage("{}")
	}
	if l.DataAffected == nil {
		l.DataAffected = []string{}
	}
	if e.ExportPath != "" {
		l.ExportPath = &e.ExportPath
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(l); err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.ID, err)
	}
	return SafeJSON(buf.Bytes()), nil
}

// check refuses what a reader would refuse, before it is written.
func check(e Event) error {
	switch {
	case !ValidOperation(e.Operation):
		return fmt.Errorf("record: operation %q is not a lower_snake name", e.Operation)
	case !e.Outcome.Valid():
		return fmt.Errorf("record: unknown outcome %q", e.Outcome)
	case e.ID == "":
		return fmt.Errorf("record: the event has no id")
	case e.Timestamp.IsZero():
		return fmt.Errorf("record: the event has no timestamp")
	case len(e.Details) > 0 && !strings.HasPrefix(string(e.Details), "{"):
		return fmt.Errorf("record: details are not a JSON object")
	}
	return nil
}

// withDetail adds a key to a details object, in last place.
func withDetail(details json.RawMessage, key string, value any) (json.RawMessage, error) {
	v, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode detail %q: %w", key, err)
	}
	body := bytes.TrimSuffix(bytes.TrimSpace(details), []byte("}"))
	if len(body) == 0 {
		body = []byte("{")
	}
	sep := ","
	if len(bytes.TrimSpace(body)) == 1 {
		sep = ""
	}
	return fmt.Appendf(nil, "%s%s%q:%s}", body, sep, key, v), nil
}
