package e2e

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// proxy stands between a client and the real engine, at an address that is not
// of this host's, and can spoil what the engine's archive API sends.
type proxy struct {
	*httptest.Server
	cutAfter atomic.Int64 // bytes of an archive, after which the connection ends; 0 is never
	stall    atomic.Bool  // archives do not come before stall is false again
	waiting  atomic.Int64 // how many stall now
	archives atomic.Int64 // how many were asked for
}

func newProxy(t testing.TB) *proxy {
	t.Helper()
	socket := strings.TrimPrefix(engineHost(), "unix://")
	p := &proxy{}
	rp := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "docker"})
	rp.FlushInterval = -1
	rp.ErrorLog = log.New(io.Discard, "", 0) // clients that are killed are no news
	rp.Transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
		DisableCompression: true,
	}
	rp.ModifyResponse = func(r *http.Response) error {
		if n := p.cutAfter.Load(); n > 0 && isArchive(r.Request) {
			r.Body = &cut{r.Body, n}
		}
		return nil
	}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isArchive(r) {
			p.archives.Add(1)
			p.waiting.Add(1)
			for p.stall.Load() && r.Context().Err() == nil {
				waitABit()
			}
			p.waiting.Add(-1)
		}
		rp.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		p.stall.Store(false)
		p.CloseClientConnections()
		p.Close()
	})
	return p
}

func isArchive(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/archive")
}

func (p *proxy) host() string { return "tcp://" + strings.TrimPrefix(p.URL, "http://") }

// cut ends a body after some bytes, as if it were whole.
type cut struct {
	io.ReadCloser
	left int64
}

func (c *cut) Read(b []byte) (int, error) {
	if c.left <= 0 {
		return 0, io.EOF
	}
	n, err := c.ReadCloser.Read(b[:min(int64(len(b)), c.left)])
	c.left -= int64(n)
	return n, err
}
