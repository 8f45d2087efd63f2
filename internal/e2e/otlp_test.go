package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/otellab"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// observed is a project whose records go to a Collector behind a proxy of faults.
type observed struct {
	*stack
	collector *otellab.Collector
	proxy     *s3lab.Proxy
}

func newObserved(t *testing.T, s *stack) *observed {
	t.Helper()
	c := otellab.Start(t, "")
	o := &observed{stack: s, collector: c, proxy: s3lab.Before(t, c.URL, nil)}
	o.env = append(o.env, "CCDESTROY_OTLP="+o.proxy.URL)
	o.docker("compose", "up", "--detach")
	return o
}

// sent makes sure that the Collector has the lines of the log, each once and exactly.
func (o *observed) sent() []otellab.Record {
	o.t.Helper()
	lines := o.shipped()
	all := o.collector.Await(len(lines))
	if len(all) != len(lines) {
		o.t.Errorf("%d records of %d lines", len(all), len(lines))
	}
	for i, line := range lines {
		if all[i].Body != line {
			o.t.Errorf("record %d: %s, not %s", i+1, all[i].Body, line)
		}
	}
	return all
}

// A teardown's events reach a Collector, each once; while it is down teardowns go on,
// and ship sends what is left.
func TestOTLP(t *testing.T) {
	t.Parallel()
	o := newObserved(t, newStack(t, one(single)))
	headers := filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(headers, []byte("Authorization: Bearer hush-hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.env = append(o.env, "CCDESTROY_OTLP_HEADERS_FILE="+headers)
	var plain atomic.Int64
	o.proxy.Set(func(_ int, r *http.Request) s3lab.Fault {
		if r.Header.Get("Content-Encoding") != "gzip" || r.Header.Get("Authorization") != "Bearer hush-hush" {
			plain.Add(1)
		}
		return nil
	})
	quiet := func(out result) {
		t.Helper()
		if strings.Contains(out.stdout+out.stderr+read(t, o.logPath()), "hush-hush") {
			t.Errorf("a secret is shown or recorded: %s%s", out.stdout, out.stderr)
		}
	}
	out := o.ccdestroy("--reason", "done")
	if out.code != 0 || o.hasVolume("PROJ_data") {
		t.Fatalf("exit %d\n%s", out.code, out.stderr)
	}
	quiet(out)
	host, _ := os.Hostname()
	all := o.sent()
	if a := all[1].Attributes; len(all) != 2 || all[0].Attributes["ccdestroy.outcome"] != "pending" || a["ccdestroy.outcome"] != "success" || a["ccdestroy.project"] != o.name || a["ccdestroy.reason"] != "done" ||
		a["ccdestroy.id"] != o.last().ID || a["ccdestroy.data_affected"].([]any)[0] != o.name+"_data" || all[1].Event != "ccdestroy.destroy" || all[1].Resource["host.name"] != host {
		t.Errorf("%+v", all)
	}
	uid, _ := all[1].Attributes["log.record.uid"].(string)
	if out := o.ccdestroy("audit", "verify", "--head", uid); out.code != 0 {
		t.Errorf("exit %d: the uid %s is no head of the log\n%s", out.code, uid, out.stderr)
	}
	if out := o.ccdestroy("doctor"); !strings.Contains(out.stdout, o.proxy.URL+"/v1/logs takes logs") {
		t.Errorf("%s", out.stdout)
	}

	o.collector.Stop()
	o.docker("compose", "up", "--detach")
	out = o.ccdestroy()
	if out.code != 0 || o.hasVolume("PROJ_data") || !strings.Contains(out.stderr, "recorded, and not copied yet") || !strings.Contains(out.stderr, "502 Bad Gateway") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	quiet(out)
	if out = o.ccdestroy("doctor"); out.code != 1 || !strings.Contains(out.stdout, "502 Bad Gateway") {
		t.Errorf("exit %d\n%s", out.code, out.stdout)
	}
	quiet(out)
	o.collector.Run()
	if out = o.ccdestroy("ship"); out.code != 0 || !strings.Contains(out.stderr, "copied 2 events to "+o.proxy.URL+"/v1/logs") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	if out = o.ccdestroy("ship"); out.code != 0 || !strings.Contains(out.stderr, "copied 0 events") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	if all = o.sent(); len(all) != 4 || plain.Load() != 0 {
		t.Errorf("%d records, %d requests were not compressed, or came without the header", len(all), plain.Load())
	}
}

// A receiver that hangs holds nothing up for good, neither a teardown nor the store
// that must have the record first.
func TestOTLPHangs(t *testing.T) {
	t.Parallel()
	r := newMachine(t, newStore(t))
	o := newObserved(t, r.stack)
	o.proxy.Set(func(int, *http.Request) s3lab.Fault { return o.proxy.Hang })
	out := o.ccdestroy()
	if out.code != 0 || o.hasVolume("PROJ_data") || !strings.Contains(out.stderr, "not within 3s: ship to "+o.proxy.URL) {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	o.proxy.Set(func(int, *http.Request) s3lab.Fault { return s3lab.Refuse(401, "") })
	if out = o.ccdestroy("ship"); out.code != 1 || !strings.Contains(out.stderr, "401 Unauthorized") || !strings.Contains(out.stderr, "to s3://audit/"+o.name) {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	o.proxy.Set(nil)
	r.stored()
	o.sent()
}

// A plain docker compose down is sent by the process beside it.
func TestOTLPOfProvider(t *testing.T) {
	t.Parallel()
	o := newObserved(t, withProvider(t, audited))
	if out := o.compose("down", "-v"); out.code != 0 || o.hasVolume("PROJ_data") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	if last := o.ended(); last.Outcome != "success" {
		t.Errorf("outcome %s", last.Outcome)
	}
	o.sent()
}
