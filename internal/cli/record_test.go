package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// recordIn runs ccdestroy record with a text on standard input.
func recordIn(t *testing.T, dir, input string, args ...string) result {
	t.Helper()
	in := filepath.Join(t.TempDir(), "in")
	put(t, in, input)
	f, err := os.Open(in)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stdin = f
	defer func() { stdin = nil }()
	return call(t, dir, []string{"USER=ana"}, append([]string{"record"}, args...)...)
}

// lines are the events of a log, each checked against the published schema.
func lines(t *testing.T, dir string) (all []map[string]any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, ".contextcore", "audit.jsonl"))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.NewCompiler().Compile("../../docs/audit-event.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			t.Fatalf("not as docs/audit-event.schema.json says: %v\n%s", err, line)
		}
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// An operation in two halves, and one in a single event.
func TestRecord(t *testing.T) {
	dir := t.TempDir()
	pending := recordIn(t, dir, "", "--operation", "delete_dashboard", "--outcome", "pending", "--affects", "overview", "--affects", "a,b", "--detail", "project=shop", "--detail", "url=http://x/?a=1;b=2", "--reason", "cleaning up", "--export-path", "/tmp/overview.json")
	id := strings.TrimSpace(pending.stdout)
	if pending.code != 0 || len(id) != 26 {
		t.Fatalf("exit %d %q %s", pending.code, pending.stdout, pending.stderr)
	}
	if r := call(t, dir, nil, "reconcile"); r.code != 0 || !strings.Contains(r.stderr, "a script recorded it, and can end it: ccdestroy record --id "+id+" --outcome WORD\n") {
		t.Errorf("reconcile: exit %d %s", r.code, r.stderr)
	}
	if r := call(t, dir, nil, "audit", "-q", "--outcome", "pending"); r.stdout != id+"\n" {
		t.Errorf("unfinished: %q", r.stdout)
	}
	if r := recordIn(t, dir, "", "--id", id[:12], "--outcome", "success"); r.code != 0 || r.stdout != id+"\n" {
		t.Fatalf("exit %d %s", r.code, r.stderr)
	}
	if r := recordIn(t, dir, "", "--operation", "prune", "--outcome", "partial"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	all := lines(t, dir)
	if len(all) != 3 || all[1]["operation"] != "delete_dashboard" || all[1]["id"] != id || all[1]["export_path"] != "/tmp/overview.json" || all[1]["user"] != "ana" {
		t.Fatalf("%v", all)
	}
	if got, _ := json.Marshal(all[1]["data_affected"]); string(got) != `["overview","a,b"]` {
		t.Errorf("data_affected %s", got)
	}
	if d := all[0]["details"].(map[string]any); d["url"] != "http://x/?a=1;b=2" || d["reason"] != "cleaning up" || d["recorded_by"] != "record" || d["actor"] == nil {
		t.Errorf("details %v", d)
	}
	if r := call(t, dir, nil, "audit", "show", id); r.code != 0 || !strings.Contains(r.stdout, "as a script told it") {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
	if r := call(t, dir, nil, "audit", "verify"); r.code != 0 {
		t.Error(r.stdout)
	}
}

// The seed's own form: one event, many, or an array of them.
func TestRecordJSON(t *testing.T) {
	seven := `{"timestamp": "2026-01-02T03:04:05.000678", "operation": "prune", "outcome": "cancelled", "user": "bob", "details": {"why": "h\u00e9", "n": [1, 2]}, "data_affected": ["a"], "export_path": null}`
	for name, c := range map[string]struct {
		input string
		count int
	}{
		"one": {seven, 1}, "lines": {seven + "\n" + seven + "\n", 2}, "array": {"[" + seven + "," + seven + "," + seven + "]", 3},
		"no more than it must": {`{"operation":"export","outcome":"success"}`, 1},
	} {
		dir := t.TempDir()
		r := recordIn(t, dir, c.input, "--json")
		all := lines(t, dir)
		if r.code != 0 || len(all) != c.count || strings.Count(r.stdout, "\n") != c.count {
			t.Errorf("%s: exit %d, %d events\n%s", name, r.code, len(all), r.stderr)
			continue
		}
		if name != "one" {
			continue
		}
		d := all[0]["details"].(map[string]any)
		if all[0]["user"] != "bob" || d["why"] != "hé" || d["recorded_at"] == nil || !strings.HasPrefix(all[0]["timestamp"].(string), "2026-01-0") {
			t.Errorf("%v", all[0])
		}
		if shown := call(t, dir, nil, "audit", "show", strings.TrimSpace(r.stdout)); !strings.Contains(shown.stdout, "why: hé") || !strings.Contains(shown.stdout, "n: [1,2]") {
			t.Error(shown.stdout)
		}
	}
}

// What cannot be recorded is refused, and of many events none is written then.
func TestRecordRefuses(t *testing.T) {
	good := `{"operation":"export","outcome":"success"}`
	for name, c := range map[string]struct {
		args  []string
		input string
		says  string
		code  int
	}{
		"nothing":               {nil, "", "--operation is missing", 2},
		"no outcome":            {[]string{"--operation", "prune"}, "", "--outcome is missing", 2},
		"bad operation":         {[]string{"--operation", "Delete it", "--outcome", "success"}, "", `"Delete it"`, 2},
		"bad outcome":           {[]string{"--operation", "prune", "--outcome", "maybe"}, "", `unknown outcome "maybe"`, 2},
		"bad detail":            {[]string{"--operation", "prune", "--outcome", "success", "--detail", "x"}, "", "x", 2},
		"reserved detail":       {[]string{"--operation", "prune", "--outcome", "success", "--detail", "actor=me"}, "", `"actor"`, 2},
		"reason twice":          {[]string{"--operation", "prune", "--outcome", "success", "--detail", "reason=a", "--reason", "b"}, "", "exclude", 2},
		"unknown id":            {[]string{"--id", "01KB", "--outcome", "success"}, "", "no audit log", 1},
		"json and flags":        {[]string{"--json", "--operation", "prune"}, good, "--json", 2},
		"no json":               {[]string{"--json"}, "", "no event", 2},
		"broken json":           {[]string{"--json"}, good + "{", "standard input", 2},
		"unknown key":           {[]string{"--json"}, good + `{"operation":"export","outcome":"success","oops":1}`, "oops", 2},
		"a bad one of many":     {[]string{"--json"}, "[" + good + `,{"operation":"export","outcome":"so so"}]`, "event 2: unknown outcome", 2},
		"bad time":              {[]string{"--json"}, `{"operation":"export","outcome":"success","timestamp":"noon"}`, "noon", 2},
		"reserved key in json":  {[]string{"--json"}, `{"operation":"export","outcome":"success","details":{"tool":"x"}}`, `"tool"`, 2},
		"details are no object": {[]string{"--json"}, `{"operation":"export","outcome":"success","details":[]}`, "details", 2},
	} {
		dir := t.TempDir()
		r := recordIn(t, dir, c.input, c.args...)
		if r.code != c.code || !strings.Contains(r.stderr, c.says) || !strings.Contains(r.stderr, "\nTry: ") || len(lines(t, dir)) > 0 {
			t.Errorf("%s: exit %d, %d events\n%s", name, r.code, len(lines(t, dir)), r.stderr)
		}
	}
	dir := t.TempDir()
	id := strings.TrimSpace(recordIn(t, dir, "", "--operation", "prune", "--outcome", "failed").stdout)
	if r := recordIn(t, dir, "", "--id", id, "--outcome", "success"); r.code != 1 || !strings.Contains(r.stderr, "has ended already: failed") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if r := recordIn(t, dir, "", "--id", "0000", "--outcome", "success"); r.code != 1 || !strings.Contains(r.stderr, `no such operation: "0000"`) {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	put(t, filepath.Join(dir, ".contextcore", "audit.jsonl"), `{"v":2}`+"\n")
	if r := recordIn(t, dir, "", "--operation", "prune", "--outcome", "failed"); r.code != 6 || !strings.Contains(r.stderr, "newer version") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}
