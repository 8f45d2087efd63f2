package engine

import (
	"context"
	"net"
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
