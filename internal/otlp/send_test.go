package otlp

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/certs"
)

type fault = func(n int, w http.ResponseWriter, r *http.Request) bool

// What passes is waited for, and each line is there. One whose answer was lost is
// there twice, with the same uid.
func TestPassingFaults(t *testing.T) {
	hasty(t, time.Minute)
	for name, c := range map[string]struct {
		fault func(c *receiver) fault
		times int
	}{
		"slow down":   {func(*receiver) fault { return answers(429, "Retry-After: 1", "") }, 1},
		"bad gateway": {func(*receiver) fault { return answers(502) }, 1},
		"unavailable": {func(*receiver) fault {
			return answers(503, "Retry-After: "+time.Now().UTC().Format(http.TimeFormat), "")
		}, 1},
		"gateway time-out": {func(*receiver) fault { return answers(504) }, 1},
		"cut":              {func(*receiver) fault { return cut }, 1},
		"hung":             {func(c *receiver) fault { return c.hang }, 1},
		"lost answer": {func(c *receiver) fault {
			return func(n int, w http.ResponseWriter, r *http.Request) bool {
				c.take(r)
				return cut(n, w, r)
			}
		}, 2},
	} {
		r := newReceiver(t)
		var environ []string
		if name == "hung" { // for the others a busy machine may take its time
			environ = []string{"OTEL_EXPORTER_OTLP_TIMEOUT=2000"}
		}
		s := newSite(t, r.URL, environ...)
		s.record(3, "")
		once := c.fault(r)
		r.set(func(n int, w http.ResponseWriter, req *http.Request) bool { return n == 1 && once(n, w, req) })
		if done, err := s.ship(); err != nil || done.Lines != 3 || r.requests() != 2 || len(s.notes) != 0 {
			t.Errorf("%s: %+v, %v, %d requests, %q", name, done, err, r.requests(), s.notes)
		}
		s.each(r.got(), c.times)
		if done, err := s.ship(); err != nil || done.Lines != 0 || r.requests() != 2 {
			t.Errorf("%s, again: %+v, %v", name, done, err)
		}
	}
}

// What does not pass is an error that says what it is, and nothing that is secret. It
// is tried once, or as long as there is time; the next call sends everything.
func TestLastingFaults(t *testing.T) {
	hasty(t, 300*time.Millisecond)
	long := strings.Repeat("x", textLength-5) // a secret behind it is cut through
	for want, c := range map[string]struct {
		fault fault
		once  bool
	}{
		"400 Bad Request: no such field":          {answers(400, "Content-Type: application/json", `{"code":3,"message":"no such field"}`), false},
		"401 Unauthorized: who is ***?":           {answers(401, "Content-Type: text/plain; charset=utf-8", "who is hush-hush?\n"), true},
		"403 Forbidden: " + long + "*** y":        {answers(403, "Content-Type: text/plain", long+"hush-hush "+strings.Repeat("y", 1000)), true},
		"409 Conflict: " + long + "***yy":         {answers(409, "Content-Type: application/json", `{"message":"`+long+"hush-hush"+strings.Repeat("y", 1000)+`"}`), true},
		"404 Not Found":                           {answers(404, "Content-Type: text/html", "<h1>nothing</h1>"), true},
		"500 Internal Server Error":               {answers(500), true},
		"307 Temporary Redirect: to https://else": {answers(307, "Location: https://else", ""), true},
		"it sent a page":                          {answers(200, "Content-Type: text/html", "<h1>log in</h1>"), true},
		"it sent other JSON":                      {answers(200, "Content-Type: application/json", "[]"), true},
		"left alone for 1h0m0s":                   {answers(503, "Retry-After: 3600", ""), true},
		"502 Bad Gateway":                         {answers(502), false},
		"EOF":                                     {cut, false},
	} {
		r := newReceiver(t)
		s := newSite(t, r.URL, "OTEL_EXPORTER_OTLP_HEADERS=api-key=Bearer%20hush-hush")
		s.record(2, "")
		r.set(c.fault)
		done, err := s.ship()
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "ship to "+r.URL+"/v1/logs") || done.Lines != 0 || (r.requests() == 1) != c.once {
			t.Errorf("%+v, %v, %d requests, want %q", done, err, r.requests(), want)
		}
		if said := fmt.Sprint(err, s.notes); strings.Contains(said, "hush") || strings.Contains(said, "yyy") || r.headers.Get("Api-Key") != "Bearer hush-hush" {
			t.Errorf("%v, %q", err, r.headers)
		}
		r.set(nil)
		if done, err := s.ship(); err != nil || done.Lines != 2 {
			t.Errorf("%+v, %v", done, err)
		}
		s.each(r.got(), 1)
	}
	s := newSite(t, "http://127.0.0.1:1")
	s.record(1, "")
	if _, err := s.ship(); err == nil || !strings.Contains(err.Error(), "ship to http://127.0.0.1:1/v1/logs: dial tcp 127.0.0.1:1: connect: connection refused") {
		t.Error(err)
	}
}

