package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/store"
)

// A project cannot say where records are sent, nor with which headers; what the
// machine enforces nobody changes; and nothing is sent that nobody asked for.
func TestOTLPTrust(t *testing.T) {
	need.Root(t)
	var mu sync.Mutex // guards headers
	var headers []string
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		headers = append(headers, r.Header.Get("Authorization"))
	}))
	t.Cleanup(receiver.Close)
	sent := func() string {
		mu.Lock()
		defer mu.Unlock()
		defer func() { headers = nil }()
		return strings.Join(slices.Compact(headers), " ") // the log takes two messages
	}
	f := settingsIn(t, project(t))
	event := []string{"record", "--operation", "x", "--outcome", "failed"}
	for _, text := range []string{"otlp: " + receiver.URL + "\n", "otlp-headers-file: x\n"} {
		put(t, f.project, text)
		refused(t, call(t, f.dir, nil, event...), f.project+":1", "a project may not set")
	}
	put(t, f.project, "")
	standard := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + receiver.URL, "OTEL_EXPORTER_OTLP_HEADERS=authorization=standard"}
	for _, c := range []struct {
		machine string
		environ []string
		args    []string
		want    string
	}{
		{"", standard, nil, ""},
		{"", append(standard, "CCDESTROY_OTLP=env"), nil, "standard"},
		{"", standard, []string{"--otlp", "env"}, "standard"},
		{"otlp: " + receiver.URL + "\notlp-headers-file: headers\n", nil, nil, "filed"},
		{"otlp: " + receiver.URL + "\notlp-headers-file: headers\n", []string{"CCDESTROY_OTLP="}, nil, ""},
		{"enforce:\n  otlp: " + receiver.URL + "\n  otlp-headers-file: headers\n", append(standard, "CCDESTROY_OTLP=", "CCDESTROY_OTLP_HEADERS_FILE="), nil, "filed"},
	} {
		put(t, f.machine, c.machine)
		put(t, filepath.Join(filepath.Dir(f.machine), "headers"), "Authorization: filed\n")
		if r := call(t, f.dir, c.environ, append(event, c.args...)...); r.code != 0 {
			t.Errorf("%q: exit %d\n%s", c.machine, r.code, r.stderr)
		}
		if got := sent(); got != c.want {
			t.Errorf("%q with %q and %q: %q was sent, not %q", c.machine, c.environ, c.args, got, c.want)
		}
	}
	for _, args := range [][]string{{"--otlp", "http://mine"}, {"--otlp="}, {"--otlp-headers-file", "mine"}} {
		refused(t, call(t, f.dir, nil, append(event, args...)...), f.machine, "enforces")
	}
	put(t, f.machine, "")
	refused(t, call(t, f.dir, nil, append(event, "--otlp", "collector:4318")...), `--otlp: "collector:4318" is not an address of a receiver`, "docs/otlp.md")
	refused(t, call(t, f.dir, nil, append(event, "--otlp", "http://c", "--otlp-headers-file", "none")...), "none: no such file")
	for _, flag := range []string{"--otlp", "--otlp-headers-file"} { // of a variable that was not set
		refused(t, call(t, f.dir, nil, append(event, flag, "")...), flag+": its value is empty")
	}
	refused(t, call(t, f.dir, nil, "ship"), "no store is set, and no OTLP endpoint")
	if r := call(t, f.dir, nil, "doctor", "--otlp", "http://192.0.2.1:1", "--otlp-headers-file", filepath.Join(filepath.Dir(f.machine), "headers")); !strings.Contains(r.stdout, "the headers go to http://192.0.2.1:1/v1/logs unencrypted") {
		t.Errorf("%s", r.stdout)
	}
}

// Nothing waits for a receiver before a deed, in CI neither.
func TestOTLPIsLater(t *testing.T) {
	f := storeFlags{Store: "s3://audit/x", otlpFlags: otlpFlags{OTLP: "http://c:4318"}}
	copies, err := Process{Environ: []string{"GITHUB_ACTIONS=true"}}.copies(f)
	if err != nil || len(copies.To) != 2 || copies.To[0].Mode != store.Require || copies.To[1].Mode != store.Later || !copies.To[1].Alone || copies.To[1].Sink.Name() != "http://c:4318/v1/logs" {
		t.Errorf("%+v, %v", copies, err)
	}
	want := "CCDESTROY_LOG_GROUP= CCDESTROY_STORE=s3://audit/x CCDESTROY_STORE_MODE= CCDESTROY_OTLP=http://c:4318 CCDESTROY_OTLP_HEADERS_FILE="
	if got := strings.Join(recordFlags{storeFlags: f}.environ(), " "); got != want {
		t.Errorf("%s", got)
	}
}
