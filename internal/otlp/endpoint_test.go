package otlp

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An address by hand is stronger than the variables, which count where it says so.
func TestOpen(t *testing.T) {
	const all, logs = "OTEL_EXPORTER_OTLP_ENDPOINT=", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="
	for _, c := range []struct {
		address string
		environ []string
		want    string
	}{
		{"https://c:4318", nil, "https://c:4318/v1/logs"},
		{"https://c:4318/", nil, "https://c:4318/v1/logs"},
		{"https://c/otlp", nil, "https://c/otlp/v1/logs"},
		{"http://[::1]:4318/v1/logs", nil, "http://[::1]:4318/v1/logs"},
		{"https://c:4318", []string{all + "https://other", logs + "://"}, "https://c:4318/v1/logs"},
		{"env", nil, "http://localhost:4318/v1/logs"},
		{"env", []string{all + "https://c/x/"}, "https://c/x/v1/logs"},
		{"env", []string{all + "https://c/x/", logs + "https://logs/in"}, "https://logs/in"},
		{"env", []string{logs + "https://logs"}, "https://logs/"},
		{"env", []string{"OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/protobuf", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, "http://localhost:4318/v1/logs"},
	} {
		if e, err := Open(c.address, "", lookup(c.environ...)); err != nil || e.Name() != c.want {
			t.Errorf("%s with %q: %v, %v", c.address, c.environ, e, err)
		}
	}
}

// What cannot be is named; what is secret is not.
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	empty := file("empty.pem", "")
	for _, c := range []struct {
		address, headers string
		environ          []string
		want             string
	}{
		{"collector:4318", "", nil, `"collector:4318" is not an address of a receiver: https://HOST[:PORT]`},
		{"ftp://c", "", nil, "not an address"},
		{"https://", "", nil, "not an address"},
		{"https://:4318", "", nil, "not an address"},
		{"https://c?key=hush", "", nil, "put secrets into a header"},
		{"https://c#hush", "", nil, "put secrets into a header"},
		{"https://hush:hush@c", "", nil, "put secrets into a header"},
		{"https://hush:hu sh@c", "", nil, "put secrets into a header"},
		{"env", "", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=c:4317"}, `OTEL_EXPORTER_OTLP_ENDPOINT: "c:4317" is not an address`},
		{"env", "", []string{"OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL is grpc"},
		{"https://c", "", []string{"OTEL_EXPORTER_OTLP_HEADERS=a=b,hush"}, "OTEL_EXPORTER_OTLP_HEADERS: NAME=VALUE is wanted, and %XX for what cannot stand in a value: number 2"},
		{"https://c", "", []string{"OTEL_EXPORTER_OTLP_LOGS_HEADERS=a=hush%"}, "number 1"},
		{"https://c", "", []string{"OTEL_EXPORTER_OTLP_LOGS_HEADERS=a=hush%0aX: y"}, "number 1"},
		{"https://c", "", []string{"OTEL_EXPORTER_OTLP_TIMEOUT=10s"}, `OTEL_EXPORTER_OTLP_TIMEOUT: "10s" is not a number of milliseconds`},
		{"https://c", "", []string{"OTEL_EXPORTER_OTLP_CERTIFICATE=/nonexistent"}, "OTEL_EXPORTER_OTLP_CERTIFICATE: open /nonexistent"},
		{"https://c", "", []string{"OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE=" + empty}, "holds no certificate in PEM"},
		{"https://c", "", []string{"OTEL_EXPORTER_OTLP_CLIENT_KEY=" + empty}, "OTEL_EXPORTER_OTLP_CLIENT_KEY: a certificate of a client and its key belong together"},
		{"https://c", "", []string{"OTEL_EXPORTER_OTLP_CLIENT_KEY=" + empty, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=" + empty}, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: "},
		{"https://c", "/nonexistent", nil, "open /nonexistent"},
		{"https://c", file("a", "A: b\n\nhush\n"), nil, "/a:3: NAME: VALUE is wanted"},
		{"https://c", file("b", "a b: hush"), nil, "/b:1: NAME: VALUE is wanted"},
		{"https://c", file("c", strings.Repeat("A: hush\n", 10_000)), nil, "it is larger than 64 KiB"},
	} {
		_, err := Open(c.address, c.headers, lookup(c.environ...))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s with %q: %v, want %q", c.address, c.environ, err, c.want)
		}
	}
}

// Headers of the variables go to the server that the variables name, and to no other.
func TestHeadersAreMeant(t *testing.T) {
	const headers, all, logs = "OTEL_EXPORTER_OTLP_HEADERS=a=all", "OTEL_EXPORTER_OTLP_ENDPOINT=", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="
	for _, c := range []struct {
		address string
		environ []string
		want    string
	}{
		{"https://c:4318", []string{headers}, "all"},
		{"https://c:4318", []string{headers, "OTEL_EXPORTER_OTLP_LOGS_HEADERS=a=logs"}, "logs"},
		{"https://C", []string{headers, all + "https://c:443"}, "all"},
		{"https://c/x", []string{headers, logs + "https://c/y"}, "all"},
		{"http://c", []string{headers, all + "https://c"}, ""},
		{"https://c", []string{headers, all + "https://d"}, ""},
		{"https://c", []string{headers, all + "https://c", logs + "https://d"}, ""},
		{"https://c", []string{headers, all + "rubbish"}, ""},
		{"env", []string{headers, all + "https://d"}, "all"},
		{"env", []string{headers}, "all"},
	} {
		e, err := Open(c.address, "", lookup(c.environ...))
		if err != nil || e.headers.Get("A") != c.want {
			t.Errorf("%s with %q: %v", c.address, c.environ, err)
		}
	}
	for address, want := range map[string]bool{"http://c": true, "https://c": false, "http://localhost:4318": false, "http://127.0.0.1": false, "http://[::1]": false, "http://10.0.0.1": true} {
		if e, err := Open(address, "", lookup(headers)); err != nil || e.Bare() != want {
			t.Errorf("%s: %v, %v", address, e.Bare(), err)
		}
	}
	if e, err := Open("http://c", "", lookup("OTEL_EXPORTER_OTLP_TIMEOUT=1500")); err != nil || e.Bare() || e.client.Timeout != 1500*time.Millisecond {
		t.Error(err)
	}
}
