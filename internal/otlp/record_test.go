package otlp

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/store"
)

// line is an event with these details, and bytes that stand for it.
func line(outcome audit.Outcome, details string) store.Line {
	e := audit.Event{
		V: 1, Log: "L", Seq: 7, ID: "01M8", Timestamp: time.Unix(1, 2000), Operation: "destroy", Outcome: outcome, User: "ana",
		Details: json.RawMessage(details), DataAffected: []string{"shop_data", `b"`}, ExportPath: "/x",
	}
	return store.Line{Event: e, Bytes: []byte(`{"v":1, "<&>"}`)}
}

// The message, to the letter.
func TestMessage(t *testing.T) {
	full := `{"tool":"ccdestroy v1.2","project":"shop","mode":"files","confirmation":"flag","reason":"why","recorded_by":"run","settled":"reconcile","signal":"INT",
		"exit_code":-1,"duration_ms":12,"bytes_lost":9007199254740993,"remaining":["volume a: held"],"error":"no","engine":{"id":"e1","host":"unix:///x"},
		"actor":{"host":"ci-7","agent":{"name":"codex"},"ci":{"vendor":"github","actor":"bob","url":"https://ci/1","repository":"acme/shop","commit":"abc"}}}`
	got := string(requestOf([]store.Line{line(audit.Partial, full)}, true, time.Unix(2, 0)).encode())
	text := func(key, value string) string {
		return `{"key":"` + key + `","value":{"stringValue":"` + value + `"}},`
	}
	number := func(key, value string) string { return `{"key":"` + key + `","value":{"intValue":"` + value + `"}},` }
	want := `{"resourceLogs":[{"resource":{"attributes":[` + strings.TrimSuffix(text("service.name", "ccdestroy")+text("service.version", "v1.2")+text("host.name", "ci-7"), ",") +
		`]},"scopeLogs":[{"scope":{"name":"github.com/contextcore/ccdestroy"},"logRecords":[{"timeUnixNano":"1000002000","observedTimeUnixNano":"2000000000",` +
		`"severityNumber":13,"severityText":"WARN","body":{"stringValue":"{\"v\":1, \"<&>\"}"},"attributes":[` +
		text("log.record.uid", "L:7:"+audit.Sum([]byte(`{"v":1, "<&>"}`))) + text("user.name", "ana") + text("ccdestroy.id", "01M8") + text("ccdestroy.operation", "destroy") + text("ccdestroy.outcome", "partial") +
		`{"key":"ccdestroy.data_affected","value":{"arrayValue":{"values":[{"stringValue":"shop_data"},{"stringValue":"b\""}]}}},` +
		text("ccdestroy.export_path", "/x") + text("ccdestroy.log", "L") + number("ccdestroy.seq", "7") +
		text("ccdestroy.project", "shop") + text("ccdestroy.mode", "files") + text("ccdestroy.confirmation", "flag") + text("ccdestroy.reason", "why") + text("ccdestroy.recorded_by", "run") +
		text("ccdestroy.settled", "reconcile") + text("ccdestroy.signal", "INT") + number("ccdestroy.exit_code", "-1") + number("ccdestroy.duration_ms", "12") + number("ccdestroy.bytes_lost", "9007199254740993") +
		`{"key":"ccdestroy.remaining","value":{"arrayValue":{"values":[{"stringValue":"volume a: held"}]}}},` + text("error.message", "no") +
		text("ccdestroy.engine.id", "e1") + text("ccdestroy.engine.host", "unix:///x") + text("ccdestroy.agent", "codex") + text("ccdestroy.ci.vendor", "github") + text("ccdestroy.ci.actor", "bob") +
		text("ccdestroy.ci.repository", "acme/shop") + text("cicd.pipeline.run.url.full", "https://ci/1") + strings.TrimSuffix(text("vcs.ref.head.revision", "abc"), ",") +
		`],"eventName":"ccdestroy.destroy"}]}]}]}` + "\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Every outcome has a severity, and every machine a resource. Details of another
// shape, which a script may give, say nothing.
func TestRecords(t *testing.T) {
	for outcome, want := range map[audit.Outcome]int{audit.Pending: 9, audit.Success: 9, audit.Cancelled: 9, audit.Partial: 13, audit.Failed: 17} {
		if r := requestOf([]store.Line{line(outcome, "{}")}, false, time.Now()).ResourceLogs[0].ScopeLogs[0].LogRecords[0]; r.SeverityNumber != want || r.Body != nil {
			t.Errorf("%s: %+v", outcome, r)
		}
	}
	on := func(host string) store.Line { return line(audit.Success, `{"actor":{"host":"`+host+`"}}`) }
	r := requestOf([]store.Line{on("a"), on("a"), on("b"), on("a"), line(audit.Success, "")}, true, time.Now())
	var counts []int
	for _, l := range r.ResourceLogs {
		counts = append(counts, len(l.ScopeLogs[0].LogRecords))
	}
	if len(counts) != 4 || counts[0] != 2 {
		t.Errorf("%d", counts)
	}
	odd := line(audit.Success, `{"project":1,"tool":null,"exit_code":"x","duration_ms":1.5,"remaining":"all","error":{},"engine":[],"actor":{"host":{},"ci":"x","agent":7}}`)
	odd.Event.Timestamp, odd.Event.ExportPath = time.Time{}, ""
	record := requestOf([]store.Line{odd}, true, time.Now()).ResourceLogs[0].ScopeLogs[0].LogRecords[0]
	if got := texts(record); record.Time != "0" || len(got) != 8 || got["ccdestroy.data_affected"] != `shop_data;b";` {
		t.Errorf("%s, %v", record.Time, got)
	}
	if got := string(requestOf(nil, true, time.Now()).encode()); got != `{"resourceLogs":[]}`+"\n" {
		t.Error(got)
	}
}
