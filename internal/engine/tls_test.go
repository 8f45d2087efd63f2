package engine

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/docker/cli/cli/config"

	"github.com/contextcore/ccdestroy/internal/lab/certs"
)

// server is an engine that counts what it is asked.
type server struct {
	*httptest.Server
	asked atomic.Int64
}

// serve starts one: in the clear without an authority, else with its certificate,
// and asking clients for one where they must have it.
func serve(t *testing.T, a *certs.Authority, clients tls.ClientAuthType) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.asked.Add(1)
		w.Header().Set("Api-Version", "1.47")
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if a == nil {
		s.Start()
	} else {
		s.TLS = a.Server(t, clients)
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s
}

// The variables of TLS mean what they mean to the Docker CLI: with one of
// DOCKER_TLS and DOCKER_TLS_VERIFY nothing is ever said in the clear.
func TestTLS(t *testing.T) {
	ours, theirs := certs.New(t), certs.New(t)
	plain, open, closed := serve(t, nil, 0), serve(t, &ours, tls.NoClientCert), serve(t, &ours, tls.RequireAndVerifyClientCert)
	none, ca, all, wrong := t.TempDir(), ours.Dir(t, false), ours.Dir(t, true), theirs.Dir(t, true)
	const verify, on = "DOCKER_TLS_VERIFY", "DOCKER_TLS"
	for name, c := range map[string]struct {
		server *server
		config string // ~/.docker
		env    map[string]string
		says   string // "" is success
	}{
		"nothing set":                           {plain, none, nil, ""},
		"nothing set, with certificates":        {plain, all, nil, ""},
		"certificates alone are no wish":        {plain, none, map[string]string{"DOCKER_CERT_PATH": all}, ""},
		"verify without certificates":           {plain, none, map[string]string{verify: "1"}, "ca.pem"},
		"tls without certificates":              {plain, none, map[string]string{on: "1"}, "ca.pem"},
		"verify, and the engine is plain":       {plain, all, map[string]string{verify: "1"}, "HTTP response to HTTPS client"},
		"tls, and the engine is plain":          {plain, all, map[string]string{on: "1"}, "HTTP response to HTTPS client"},
		"verify, ~/.docker":                     {open, ca, map[string]string{verify: "1"}, ""},
		"verify is on, whatever it says":        {open, ca, map[string]string{verify: "0"}, ""},
		"verify, a directory":                   {open, none, map[string]string{verify: "1", "DOCKER_CERT_PATH": ca}, ""},
		"verify, a directory that is not there": {open, ca, map[string]string{verify: "1", "DOCKER_CERT_PATH": "/nowhere"}, "/nowhere/ca.pem"},
		"verify, another authority":             {open, wrong, map[string]string{verify: "1"}, "certificate"},
		"tls does not verify":                   {open, wrong, map[string]string{on: "1"}, ""},
		"both verify":                           {open, wrong, map[string]string{on: "1", verify: "1"}, "certificate"},
		"the client has one":                    {closed, all, map[string]string{verify: "1"}, ""},
		"the client has none":                   {closed, ca, map[string]string{verify: "1"}, "certificate required"},
		"the client has another's":              {closed, none, map[string]string{on: "1", "DOCKER_CERT_PATH": wrong}, "certificate"},
		"plain, and the engine is not":          {open, all, nil, "HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			before := config.Dir()
			config.SetDir(c.config)
			defer config.SetDir(before)
			address := "tcp://" + c.server.Listener.Addr().String()
			for _, host := range []string{address, ""} { // by -H, by the variable
				before := plain.asked.Load()
				env := func(name string) string {
					if name == "DOCKER_HOST" && host == "" {
						return address
					}
					return c.env[name]
				}
				client, err := Connect(Address{Host: host, Env: env})
				if err == nil {
					defer client.Close()
					err = client.ready(context.Background())
				}
				if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
					t.Errorf("%v", err)
				}
				if len(c.env) > 0 && (c.env[on] != "" || c.env[verify] != "") && plain.asked.Load() != before {
					t.Error("it was spoken in the clear")
				}
			}
		})
	}
}

// The default address and port follow from TLS, as the Docker CLI has it.
func TestAddresses(t *testing.T) {
	ours := certs.New(t)
	before := config.Dir()
	config.SetDir(ours.Dir(t, false))
	defer config.SetDir(before)
	for _, c := range []struct{ host, verify, want string }{
		{"", "", "unix:///var/run/docker.sock"},
		{"", "1", "tcp://localhost:2376"},
		{"example", "", "tcp://example:2375"},
		{"tcp://example", "1", "tcp://example:2375"}, // whoever names a host names its port
		{"tcp://example:1", "1", "tcp://example:1"},
		{"tcp://user:pass@example:1", "", "tcp://example:1"},
		{"unix:///x.sock", "1", "unix:///x.sock"},
		{"ssh://user@example", "1", "ssh://example"},
	} {
		client, err := Connect(Address{Host: c.host, Env: func(name string) string { return map[string]string{"DOCKER_TLS_VERIFY": c.verify}[name] }})
		if err != nil || client.host != c.want {
			t.Errorf("%q: %v, %+v", c.host, err, client)
		}
	}
	if _, err := Connect(Address{Host: "ftp://x", Env: func(string) string { return "" }}); err == nil || !strings.Contains(err.Error(), "ftp://x") {
		t.Error(err)
	}
}
