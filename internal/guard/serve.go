package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Name is that of the plugin, by which the engine finds its socket.
const Name = "ccdestroy"

// Socket is where the engine looks for it.
const Socket = "/run/docker/plugins/" + Name + ".sock"

// firstActivated is the first descriptor that systemd hands down.
const firstActivated = 3

// Listen takes the socket that systemd hands down, if it does, or makes one.
//
// https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html
func Listen(path string, getenv func(string) string) (net.Listener, error) {
	if getenv("LISTEN_PID") == strconv.Itoa(os.Getpid()) && getenv("LISTEN_FDS") == "1" {
		f := os.NewFile(firstActivated, "systemd's socket")
		defer f.Close()
		return net.FileListener(f)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if answers(path) {
		return nil, fmt.Errorf("%s: another guard answers there", path)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 { // of a guard that was killed
		_ = os.Remove(path)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	return l, os.Chmod(path, 0o600)
}

// client talks to the guard at a socket.
func client(path string) *http.Client {
	return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
	}}
}

// answers reports whether a guard answers at a socket.
func answers(path string) bool {
	const harmless = `{"RequestMethod":"GET","RequestUri":"/_ping"}`
	r, err := client(path).Post("http://guard/AuthZPlugin.AuthZReq", contentType, strings.NewReader(harmless))
	if err != nil {
		return false
	}
	defer r.Body.Close()
	return r.StatusCode == http.StatusOK
}

// endLimit is how long calls that the engine is carrying out may take to end when the guard
// is to stop. Others are settled by the next one.
const endLimit = 10 * time.Second

// Serve answers the engine until ctx ends.
func (g *Guard) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: g.Handler(), ReadHeaderTimeout: 10 * time.Second}
	g.hurry = make(chan struct{}, 1)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	go g.Settle(ctx)
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	for begun := time.Now(); g.atWork() && time.Since(begun) < endLimit; {
		time.Sleep(50 * time.Millisecond)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
	defer cancel()
	return errors.Join(server.Shutdown(last), ignoreClosed(<-ended))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (g *Guard) atWork() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.open) > 0
}

// Watchdog tells systemd that the guard answers, as often as systemd wants to know:
// it ends one that does not, and starts another.
//
// https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
func Watchdog(ctx context.Context, path string, getenv func(string) string) {
	micros, err := strconv.Atoi(getenv("WATCHDOG_USEC"))
	if err != nil || micros <= 0 || getenv("NOTIFY_SOCKET") == "" {
		return
	}
	for {
		if answers(path) {
			if c, err := net.Dial("unixgram", getenv("NOTIFY_SOCKET")); err == nil {
				_, _ = c.Write([]byte("WATCHDOG=1"))
				c.Close()
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(micros) * time.Microsecond / 3):
		}
	}
}
