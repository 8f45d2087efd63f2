// Package transport reaches servers over HTTP, whatever they are for (object storage, a
// Collector), tries them again, and cuts short what they say of a failure.
package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// New reaches servers through the proxy that the environment names, and with no TLS
// older than 1.2. dial bounds how long it takes to reach one, and then to agree on TLS.
func New(dial time.Duration) *http.Transport {
	d := net.Dialer{Timeout: dial, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: d.DialContext, TLSHandshakeTimeout: dial, IdleConnTimeout: time.Minute,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// Authorities are those in the file that a variable names, in PEM, which are trusted
// in place of the system's.
func Authorities(variable, file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", variable, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: %q holds no certificate in PEM", variable, file)
	}
	return pool, nil
}

// Cause is why a server was not reached, without its address, which is long.
func Cause(err error) error {
	var network *url.Error
	if errors.As(err, &network) {
		return network.Err
	}
	return err
}

// Clip is as much of what a server says as is shown, at most so many bytes of UTF-8.
func Clip(text string, most int) string {
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}
