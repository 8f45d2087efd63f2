package otlp

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/otellab"
)

// written makes sure that a Collector has the lines of the log, each once and exactly.
func (s *site) written(c *otellab.Collector, n int) {
	s.t.Helper()
	seen := map[string]string{}
	for _, r := range c.Await(n) {
		uid, _ := r.Attributes["log.record.uid"].(string)
		if _, twice := seen[uid]; twice {
			s.t.Errorf("%s is there twice", uid)
		}
		seen[uid] = r.Body
	}
	lines := 0
	if _, err := s.log.After(audit.Mark{}, func(e audit.Event, line []byte, m audit.Mark) error {
		lines++
		if uid := fmt.Sprintf("%s:%d:%s", e.Log, e.Seq, m.SHA256); seen[uid] != string(line) {
			s.t.Errorf("%s is not there, or otherwise: %q", uid, seen[uid])
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	if lines != n || len(seen) != n {
		s.t.Errorf("%d records of %d lines, want %d", len(seen), lines, n)
	}
}

// The Collector itself gets each line once, over a backlog of several messages and its
// own absence.
func TestCollector(t *testing.T) {
	hasty(t, time.Second)
	c := otellab.Start(t, "")
	s := newSite(t, c.URL)
	if err := s.to.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	s.record(600, `{"tool":"ccdestroy v1","project":"shop","actor":{"host":"ci-7"}}`)
	s.record(1, `{"reason":"a \"quote\", a line\nand <&> snow ☃","remaining":["a","b"],"exit_code":-1}`)
	if done, err := s.ship(); err != nil || done.Lines != 601 {
		t.Fatalf("%+v, %v", done, err)
	}
	s.written(c, 601)
	all := c.Records()
	first, last := all[0], all[600]
	if first.Event != "ccdestroy.destroy" || first.Severity != "INFO" || first.Time == "" || first.Attributes["ccdestroy.project"] != "shop" || first.Attributes["ccdestroy.seq"] != "1" ||
		first.Resource["service.name"] != "ccdestroy" || first.Resource["service.version"] != "v1" || first.Resource["host.name"] != "ci-7" {
		t.Errorf("%+v", first)
	}
	if a := last.Attributes; a["ccdestroy.reason"] != "a \"quote\", a line\nand <&> snow ☃" || fmt.Sprint(a["ccdestroy.remaining"]) != "[a b]" || a["ccdestroy.exit_code"] != "-1" || last.Resource["host.name"] != nil {
		t.Errorf("%+v", last)
	}

	c.Stop()
	s.record(2, "")
	if done, err := s.ship(); err == nil || !strings.Contains(err.Error(), "connection refused") || done.Lines != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	c.Run()
	s.record(1, "")
	if done, err := s.ship(); err != nil || done.Lines != 3 {
		t.Errorf("%+v, %v", done, err)
	}
	s.written(c, 604)
	if done, err := s.ship(); err != nil || done.Lines != 0 {
		t.Errorf("%+v, %v", done, err)
	}

	// One who has the log and nothing else sends it again, with the same uids.
	s.state = t.TempDir()
	if done, err := s.ship(); err != nil || done.Lines != 604 {
		t.Errorf("%+v, %v", done, err)
	}
	uids := map[any]int{}
	for _, r := range c.Await(2 * 604) {
		uids[r.Attributes["log.record.uid"]]++
	}
	for uid, n := range uids {
		if n != 2 {
			t.Errorf("%s is there %d times", uid, n)
		}
	}
}

// A Collector that takes small messages gets them.
func TestCollectorTakesLittle(t *testing.T) {
	c := otellab.Start(t, "max_request_body_size: 20000")
	s := newSite(t, c.URL, "OTEL_EXPORTER_OTLP_COMPRESSION=none")
	s.record(120, "")
	if done, err := s.ship(); err != nil || done.Lines != 120 || len(s.notes) != 0 {
		t.Fatalf("%+v, %v, %q", done, err, s.notes)
	}
	s.written(c, 120)
}

// What the Collector does not understand it refuses in words that are shown.
func TestCollectorRefuses(t *testing.T) {
	c := otellab.Start(t, "")
	e, err := Open(c.URL+"/elsewhere", "", lookup())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "404 Not Found") {
		t.Error(err)
	}
	if e, err = Open(c.URL, "", lookup()); err != nil {
		t.Fatal(err)
	}
	if _, err = e.post(t.Context(), e.pack([]byte(`{"resourceLogs":7}`))); err == nil || !strings.Contains(err.Error(), "400 Bad Request: ReadArray") {
		t.Error(err)
	}
}
