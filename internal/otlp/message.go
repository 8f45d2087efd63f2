package otlp

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// The messages of OTLP in their JSON encoding, as far as logs need them: integers of
// 64 bits are strings, and enumerations numbers.
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding

type exportRequest struct {
	ResourceLogs []resourceLogs `json:"resourceLogs"`
}

type resourceLogs struct {
	Resource  resource    `json:"resource"`
	ScopeLogs []scopeLogs `json:"scopeLogs"`
}

type resource struct {
	Attributes attributes `json:"attributes"`
}

type scopeLogs struct {
	Scope      scope       `json:"scope"`
	LogRecords []logRecord `json:"logRecords"`
}

type scope struct {
	Name string `json:"name"`
}

type logRecord struct {
	Time           string     `json:"timeUnixNano"`
	ObservedTime   string     `json:"observedTimeUnixNano"`
	SeverityNumber int        `json:"severityNumber"`
	SeverityText   string     `json:"severityText"`
	Body           *value     `json:"body,omitempty"`
	Attributes     attributes `json:"attributes"`
	EventName      string     `json:"eventName"`
}

// value has one of its fields.
type value struct {
	String *string `json:"stringValue,omitempty"`
	Int    *string `json:"intValue,omitempty"`
	Array  *array  `json:"arrayValue,omitempty"`
}

type array struct {
	Values []value `json:"values"`
}

type attribute struct {
	Key   string `json:"key"`
	Value value  `json:"value"`
}

type attributes []attribute

// text adds an attribute, unless it says nothing.
func (a *attributes) text(key, text string) {
	if text != "" {
		*a = append(*a, attribute{key, textValue(text)})
	}
}

func (a *attributes) number(key string, n int64) {
	text := strconv.FormatInt(n, 10)
	*a = append(*a, attribute{key, value{Int: &text}})
}

func (a *attributes) list(key string, list []string) {
	values := make([]value, 0, len(list))
	for _, text := range list {
		values = append(values, textValue(text))
	}
	*a = append(*a, attribute{key, value{Array: &array{values}}})
}

func textValue(text string) value { return value{String: &text} }

// nanoseconds is a time since 1970; 0, which is "unknown", for one that does not fit.
func nanoseconds(t time.Time) string {
	if year := t.UTC().Year(); year < 1970 || year > 2261 {
		return "0"
	}
	return strconv.FormatInt(t.UnixNano(), 10)
}

// encode is the message as it is posted, before compression.
func (r exportRequest) encode() []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		panic(err) // texts and numbers
	}
	return out.Bytes()
}

// exportResponse is what a receiver answers.
type exportResponse struct {
	Partial struct {
		Rejected json.Number `json:"rejectedLogRecords"`
		Message  string      `json:"errorMessage"`
	} `json:"partialSuccess"`
}

// status is what a receiver answers when it takes nothing.
type status struct {
	Message string `json:"message"`
}
