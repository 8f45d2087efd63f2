package engine

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/docker/docker/client"

	"github.com/contextcore/ccdestroy/internal/fault"
)

// An engine behind a socket that this account may not open runs: the remedy is
// not to start it.
func TestSocketWithoutPermission(t *testing.T) {
	for cause, says := range map[syscall.Errno]string{syscall.EACCES: "permission denied on the socket unix:///x", syscall.ECONNREFUSED: "does not answer at unix:///x"} {
		api, err := client.NewClientWithOpts(client.WithHost("unix:///x"), client.WithDialContext(func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", cause)}
		}))
		if err != nil {
			t.Fatal(err)
		}
		_, err = (&Client{api: api, host: "unix:///x"}).Describe(t.Context())
		f := fault.AsFault(err)
		if !strings.Contains(f.Error(), says) || strings.Contains(f.Try, "start the engine") == (cause == syscall.EACCES) {
			t.Errorf("%v: %v\nTry: %s", cause, f, f.Try)
		}
	}
}

// One empty answer, as an engine gives it that is reloading its plugins, does not
// make it an engine of another version.
func TestEmptyAnswer(t *testing.T) {
	answers := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answers++; answers > 1 {
			w.Header().Set("Api-Version", "1.47")
			_, _ = io.WriteString(w, `{"ID":"e"}`)
		}
	}))
	t.Cleanup(s.Close)
	api, err := client.NewClientWithOpts(client.WithHost("tcp://"+s.Listener.Addr().String()), client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Close() })
	c := &Client{api: api, host: s.URL}
	if _, err := c.Describe(t.Context()); err == nil || !strings.Contains(err.Error(), "its answer does not say which API it speaks") {
		t.Errorf("%v", err)
	}
	if e, err := c.Describe(t.Context()); err != nil || e.APIVersion != "1.47" {
		t.Errorf("%+v, %v", e, err)
	}
}
