package cli

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/contextcore/ccdestroy/internal/lab/logs"
)

// result is how a call ended.
type result struct {
	stdout, stderr string
	code           int
}

// stdin is what the next call reads; nil is nothing.
var stdin *os.File

// call runs the program in dir with no terminal and nothing of this machine's
// environment.
func call(t *testing.T, dir string, env []string, args ...string) result {
	t.Helper()
	return callWith(t, dir, env, func(*Process) {}, args...)
}

// callWith is call by a process that is another one in some way.
func callWith(t *testing.T, dir string, env []string, change func(*Process), args ...string) result {
	t.Helper()
	var files [2]*os.File
	for i := range files {
		f, err := os.CreateTemp(t.TempDir(), "out")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	ours := []string{"XDG_STATE_HOME=" + filepath.Join(dir, "state"), "XDG_CONFIG_HOME=" + filepath.Join(dir, "config"), "DOCKER_HOST=unix:///nowhere.sock"}
	p := Process{Stdin: stdin, Args: args, Environ: append(ours, env...), Dir: dir, Stdout: files[0], Stderr: files[1], Now: func() time.Time { return clock }}
	change(&p)
	code := Main(p)
	read := func(f *os.File) string {
		data, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	return result{read(files[0]), read(files[1]), code}
}

// clock is when these tests take place: after the last event of the log.
var clock = time.Date(2024, 2, 1, 12, 0, 0, 0, time.UTC)

// project is a directory with a generated log of 400 events.
func project(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".contextcore"), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, ".contextcore", "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := logs.Write(f, logs.Options{Seed: 5, Bytes: 1 << 30, Events: 400}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// operation is one of --format json, as docs/json.md describes it.
type operation struct {
	ID, Operation, Outcome, User string
	Timestamp                    time.Time
	Unfinished                   bool
	DataAffected                 []string `json:"data_affected"`
	Details                      struct {
		Project   string
		Actor     struct{ Host string }
		Resources []struct{ Kind, Name string }
	}
}

func list(t *testing.T, dir string, args ...string) (all []operation) {
	t.Helper()
	r := call(t, dir, nil, append([]string{"audit", "--format", "json"}, args...)...)
	if r.code != 0 || (r.stderr != "") != (r.stdout == "[]\n") {
		t.Fatalf("%q: exit %d\n%s", args, r.code, r.stderr)
	}
	if err := json.Unmarshal([]byte(r.stdout), &all); err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.NewCompiler().Compile("../../docs/history.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(r.stdout))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		t.Fatalf("not as docs/history.schema.json says: %v", err)
	}
	return all
}

// Each filter shows exactly the operations that a search through all of them
// finds.
func TestFilters(t *testing.T) {
	dir := project(t)
	all := list(t, dir, "-n", "0")
	if len(all) < 190 {
		t.Fatalf("only %d operations", len(all))
	}
	lossy := slices.IndexFunc(all, func(o operation) bool { return len(o.DataAffected) > 0 })
	volume := all[lossy].DataAffected[0]
	middle := all[len(all)/2].Timestamp
	for _, c := range []struct {
		args []string
		want func(operation) bool
	}{
		{[]string{"--operation", "restore"}, func(o operation) bool { return o.Operation == "restore" }},
		{[]string{"--operation", "restore,export"}, func(o operation) bool { return o.Operation == "restore" || o.Operation == "export" }},
		{[]string{"--operation", "restore", "--operation", "export"}, func(o operation) bool { return o.Operation == "restore" || o.Operation == "export" }},
		{[]string{"--outcome", "partial,failed"}, func(o operation) bool { return o.Outcome == "partial" || o.Outcome == "failed" }},
		{[]string{"--outcome", "pending"}, func(o operation) bool { return o.Unfinished }},
		{[]string{"--user", "Åsa"}, func(o operation) bool { return o.User == "Åsa" }},
		{[]string{"--project", all[3].Details.Project}, func(o operation) bool { return o.Details.Project == all[3].Details.Project }},
		{[]string{"--project", "shop-*"}, func(o operation) bool { return strings.HasPrefix(o.Details.Project, "shop-") }},
		{[]string{"--volume", volume}, func(o operation) bool {
			return slices.Contains(o.DataAffected, volume)
		}},
		{[]string{"--volume", volume, "--outcome", "success,partial,failed,cancelled"}, func(o operation) bool {
			return !o.Unfinished && slices.ContainsFunc(o.Details.Resources, func(r struct{ Kind, Name string }) bool { return r.Kind == "volume" && r.Name == volume })
		}},
		{[]string{"--host", "build03"}, func(o operation) bool { return o.Details.Actor.Host == "build03" }},
		{[]string{"--since", middle.Format(time.RFC3339Nano)}, func(o operation) bool { return !o.Timestamp.Before(middle) }},
		{[]string{"--until", middle.Format(time.RFC3339Nano)}, func(o operation) bool { return !o.Timestamp.After(middle) }},
		{[]string{"--since", "3w"}, func(o operation) bool { return !o.Timestamp.Before(clock.AddDate(0, 0, -21)) }},
		{[]string{"--grep", `"confirmation":"typed"`, "--user", "ben"}, nil},
		{[]string{"--user", "nobody_at_all"}, func(operation) bool { return false }},
	} {
		got := list(t, dir, append(c.args, "-n", "0")...)
		if c.want == nil {
			if len(got) == 0 || len(got) >= len(all) {
				t.Errorf("%q: %d of %d", c.args, len(got), len(all))
			}
			continue
		}
		want := slices.DeleteFunc(slices.Clone(all), func(o operation) bool { return !c.want(o) })
		same := slices.EqualFunc(got, want, func(a, b operation) bool { return a.ID == b.ID })
		if c.args[0] == "--host" { // an engine's name counts too
			same = len(got) >= len(want)
		}
		if !same || len(want) == len(all) {
			t.Errorf("%q: %d operations, not %d of %d", c.args, len(got), len(want), len(all))
		}
		if few := list(t, dir, append(c.args, "-n", "2")...); len(few) != min(2, len(got)) {
			t.Errorf("%q -n 2: %d operations", c.args, len(few))
		}
	}
}

// A filter that matches nothing says so, with the operation that is nearest.
func TestNothingMatches(t *testing.T) {
	dir := project(t)
	all := list(t, dir, "-n", "0")
	newest, oldest := all[0], all[len(all)-1]
	for _, c := range []struct {
		args string
		says string
	}{
		{"--project nosuch", "No operation matches. Without --project nosuch: " + newest.ID[:10]},
		{"--since now", "No operation matches. Without --since 2024-02-01 "},
		{"--until 2001-01-01", "No operation matches. Without --until 2001-01-01 00:00: " + oldest.ID[:10]},
		{"--user nobody --operation restore", "No operation matches. Without --user nobody: "},
		{"--user nobody --project nosuch", "No operation matches. The newest: " + newest.ID[:10] + " " + newest.Operation},
		{"--grep nowhere.to.be.seen -q", "No operation matches. Without --grep \"nowhere.to.be.seen\": "},
	} {
		r := call(t, dir, nil, append([]string{"audit"}, strings.Fields(c.args)...)...)
		if r.code != 0 || r.stdout != "" || !strings.HasPrefix(r.stderr, c.says) || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s: exit %d\n%s%s", c.args, r.code, r.stdout, r.stderr)
		}
	}
	if r := call(t, dir, nil, "audit", "--project", newest.Details.Project); r.stderr != "" {
		t.Error(r.stderr)
	}
}

// A prefix of several ids names five of them, with what they were.
func TestAmbiguousID(t *testing.T) {
	dir := project(t)
	all := list(t, dir, "-n", "5")
	r := call(t, dir, nil, "audit", "show", "01")
	lines := strings.Split(strings.TrimSpace(r.stderr), "\n")
	if r.code != 1 || len(lines) != 7 || lines[6] != "Try: ccdestroy audit show "+all[0].ID+" --log "+filepath.Join(dir, ".contextcore", "audit.jsonl") {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	for i, o := range all {
		if want := o.ID + "  " + o.Timestamp.Local().Format("2006-01-02 15:04:05") + "  " + o.Operation + " " + o.Details.Project; strings.TrimSpace(lines[i+1]) != strings.TrimSpace(want) {
			t.Errorf("%q, not %q", lines[i+1], want)
		}
	}
}

// Every format shows the same operations, and -o writes what would be shown.
func TestFormats(t *testing.T) {
	dir := project(t)
	all := list(t, dir, "-n", "30")
	var ids []string
	for _, o := range all {
		ids = append(ids, o.ID)
	}
	reversed := slices.Clone(ids)
	slices.Reverse(reversed)
	lines := func(s string) []string { return strings.Split(strings.TrimSuffix(s, "\n"), "\n") }
	for name, c := range map[string]struct {
		args []string
		read func(string) []string
		want []string
	}{
		"ids":     {[]string{"-q"}, lines, ids},
		"reverse": {[]string{"-q", "--reverse"}, lines, reversed},
		"jsonl": {[]string{"--format", "jsonl"}, func(s string) (out []string) {
			for _, line := range lines(s) {
				var o operation
				if err := json.Unmarshal([]byte(line), &o); err != nil {
					t.Error(err)
				}
				out = append(out, o.ID)
			}
			return out
		}, ids},
		"csv": {[]string{"--format", "csv"}, func(s string) (out []string) {
			rows, err := csv.NewReader(strings.NewReader(s)).ReadAll()
			if err != nil || rows[0][0] != "id" {
				t.Errorf("%v %q", err, rows)
			}
			for _, row := range rows[1:] {
				out = append(out, row[0])
			}
			return out
		}, ids},
		"wide": {[]string{"--format", "wide"}, func(s string) (out []string) {
			for _, line := range lines(s)[1:] {
				if id, _, _ := strings.Cut(line, " "); len(id) == 26 {
					out = append(out, id)
				}
			}
			return out
		}, ids},
		"html": {[]string{"--format", "html"}, func(s string) (out []string) {
			for _, row := range strings.Split(s, "<tr><td>")[1:] {
				out = append(out, row[:26])
			}
			return out
		}, ids},
	} {
		args := append([]string{"audit", "-n", "30"}, c.args...)
		r := call(t, dir, nil, args...)
		if got := c.read(r.stdout); r.code != 0 || !slices.Equal(got, c.want) {
			t.Errorf("%s: exit %d, %q\n%s", name, r.code, got, r.stderr)
		}
		file := filepath.Join(dir, "out-"+name)
		if w := call(t, dir, nil, append(args, "-o", file)...); w.code != 0 || w.stdout != "" {
			t.Errorf("%s -o: exit %d %s", name, w.code, w.stderr)
		}
		if data, err := os.ReadFile(file); err != nil || string(data) != r.stdout {
			t.Errorf("%s -o wrote something else: %v", name, err)
		}
	}
}

func TestBadQueries(t *testing.T) {
	dir := project(t)
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--outcome", "lost"}, "--outcome lost: unknown; it is one of pending, success, failed, partial, cancelled"},
		{[]string{"--operation", "No"}, "lower_snake"},
		{[]string{"--since", "soonish"}, "not a valid time: try 2h"},
		{[]string{"--since", "today", "--until", "yesterday"}, "--until is before --since"},
		{[]string{"--grep", "("}, "--grep"},
		{[]string{"--project", "["}, `"["`},
		{[]string{"--format", "xml"}, "table"},
		{[]string{"-n", "-1"}, "--limit"},
		{[]string{"--follow", "-o", "x"}, "--follow"},
		{[]string{"--follow", "--format", "json"}, "jsonl"},
		{[]string{"--color", "red"}, "auto"},
		{[]string{"-o", ".contextcore/audit.jsonl"}, "is the log itself"},
	} {
		if r := call(t, dir, nil, append([]string{"audit"}, c.args...)...); r.code != 2 || !strings.Contains(r.stderr, c.says) || !strings.Contains(r.stderr, "\nTry: ") || r.stdout != "" {
			t.Errorf("%q: exit %d\n%s%s", c.args, r.code, r.stdout, r.stderr)
		}
	}
	if r := call(t, dir, nil, "audit", "-o", "no/such/dir"); r.code != 1 || !strings.Contains(r.stderr, "no/such") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if verify := call(t, dir, nil, "audit", "verify"); verify.code != 0 {
		t.Errorf("the log was touched: %s", verify.stdout)
	}
}

func TestMoments(t *testing.T) {
	now := time.Date(2026, 11, 23, 17, 38, 9, 0, time.FixedZone("", 3600))
	for text, want := range map[string]string{
		"now": "2026-11-23T17:38:09+01:00", "today": "2026-11-23T00:00:00+01:00", "yesterday": "2026-11-22T00:00:00+01:00",
		"2h": "2026-11-23T15:38:09+01:00", "3d": "2026-11-20T17:38:09+01:00", "2 weeks ago": "2026-11-09T17:38:09+01:00",
		"90s": "2026-11-23T17:36:39+01:00", "5 minutes": "2026-11-23T17:33:09+01:00",
		"2026-11-01": "2026-11-01T00:00:00+01:00", "2026-11-01 12:30": "2026-11-01T12:30:00+01:00", "2026-11-01T12:30:05Z": "2026-11-01T12:30:05Z",
		"1h30m": "2026-11-23T16:08:09+01:00", "1 day, 2 hours ago": "2026-11-22T15:38:09+01:00", "yesterday 17:00": "2026-11-22T17:00:00+01:00",
		"last week": "2026-11-16T17:38:09+01:00", "a week ago": "2026-11-16T17:38:09+01:00", "AN HOUR AGO": "2026-11-23T16:38:09+01:00",
		"monday": "2026-11-23T00:00:00+01:00", "Sunday": "2026-11-22T00:00:00+01:00", "last tue": "2026-11-17T00:00:00+01:00", "tuesday at 9:05": "2026-11-17T09:05:00+01:00",
		"3 months ago": "2026-08-23T17:38:09+01:00", "last month": "2026-10-23T17:38:09+01:00", "2mo": "2026-09-23T17:38:09+01:00", "1y": "2025-11-23T17:38:09+01:00",
		"2026-11": "2026-11-01T00:00:00+01:00", "2026": "2026-01-01T00:00:00+01:00", "noon": "2026-11-23T12:00:00+01:00", "yesterday noon": "2026-11-22T12:00:00+01:00",
		"17:00": "2026-11-23T17:00:00+01:00", "18:00": "2026-11-23T18:00:00+01:00", "midnight": "2026-11-23T00:00:00+01:00", " Today ": "2026-11-23T00:00:00+01:00",
		"2026-11-01t12:30": "2026-11-01T12:30:00+01:00", "2026-11-01t12:30:05z": "2026-11-01T12:30:05Z",
	} {
		if got, err := parseMoment(text, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q: %v, %v", text, got.Format(time.RFC3339), err)
		}
	}
	if got, err := parseMoment("noon", now.Add(-8*time.Hour)); err != nil || got.Format(time.RFC3339) != "2026-11-22T12:00:00+01:00" {
		t.Errorf("noon in the morning: %v, %v", got, err)
	}
	for _, bad := range []string{"", "soon", "-2h", "2x", "2026-13-01", "999999999d", "last", "ago", "25:00", "yesterday 9", "1h30", "a", "last last week", "week", "mondayy", "t", "2026-11-23T"} {
		if got, err := parseMoment(bad, now); err == nil {
			t.Errorf("%q is taken for %v", bad, got)
		}
	}
}

func TestColor(t *testing.T) {
	dir := project(t)
	for _, c := range []struct {
		env  []string
		args []string
		want bool
	}{{nil, nil, false}, {nil, []string{"--color", "always"}, true}, {[]string{"NO_COLOR=1"}, []string{"--color=always"}, true}, {nil, []string{"--color", "never"}, false}} {
		r := call(t, dir, c.env, append([]string{"audit"}, c.args...)...)
		if got := strings.Contains(r.stdout, "\x1b["); got != c.want || r.code != 0 {
			t.Errorf("%v: colours %t, exit %d %s", c, got, r.code, r.stderr)
		}
	}
}