// However much a receiver says, little of it is shown, and no part of a secret.
func TestLongAnswers(t *testing.T) {
	hasty(t, 300*time.Millisecond)
	secret := strings.Repeat("hush", 100)
	for _, text := range []string{"unknown token " + secret, strings.Repeat("x", textLength-4) + secret, strings.Repeat("\u001b[2J", 1<<20)} {
		for name, answer := range map[string]fault{
			"plain": answers(403, "Content-Type: text/plain", text), "json": answers(403, "Content-Type: application/json", `{"message":"`+text+`"}`),
			"elsewhere": answers(307, "Location: https://else/"+text[:min(len(text), 1000)], ""), "no HTTP": badHeader(secret), "partial": answers(200, "Content-Type: application/json", `{"partialSuccess":{"errorMessage":"`+text+`"}}`),
		} {
			r := newReceiver(t)
			s := newSite(t, r.URL, "OTEL_EXPORTER_OTLP_HEADERS=api-key="+secret)
			s.record(1, "")
			r.set(answer)
			_, err := s.ship()
			if said := fmt.Sprint(err, s.notes); strings.Contains(said, "hush") || len(said) > 2*textLength {
				t.Errorf("%s: %d bytes: %.900s", name, len(said), said)
			}
		}
	}
}

// badHeader answers with a line that is no header.
func badHeader(line string) fault {
	return func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\n"+line+"\r\n\r\n")
			conn.Close()
		}
		return true
	}
}

// What a receiver takes in part counts as sent, and is told: it would not take the
// rest another time.
func TestPartialSuccess(t *testing.T) {
	for answer, want := range map[string]string{
		`{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}`: "of 3 records: 2 rejected for good: too old",
		`{"partialSuccess":{"rejectedLogRecords":1}}`:                            "of 3 records: 1 rejected for good",
		`{"partialSuccess":{"errorMessage":"slow down, please"}}`:                "of 3 records: slow down, please",
		`{}`: "", "": "", `{"partialSuccess":{"rejectedLogRecords":"0"}}`: "",
	} {
		r := newReceiver(t)
		s := newSite(t, r.URL)
		s.record(3, "")
		r.set(answers(200, "Content-Type: application/json", answer))
		if want != "" {
			want = r.URL + "/v1/logs: " + want
		}
		if done, err := s.ship(); err != nil || done.Lines != 3 || strings.Join(s.notes, "") != want {
			t.Errorf("%s: %+v, %v, %q", answer, done, err, s.notes)
		}
		if done, err := s.ship(); err != nil || done.Lines != 0 || r.requests() != 1 {
			t.Errorf("again: %+v, %v", done, err)
		}
	}
}

// A message that does not fit goes in parts, an event that is, without its body; and
// one whose attributes alone do not is an error.
func TestTooLarge(t *testing.T) {
	const limit = 20_000
	r := newReceiver(t)
	s := newSite(t, r.URL, "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION=none")
	r.set(func(_ int, w http.ResponseWriter, req *http.Request) bool {
		return req.ContentLength > limit && answers(413)(0, w, req)
	})
	s.record(60, "")
	s.record(1, `{"reason":"big","x":"`+strings.Repeat("x", limit)+`"}`)
	s.record(20, "")
	if done, err := s.ship(); err != nil || done.Lines != 81 {
		t.Errorf("%+v, %v", done, err)
	}
	s.each(r.got(), 1)
	for i, got := range r.got() {
		if (got.Body == nil) != (i == 60) {
			t.Errorf("body of %d: %v", i, got.Body)
		}
	}
	if big := r.got()[60]; texts(big)["ccdestroy.reason"] != "big" || len(s.notes) != 1 || !strings.Contains(s.notes[0], "took event 61 of log") {
		t.Errorf("%v, %q", texts(big), s.notes)
	}
	s.record(1, "")
	s.record(1, `{"reason":"`+strings.Repeat("x", limit)+`"}`)
	if done, err := s.ship(); err == nil || !strings.Contains(err.Error(), ": event 83 of log ") || !strings.Contains(err.Error(), "413 Request Entity Too Large") || done.Lines != 1 {
		t.Errorf("%+v, %v", done, err)
	}
}

// Bodies are compressed unless a variable says otherwise, and headers come from the
// file where one is named.
func TestHeaders(t *testing.T) {
	r := newReceiver(t)
	file := filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(file, []byte("# ours\n\nAuthorization: Bearer a=b\nX-Scope-OrgID:  shop \nContent-Type: text/plain\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := Open(r.URL+"/", file, lookup("OTEL_EXPORTER_OTLP_HEADERS=authorization=other,x-more=1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	h := r.headers
	if h.Get("Authorization") != "Bearer a=b" || h.Get("X-Scope-Orgid") != "shop" || h.Get("X-More") != "" || h.Get("Content-Encoding") != "gzip" || h.Get("User-Agent") != "ccdestroy" {
		t.Errorf("%q", h)
	}
	if len(r.got()) != 0 {
		t.Errorf("%+v", r.got())
	}
}

// An authority of one's own, and a certificate of the client's.
func TestTLS(t *testing.T) {
	hasty(t, 5*time.Second)
	authority := certs.New(t)
	server := httptest.NewUnstartedServer(newReceiver(t))
	server.TLS = authority.Server(t, tls.RequireAndVerifyClientCert)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	dir := authority.Dir(t, true)
	ca := "OTEL_EXPORTER_OTLP_CERTIFICATE=" + filepath.Join(dir, "ca.pem")
	for want, environ := range map[string][]string{
		"":                         {ca, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=" + filepath.Join(dir, "cert.pem"), "OTEL_EXPORTER_OTLP_CLIENT_KEY=" + filepath.Join(dir, "key.pem")},
		"certificate required":     {ca},
		"signed by unknown author": nil,
	} {
		e, err := Open(server.URL, "", lookup(environ...))
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Probe(t.Context()); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
