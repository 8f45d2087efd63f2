package otlp

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/transport"
)

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

// address is the one that is given, or where it is FromVariables theirs.
func (v variables) address(given string) (*url.URL, error) {
	if given != FromVariables {
		return parseAddress(given, logsPath)
	}
	if protocol, name := v.get("PROTOCOL"); protocol == "grpc" {
		return nil, fmt.Errorf("%s is grpc, and logs are sent over HTTP", name)
	}
	return v.endpoint()
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

// headers are those in the variables, unless the variables name another server.
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

// trust reads which authorities to trust, and the certificate to show to the server.
func (v variables) trust(c *tls.Config) (err error) {
	if file, name := v.get("CERTIFICATE"); file != "" {
		if c.RootCAs, err = transport.Authorities(name, file); err != nil {
			return err
		}
	}
	cert, name := v.get("CLIENT_CERTIFICATE")
	key, keyName := v.get("CLIENT_KEY")
	switch {
	case cert == "" && key == "":
		return nil
	case cert == "" || key == "":
		return errors.New(cmp.Or(name, keyName) + ": a certificate of a client and its key belong together")
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c.Certificates = []tls.Certificate{pair}
	return nil
}
