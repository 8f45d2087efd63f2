package otlp

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/store"
)

// receiver is a strict one: it takes what the standard has and nothing else, and does
// with the n-th request, counted from 1, what it is told to.
type receiver struct {
	URL string

	t       testing.TB
	done    chan struct{}
	mu      sync.Mutex // guards what follows
	fault   func(n int, w http.ResponseWriter, r *http.Request) (handled bool)
	count   int
	records []logRecord
	headers http.Header // of the last request
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	c := &receiver{t: t, done: make(chan struct{})}
	server := httptest.NewServer(c)
	t.Cleanup(func() { close(c.done); server.CloseClientConnections(); server.Close() })
	c.URL = server.URL
	return c
}

func (c *receiver) set(fault func(n int, w http.ResponseWriter, r *http.Request) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault, c.count = fault, 0
}

func (c *receiver) requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

func (c *receiver) got() []logRecord {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.records
}

func (c *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.count++
	n, fault := c.count, c.fault
	c.headers = r.Header.Clone()
	c.mu.Unlock()
	if fault != nil && fault(n, w, r) {
		return
	}
	c.take(r)
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"partialSuccess":{}}`)
}

func (c *receiver) take(r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			c.t.Error(err)
			return
		}
		body = z
	}
	in := json.NewDecoder(body)
	in.DisallowUnknownFields()
	var got exportRequest
	if err := in.Decode(&got); err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/logs" || r.Header.Get("Content-Type") != "application/json" {
		c.t.Errorf("%s %s, %s: %v", r.Method, r.URL, r.Header.Get("Content-Type"), err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range got.ResourceLogs {
		c.records = append(c.records, l.ScopeLogs[0].LogRecords...)
	}
}

// hang answers nothing until the client gives up, or the test ends.
func (c *receiver) hang(_ int, _ http.ResponseWriter, r *http.Request) bool {
	_, _ = io.Copy(io.Discard, r.Body) // or the server does not see the client go
	select {
	case <-r.Context().Done():
	case <-c.done:
	}
	return true
}

// cut ends the connection without an answer.
func cut(_ int, w http.ResponseWriter, _ *http.Request) bool {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
	return true
}

// answers is an answer of these parts: headers, then the body.
func answers(status int, parts ...string) func(int, http.ResponseWriter, *http.Request) bool {
	return func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		for _, header := range parts[:max(0, len(parts)-1)] {
			name, value, _ := strings.Cut(header, ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		if len(parts) > 0 {
			_, _ = io.WriteString(w, parts[len(parts)-1])
		}
		return true
	}
}

// site is a log, and an endpoint it is sent to.
type site struct {
	t     *testing.T
	log   *audit.Log
	to    *Endpoint
	state string
	notes []string
}

func newSite(t *testing.T, url string, environ ...string) *site {
	t.Helper()
	s := &site{t: t, log: &audit.Log{Path: filepath.Join(t.TempDir(), "audit.jsonl")}, state: t.TempDir()}
	to, err := Open(url, "", lookup(environ...))
	if err != nil {
		t.Fatal(err)
	}
	s.to = to
	to.Note = func(text string) { s.notes = append(s.notes, text) }
	return s
}

// record appends n operations of one event.
func (s *site) record(n int, details string) {
	s.t.Helper()
	for range n {
		e := audit.Event{ID: ulid.Make().String(), Timestamp: time.Now(), Operation: audit.Destroy, Outcome: audit.Success, User: "ana", Details: json.RawMessage(details)}
		if _, err := s.log.Begin(s.t.Context(), e, 0); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *site) ship() (store.Shipped, error) {
	return (&store.Shipper{Log: s.log, Sink: s.to, State: s.state, Alone: true}).Ship(s.t.Context())
}

// each makes sure that the records are the lines of the log, each so often.
func (s *site) each(records []logRecord, times int) {
	s.t.Helper()
	want, seen := 0, map[string]int{}
	for _, r := range records {
		seen[uid(r)]++
	}
	if _, err := s.log.After(audit.Mark{}, func(e audit.Event, line []byte, m audit.Mark) error {
		want++
		if word := fmt.Sprintf("%s:%d:%s", e.Log, e.Seq, m.SHA256); seen[word] != times {
			s.t.Errorf("%s is there %d times, not %d", word, seen[word], times)
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	if len(seen) != want {
		s.t.Errorf("%d records of %d lines", len(seen), want)
	}
}

func uid(r logRecord) string { return texts(r)["log.record.uid"] }

// texts are the attributes of a record as texts.
func texts(r logRecord) map[string]string {
	out := map[string]string{}
	for _, a := range r.Attributes {
		switch v := a.Value; {
		case v.String != nil:
			out[a.Key] = *v.String
		case v.Int != nil:
			out[a.Key] = *v.Int
		case v.Array != nil:
			for _, one := range v.Array.Values {
				out[a.Key] += *one.String + ";"
			}
		}
	}
	return out
}

func lookup(environ ...string) func(string) string {
	return func(name string) string {
		for _, one := range environ {
			if value, is := strings.CutPrefix(one, name+"="); is {
				return value
			}
		}
		return ""
	}
}

// hasty makes waits short for a test.
func hasty(t *testing.T, attempts time.Duration) {
	was := patience
	patience.Limit, patience.First = attempts, time.Millisecond
	t.Cleanup(func() { patience = was })
}
