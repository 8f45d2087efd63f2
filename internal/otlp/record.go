package otlp

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/store"
)

// scopeName is the instrumentation scope of all records.
const scopeName = "github.com/contextcore/ccdestroy"

// severities are those of the outcomes that are not 9, INFO.
var severities = map[audit.Outcome]struct {
	number int
	text   string
}{
	audit.Failed:  {17, "ERROR"},
	audit.Partial: {13, "WARN"},
}

// requestOf is one message with all lines, in their order; those of one machine and
// version that follow each other share a resource. Without bodies they are short.
func requestOf(lines []store.Line, bodies bool, now time.Time) exportRequest {
	r := exportRequest{ResourceLogs: []resourceLogs{}}
	var of resource
	for _, line := range lines {
		d := parse(line.Event.Details)
		from := d.resource()
		n := len(r.ResourceLogs)
		if n == 0 || !same(of, from) {
			of = from
			r.ResourceLogs = append(r.ResourceLogs, resourceLogs{from, []scopeLogs{{Scope: scope{scopeName}}}})
			n++
		}
		into := &r.ResourceLogs[n-1].ScopeLogs[0]
		into.LogRecords = append(into.LogRecords, recordOf(line, d, bodies, now))
	}
	return r
}

func same(a, b resource) bool {
	return slices.EqualFunc(a.Attributes, b.Attributes, func(a, b attribute) bool { return a.Key == b.Key && *a.Value.String == *b.Value.String })
}

func recordOf(line store.Line, d details, body bool, now time.Time) logRecord {
	e := line.Event
	r := logRecord{Time: nanoseconds(e.Timestamp), ObservedTime: nanoseconds(now), SeverityNumber: 9, SeverityText: "INFO", EventName: "ccdestroy." + e.Operation}
	if s, other := severities[e.Outcome]; other {
		r.SeverityNumber, r.SeverityText = s.number, s.text
	}
	if body {
		text := textValue(string(line.Bytes))
		r.Body = &text
	}
	a := &r.Attributes
	a.text("log.record.uid", audit.Head{Log: e.Log, Seq: e.Seq, SHA256: audit.Sum(line.Bytes)}.Word())
	a.text("user.name", e.User)
	a.text("ccdestroy.id", e.ID)
	a.text("ccdestroy.operation", e.Operation)
	a.text("ccdestroy.outcome", string(e.Outcome))
	a.list("ccdestroy.data_affected", e.DataAffected)
	a.text("ccdestroy.export_path", e.ExportPath)
	a.text("ccdestroy.log", e.Log)
	a.number("ccdestroy.seq", e.Seq)
	for _, key := range []string{"project", "mode", "confirmation", "reason", "recorded_by", "settled", "signal"} {
		a.text("ccdestroy."+key, d.text(key))
	}
	for _, key := range []string{"exit_code", "duration_ms", "bytes_lost"} {
		if n, is := d.number(key); is {
			a.number("ccdestroy."+key, n)
		}
	}
	if list := d.list("remaining"); len(list) > 0 {
		a.list("ccdestroy.remaining", list)
	}
	a.text("error.message", d.text("error"))
	engine, actor := d.below("engine"), d.below("actor")
	a.text("ccdestroy.engine.id", engine.text("id"))
	a.text("ccdestroy.engine.host", engine.text("host"))
	a.text("ccdestroy.agent", actor.below("agent").text("name"))
	ci := actor.below("ci")
	for _, key := range []string{"vendor", "actor", "repository"} {
		a.text("ccdestroy.ci."+key, ci.text(key))
	}
	a.text("cicd.pipeline.run.url.full", ci.text("url"))
	a.text("vcs.ref.head.revision", ci.text("commit"))
	return r
}

// details are those of an event. A script that records an operation chooses its own, so a
// value of an unexpected type counts as missing.
type details map[string]json.RawMessage

func parse(raw json.RawMessage) (d details) {
	_ = json.Unmarshal(raw, &d)
	return d
}

func (d details) below(key string) details { return parse(d[key]) }

func (d details) text(key string) (text string) {
	_ = json.Unmarshal(d[key], &text)
	return text
}

func (d details) list(key string) (list []string) {
	if json.Unmarshal(d[key], &list) != nil {
		return nil
	}
	return list
}

func (d details) number(key string) (n int64, is bool) {
	err := json.Unmarshal(d[key], &n)
	return n, err == nil
}

// resource is what the event came from.
func (d details) resource() (r resource) {
	r.Attributes.text("service.name", "ccdestroy")
	r.Attributes.text("service.version", strings.TrimPrefix(d.text("tool"), "ccdestroy "))
	r.Attributes.text("host.name", d.below("actor").text("host"))
	return r
}
