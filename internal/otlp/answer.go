package otlp

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// answerLength is how much of an answer is read, and textLength how much of what it
// says is shown.
const (
	answerLength = 64 << 10
	textLength   = 200
)

// refusal is an answer that takes nothing.
type refusal struct {
	status int
	text   string        // the receiver's own words, or ""
	after  time.Duration // Retry-After; 0 where there is none
}

func (r *refusal) Error() string {
	text := fmt.Sprintf("%d %s", r.status, http.StatusText(r.status))
	if r.text != "" {
		text += ": " + r.text
	}
	if r.after > 0 {
		text += fmt.Sprintf(" (it wants to be left alone for %s)", r.after.Round(time.Second))
	}
	return text
}

// isUnfit reports whether a message with less in it may be taken. 413 says that it is
// too large; the Collector says 400 then, as of any message that it cannot read.
func isUnfit(err error) bool {
	var r *refusal
	return errors.As(err, &r) && (r.status == http.StatusRequestEntityTooLarge || r.status == http.StatusBadRequest)
}

// passing reports whether an error may be gone at the next attempt, and after how long at
// least. The statuses are those of the OTLP standard.
func passing(err error) (again bool, after time.Duration) {
	var r *refusal
	var cert *tls.CertificateVerificationError
	var alert tls.AlertError
	var other *notOTLPError
	switch {
	case errors.As(err, &r):
		return slices.Contains([]int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, r.status), r.after
	case errors.As(err, &cert), errors.As(err, &alert), errors.As(err, &other):
		return false, 0
	}
	return true, 0 // it was not reached, or its answer was lost
}

// notOTLPError says that something else answered.
type notOTLPError struct{ kind string }

func (e *notOTLPError) Error() string {
	return "what answers takes no logs over OTLP: it sent " + e.kind
}

// answered reads an answer.
func answered(resp *http.Response) (partial string, err error) {
	data, err := io.ReadAll(io.LimitReader(resp.Body, answerLength))
	if err != nil {
		return "", err
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return "", &refusal{resp.StatusCode, saying(resp, kind, data), retryAfter(resp.Header.Get("Retry-After"))}
	}
	// A page that asks somebody to log in is no receiver.
	var answer exportResponse
	switch {
	case kind == "text/html":
		return "", &notOTLPError{"a page"}
	case kind != "application/json" || len(bytes.TrimSpace(data)) == 0:
		return "", nil
	case json.Unmarshal(data, &answer) != nil:
		return "", &notOTLPError{"other JSON"}
	}
	if n := answer.Partial.Rejected.String(); n != "" && n != "0" {
		return strings.TrimSuffix(n+" rejected for good: "+answer.Partial.Message, ": "), nil
	}
	return answer.Partial.Message, nil
}

// saying is what a receiver says of a refusal.
func saying(resp *http.Response, kind string, data []byte) string {
	var s status
	switch {
	case resp.StatusCode/100 == 3:
		return "to " + resp.Header.Get("Location")
	case kind == "application/json" && json.Unmarshal(data, &s) == nil:
		return s.Message
	case kind == "text/plain":
		return strings.TrimSpace(string(data))
	}
	return ""
}

// retryAfter reads seconds, or a date.
func retryAfter(text string) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(date))
	}
	return 0
}
