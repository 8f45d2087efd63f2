package otlp

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// headersLimit is how large a file of headers may be.
const headersLimit = 64 << 10

// readHeaders reads NAME: VALUE lines; empty ones and those that begin with # say
// nothing. Errors name the line, and nothing that is in it.
func readHeaders(file string) (http.Header, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, headersLimit+1))
	if err != nil {
		return nil, err
	}
	if len(data) > headersLimit {
		return nil, fmt.Errorf("%s: it is larger than %d KiB", file, headersLimit>>10)
	}
	h := http.Header{}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		if !add(h, name, value) {
			return nil, fmt.Errorf("%s:%d: NAME: VALUE is wanted", file, n)
		}
	}
	return h, nil
}

// parseHeaders reads the list in a variable: NAME=VALUE,NAME=VALUE, with %XX for
// what cannot stand there.
func parseHeaders(text string) (http.Header, error) {
	h := http.Header{}
	n := 0
	for part := range strings.SplitSeq(text, ",") {
		n++
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		plain, err := url.PathUnescape(strings.TrimSpace(value))
		if err != nil || !add(h, name, plain) {
			return nil, fmt.Errorf("NAME=VALUE is wanted, and %%XX for what cannot stand in a value: number %d of the list is not that", n)
		}
	}
	return h, nil
}

// add adds a header, and reports whether it is one.
func add(h http.Header, name, value string) bool {
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if value == "" || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
		return false
	}
	h.Add(name, value)
	return true
}
