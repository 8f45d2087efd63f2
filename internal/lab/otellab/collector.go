// Package otellab starts OpenTelemetry Collectors for tests, built from their source
// by Go. They take logs over OTLP/HTTP and write what they have to a file.
package otellab

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/built"
)

// otelcol is the Collector.
var otelcol = built.Server{What: "an OpenTelemetry Collector", Module: "otelcol", Package: "."}

// patience bounds the wait for a Collector; no test asserts how long it took.
const patience = 2 * time.Minute

// Collector runs until the test ends.
type Collector struct {
	URL string // http://127.0.0.1:PORT

	t    testing.TB
	dir  string
	run  *exec.Cmd
	path string
	out  *bytes.Buffer // for reading when done is closed
	done chan struct{} // closed when the process has ended
}

// Start starts a Collector, and waits until it answers. receiver is further settings
// of its HTTP receiver in YAML, such as "max_request_body_size: 1000".
func Start(t testing.TB, receiver string) *Collector {
	t.Helper()
	c := &Collector{t: t, dir: t.TempDir(), path: otelcol.Binary(t)}
	address := built.FreeAddress(t)
	c.URL = "http://" + address
	config := fmt.Sprintf(`
receivers: {otlp: {protocols: {http: {endpoint: "%s", %s}}}}
exporters: {file: {path: "%s", append: true, flush_interval: 50ms}}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines: {logs: {receivers: [otlp], exporters: [file]}}
`, address, receiver, c.file())
	if err := os.WriteFile(filepath.Join(c.dir, "config.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	c.Run()
	return c
}

func (c *Collector) file() string { return filepath.Join(c.dir, "logs.json") }

// Run starts the process, again after Stop, and waits until it answers.
func (c *Collector) Run() {
	c.t.Helper()
	c.out, c.done = &bytes.Buffer{}, make(chan struct{})
	c.run = exec.Command(c.path, "--config", filepath.Join(c.dir, "config.yaml"))
	c.run.Stdout, c.run.Stderr = c.out, c.out
	if err := c.run.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func(run *exec.Cmd, done chan struct{}) { _ = run.Wait(); close(done) }(c.run, c.done)
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if resp, err := http.Get(c.URL + "/v1/logs"); err == nil { // 405: it is there
			resp.Body.Close()
			return
		}
		select {
		case <-c.done:
			c.t.Fatalf("the Collector ended\n%s", c.out)
		case <-time.After(20 * time.Millisecond):
		}
	}
	c.Stop()
	c.t.Fatalf("the Collector does not answer\n%s", c.out)
}

// Stop ends it as a service manager does: what it has is written.
func (c *Collector) Stop() {
	if c.run != nil {
		_ = c.run.Process.Signal(os.Interrupt)
		<-c.done
		c.run = nil
	}
}

// Record is one log record as the Collector wrote it, with its resource.
type Record struct {
	Time, Severity, Event, Body string
	Resource, Attributes        map[string]any // string, int64 as string, or []any
}

// Records are all that it has written, in its order.
func (c *Collector) Records() (all []Record) {
	c.t.Helper()
	f, err := os.Open(c.file())
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	for in := bufio.NewReader(f); ; {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return all // a line that is still being written is for the next look
		}
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, records(c.t, line)...)
	}
}

// Await waits until the Collector has written n records, and returns all of them.
func (c *Collector) Await(n int) []Record {
	c.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if all := c.Records(); len(all) >= n {
			return all
		}
	}
	c.Stop()
	c.t.Fatalf("the Collector has %d records, not %d\n%s", len(c.Records()), n, c.out)
	return nil
}

type attributes []struct {
	Key   string
	Value map[string]any
}

func (a attributes) plain() map[string]any {
	out := map[string]any{}
	for _, one := range a {
		out[one.Key] = plain(one.Value)
	}
	return out
}

func plain(value map[string]any) any {
	for kind, v := range value {
		if kind != "arrayValue" {
			return v
		}
		list := []any{}
		values, _ := v.(map[string]any)["values"].([]any)
		for _, one := range values {
			list = append(list, plain(one.(map[string]any)))
		}
		return list
	}
	return nil
}

func records(t testing.TB, line []byte) (all []Record) {
	t.Helper()
	var export struct {
		ResourceLogs []struct {
			Resource  struct{ Attributes attributes }
			ScopeLogs []struct {
				LogRecords []struct {
					TimeUnixNano, SeverityText, EventName string
					Body                                  struct{ StringValue string }
					Attributes                            attributes
				}
			}
		}
	}
	if err := json.Unmarshal(line, &export); err != nil {
		t.Fatalf("the Collector wrote %s: %v", strings.TrimSpace(string(line)), err)
	}
	for _, r := range export.ResourceLogs {
		for _, s := range r.ScopeLogs {
			for _, l := range s.LogRecords {
				all = append(all, Record{l.TimeUnixNano, l.SeverityText, l.EventName, l.Body.StringValue, r.Resource.Attributes.plain(), l.Attributes.plain()})
			}
		}
	}
	return all
}
