package otlp

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// FromVariables is the address that stands for the one in the OTEL_EXPORTER_OTLP_
// variables.
const FromVariables = "env"

// standard is the address where no variable says another, as the standard has it.
const standard = "http://localhost:4318"

// logsPath is below an address that is for all signals.
const logsPath = "/v1/logs"

// dialLimit is how long it may take to reach a receiver, and answerLimit how long it
// may take to answer where no variable says otherwise: the standard's 10 s.
const (
	dialLimit   = 5 * time.Second
	answerLimit = 10 * time.Second
)

// Endpoint takes log records. It is a store.Sink. Its methods may be called at once.
type Endpoint struct {
	// Note tells of what the receiver did not take and will not take later either; nil
	// tells nobody.
	Note func(text string)

	url     *url.URL
	headers http.Header // secrets: nothing shows them
	plain   bool        // not compressed
	client  *http.Client
}

// Open makes an endpoint, without talking to it. address is a URL or FromVariables;
// headersFile, where it is not "", holds the headers in place of the variables. It
// takes from getenv what the exporters of OpenTelemetry's SDKs take, and HTTPS_PROXY and
// its kind from this process.
func Open(address, headersFile string, getenv func(string) string) (*Endpoint, error) {
	v := variables{getenv}
	at, err := v.endpoint()
	if address == FromVariables {
		if protocol, name := v.get("PROTOCOL"); err == nil && protocol == "grpc" {
			err = fmt.Errorf("%s is grpc, and logs are sent over HTTP", name)
		}
	} else {
		at, err = parseAddress(address, logsPath)
	}
	if err != nil {
		return nil, err
	}
	e := &Endpoint{url: at}
	if e.headers, err = v.headers(at); headersFile != "" {
		e.headers, err = readHeaders(headersFile)
	}
	if err != nil {
		return nil, err
	}
	compression, _ := v.get("COMPRESSION")
	e.plain = compression == "none"
	limit, err := v.timeout()
	if err != nil {
		return nil, err
	}
	trust, err := v.trust()
	if err != nil {
		return nil, err
	}
	dial := net.Dialer{Timeout: dialLimit}
	e.client = &http.Client{
		Timeout: limit,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dial.DialContext, TLSHandshakeTimeout: dialLimit, TLSClientConfig: trust,
			IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		},
		// The headers are for this server, and for no other one that it names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return e, nil
}

// Name is part of store.Sink: the address that is posted to.
func (e *Endpoint) Name() string { return e.url.String() }

// Bare reports whether headers go over the network as they are.
func (e *Endpoint) Bare() bool {
	host := e.url.Hostname()
	ip := net.ParseIP(host)
	return len(e.headers) > 0 && e.url.Scheme == "http" && host != "localhost" && !(ip != nil && ip.IsLoopback())
}

// parseAddress reads the address of a receiver, below which path is posted to, unless
// it ends so.
func parseAddress(text, path string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err == nil && u.User != nil:
		return nil, fmt.Errorf("an address has no user info, since it is shown: put it into a header")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%q is not an address of a receiver: https://HOST[:PORT]", text)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	if !strings.HasSuffix(u.Path, path) {
		u.Path += path
	}
	u.Path = cmp.Or(u.Path, "/")
	return u, nil
}

// variables are those of OpenTelemetry's exporters: one for logs is stronger than
// that for all signals.
type variables struct{ getenv func(string) string }

func (v variables) get(what string) (text, name string) {
	for _, name := range []string{"OTEL_EXPORTER_OTLP_LOGS_" + what, "OTEL_EXPORTER_OTLP_" + what} {
		if text := v.getenv(name); text != "" {
			return text, name
		}
	}
	return "", ""
}

// endpoint is the address that they name, or the standard one.
func (v variables) endpoint() (u *url.URL, err error) {
	text, name := v.get("ENDPOINT")
	if name == "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT" {
		u, err = parseAddress(text, "") // posted to as it is
	} else {
		u, err = parseAddress(cmp.Or(text, standard), logsPath)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return u, nil
}

// headers are those that they hold, where they are meant for this server.
func (v variables) headers(at *url.URL) (http.Header, error) {
	text, name := v.get("HEADERS")
	if _, named := v.get("ENDPOINT"); named != "" {
		if meant, err := v.endpoint(); err != nil || origin(meant) != origin(at) {
			return nil, nil
		}
	}
	h, err := parseHeaders(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return h, nil
}

// origin is which server it is.
func origin(u *url.URL) string {
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

func (v variables) timeout() (time.Duration, error) {
	text, name := v.get("TIMEOUT")
	if text == "" {
		return answerLimit, nil
	}
	ms, err := strconv.ParseUint(text, 10, 31)
	if err != nil || ms == 0 {
		return 0, fmt.Errorf("%s: %q is not a number of milliseconds", name, text)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// trust is which authorities count, and which certificate is ours.
func (v variables) trust() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if file, name := v.get("CERTIFICATE"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: %q holds no certificate in PEM", name, file)
		}
	}
	cert, name := v.get("CLIENT_CERTIFICATE")
	key, keyName := v.get("CLIENT_KEY")
	switch {
	case cert == "" && key == "":
		return c, nil
	case cert == "" || key == "":
		return nil, errors.New(cmp.Or(name, keyName) + ": a certificate of a client and its key belong together")
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}
