package s3lab

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
)

// Fault is what a Proxy does with a request instead of passing it on.
type Fault func(w http.ResponseWriter, r *http.Request, forward func() *http.Response)

// Proxy stands before a server and spoils what it is told to.
type Proxy struct {
	URL string

	t      testing.TB
	target *url.URL
	mu     sync.Mutex // guards what follows
	choose func(n int, r *http.Request) Fault
	count  int
	done   chan struct{}
}

// Before starts a proxy in front of a server, of whatever kind, at an address. choose
// says what becomes of the n-th request, counted from 1; nil passes it on.
func Before(t testing.TB, address string, choose func(n int, r *http.Request) Fault) *Proxy {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{t: t, target: target, choose: choose, done: make(chan struct{})}
	server := httptest.NewServer(p)
	t.Cleanup(func() { close(p.done); server.CloseClientConnections(); server.Close() })
	p.URL = server.URL
	return p
}

// Set changes what becomes of requests.
func (p *Proxy) Set(choose func(n int, r *http.Request) Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.choose, p.count = choose, 0
}

// Count is how many requests have come since Set.
func (p *Proxy) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// ServeHTTP is part of http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	p.mu.Lock()
	p.count++
	var fault Fault
	if p.choose != nil {
		fault = p.choose(p.count, r)
	}
	p.mu.Unlock()
	forward := func() *http.Response {
		out := r.Clone(r.Context())
		out.URL.Scheme, out.URL.Host, out.RequestURI, out.Body = p.target.Scheme, p.target.Host, "", io.NopCloser(bytes.NewReader(body))
		out.Host = r.Host // it is signed
		resp, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			return nil
		}
		return resp
	}
	if fault != nil {
		fault(w, r, forward)
		return
	}
	answer(w, forward())
}

func answer(w http.ResponseWriter, resp *http.Response) {
	if begin(w, resp) {
		defer resp.Body.Close()
		_, _ = io.Copy(w, resp.Body)
	}
}

// begin answers up to the body, and reports whether the server had an answer.
func begin(w http.ResponseWriter, resp *http.Response) bool {
	if resp == nil {
		w.WriteHeader(http.StatusBadGateway)
		return false
	}
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	return true
}

// Refuse answers as S3 does when it refuses.
func Refuse(status int, code string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>`+code+`</Code><Message>the lab says so</Message></Error>`)
	}
}

// Reset lets the request take effect, and cuts the connection before its answer.
func Reset(w http.ResponseWriter, _ *http.Request, forward func() *http.Response) {
	if resp := forward(); resp != nil {
		resp.Body.Close()
	}
	cut(w)
}

// Cut cuts the connection before the request takes effect.
func Cut(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) { cut(w) }

func cut(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}

// Hang answers nothing until the client gives up, or the test ends.
func (p *Proxy) Hang(_ http.ResponseWriter, r *http.Request, _ func() *http.Response) {
	select {
	case <-r.Context().Done():
	case <-p.done:
	}
}

// Dated passes the request on, and gives the answer another date.
func Dated(date string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, forward func() *http.Response) {
		resp := forward()
		if resp != nil {
			resp.Header.Set("Date", date)
		}
		answer(w, resp)
	}
}

// Stall passes the request on, and answers with half of the body, of which the rest
// never comes.
func Stall(w http.ResponseWriter, r *http.Request, forward func() *http.Response) {
	resp := forward()
	if !begin(w, resp) {
		return
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(w, resp.Body, resp.ContentLength/2)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}
