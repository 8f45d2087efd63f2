package otlp

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/transport"
)

// FromVariables is the address that stands for the one in the OTEL_EXPORTER_OTLP_
// variables.
const FromVariables = "env"

// standard is the default address of the OTLP standard.
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
	// Note is told what the receiver has rejected for good. It may be nil.
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
	at, err := v.address(address)
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
	reach := transport.New(dialLimit)
	reach.ForceAttemptHTTP2 = true
	if err := v.trust(reach.TLSClientConfig); err != nil {
		return nil, err
	}
	e.client = &http.Client{
		Timeout:   limit,
		Transport: reach,
		// The headers are for this server, and for no other one that it names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return e, nil
}

// Name is part of store.Sink: the address that is posted to.
func (e *Endpoint) Name() string { return e.url.String() }

// Bare reports whether headers go over the network unencrypted.
func (e *Endpoint) Bare() bool {
	host := e.url.Hostname()
	ip := net.ParseIP(host)
	return len(e.headers) > 0 && e.url.Scheme == "http" && host != "localhost" && !(ip != nil && ip.IsLoopback())
}

// parseAddress reads the address of a receiver, and appends path unless it ends with that.
func parseAddress(text, path string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case strings.ContainsAny(text, "@?#"): // whatever url.Parse makes of it
		return nil, errors.New("an address has no user info and no parameters, since it is shown: put secrets into a header")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, fmt.Errorf("%q is not an address of a receiver: https://HOST[:PORT]", text)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	if !strings.HasSuffix(u.Path, path) {
		u.Path += path
	}
	u.Path = cmp.Or(u.Path, "/")
	return u, nil
}
