package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// recorded records operations of the name prune, and returns their ids.
func recorded(t *testing.T, dir string, outcomes ...string) (ids []string) {
	t.Helper()
	for _, outcome := range outcomes {
		r := call(t, dir, nil, "record", "--operation", "prune", "--outcome", outcome)
		if r.code != 0 {
			t.Fatal(r.stderr)
		}
		ids = append(ids, strings.TrimSpace(r.stdout))
	}
	return ids
}

// rotateOnce rotates and returns the path that is printed.
func rotateOnce(t *testing.T, dir string, args ...string) string {
	t.Helper()
	r := call(t, dir, nil, append([]string{"audit", "rotate"}, args...)...)
	path := strings.TrimSuffix(r.stdout, "\n")
	if _, err := os.Stat(path); err != nil || r.code != 0 {
		t.Fatalf("exit %d %q %v\n%s", r.code, r.stdout, err, r.stderr)
	}
	return path
}

// asSchema checks that each line of a log is as the schema says.
func asSchema(t *testing.T, path string) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../../docs/audit-event.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			t.Errorf("not as docs/audit-event.schema.json says: %v\n%s", err, line)
		}
	}
}

// A log is rotated, again and again, and every command goes on over all of it.
func TestAuditRotate(t *testing.T) {
	dir := t.TempDir()
	ids := recorded(t, dir, "success", "failed")
	first := rotateOnce(t, dir)
	ids = append(ids, recorded(t, dir, "partial")...)
	second := rotateOnce(t, dir)
	ids = append(ids, recorded(t, dir, "cancelled")...)
	live := filepath.Join(dir, ".contextcore", "audit.jsonl")
	for _, path := range []string{first, second, live} {
		asSchema(t, path)
	}
	if name := filepath.Base(first); !strings.HasPrefix(name, "audit-2024-02-01-") || filepath.Dir(first) != filepath.Dir(live) {
		t.Errorf("it is called %s", name)
	}
	r := call(t, dir, nil, "audit", "-q", "--operation", "prune", "--reverse")
	if got := strings.Fields(r.stdout); !slices.Equal(got, ids) || r.stderr != "" {
		t.Errorf("%q, not %q\n%s", got, ids, r.stderr)
	}
	if all := list(t, dir, "--operation", "rotate"); len(all) != 4 {
		t.Errorf("%d rotations", len(all))
	}
	if r := call(t, dir, nil, "audit", "show", ids[0]); r.code != 0 || !strings.Contains(r.stdout, "success") {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if r := call(t, dir, nil, "audit", "report"); r.code != 0 || !strings.Contains(r.stdout, ids[0]) || strings.Contains(r.stdout, "NOT intact") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if r := call(t, dir, nil, "audit", "verify"); r.code != 0 || !strings.Contains(r.stdout, "intact. 8 chained events in 8 lines of 3 segments") || !strings.Contains(r.stdout, "It holds 8 of 8 heads") {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	// The head that was kept before a rotation is held; the head is the newest's.
	data, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	var e struct{ Log, Prev string }
	if err := json.Unmarshal([]byte(strings.Split(string(data), "\n")[1]), &e); err != nil {
		t.Fatal(err)
	}
	word := strings.TrimSpace(call(t, dir, nil, "audit", "head").stdout)
	if strings.HasPrefix(word, e.Log) || !strings.Contains(word, ":2:") {
		t.Errorf("head %s", word)
	}
	if r := call(t, dir, nil, "audit", "verify", "--head", e.Log+":1:"+e.Prev, "--head", word); r.code != 0 {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	for _, path := range []string{first, live} { // which -o must not replace
		if r := call(t, dir, nil, "audit", "-o", path); r.code != 2 || !strings.Contains(r.stderr, "is the log itself") {
			t.Errorf("exit %d\n%s", r.code, r.stderr)
		}
	}
	if r := call(t, dir, nil, "audit", "--log", first, "-q"); r.code != 0 || len(strings.Fields(r.stdout)) != 3 {
		t.Errorf("a segment alone: exit %d %q %s", r.code, r.stdout, r.stderr)
	}
	// A segment that is gone is told where it is wanted, and by verify with its name.
	if err := os.Remove(first); err != nil {
		t.Fatal(err)
	}
	if r := call(t, dir, nil, "audit", "-n", "2"); r.code != 0 || r.stderr != "" {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if r := call(t, dir, nil, "audit"); r.code != 0 || !strings.Contains(r.stderr, "the segment "+filepath.Base(first)+" is missing") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	r = call(t, dir, nil, "audit", "verify")
	if r.code != 7 || !strings.Contains(r.stdout, filepath.Base(first)+":\n") || !strings.Contains(r.stdout, "the segment is gone: it had 3 events, and "+filepath.Base(second)+" continues it") {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	var verdict struct {
		Files    []string
		Findings []struct{ Class, File string }
	}
	r = call(t, dir, nil, "audit", "verify", "--format", "json")
	if err := json.Unmarshal([]byte(r.stdout), &verdict); err != nil || !slices.Equal(verdict.Files, []string{filepath.Base(second), "audit.jsonl"}) || verdict.Findings[0].File != filepath.Base(first) {
		t.Errorf("%v %s", err, r.stdout)
	}
}

func TestAuditRotateRefuses(t *testing.T) {
	dir := t.TempDir()
	nothing := func() {
		t.Helper()
		if r := call(t, dir, nil, "audit", "rotate"); r.code != 0 || r.stdout != "" || !strings.Contains(r.stderr, "Nothing to rotate") {
			t.Errorf("exit %d %q\n%s", r.code, r.stdout, r.stderr)
		}
	}
	nothing()
	if r := call(t, dir, nil, "audit", "rotate"); !strings.Contains(r.stderr, "no audit log: looked for ") {
		t.Errorf("without a log: %s", r.stderr)
	}
	if r := call(t, dir, nil, "audit", "accept", "--reason", "x"); r.code != 0 || !strings.Contains(r.stderr, "Nothing to accept: no audit log") {
		t.Errorf("without a log: exit %d %s", r.code, r.stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, ".contextcore")); err == nil {
		t.Error("a directory was made for nothing")
	}
	id := recorded(t, dir, "pending")[0]
	r := call(t, dir, nil, "audit", "rotate")
	if r.code != 5 || !strings.Contains(r.stderr, "prune "+id+" is unfinished\n") || !strings.Contains(r.stderr, "Try: ccdestroy reconcile; or ccdestroy record --id "+id) {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if r := call(t, dir, nil, "record", "--id", id, "--outcome", "failed"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	segment := rotateOnce(t, dir)
	nothing()
	r = call(t, dir, nil, "record", "--log", segment, "--operation", "prune", "--outcome", "failed")
	if r.code != 6 || !strings.Contains(r.stderr, "a closed segment, to which nothing is added") || !strings.Contains(r.stderr, "\nTry: ") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	for _, args := range [][]string{{"x"}, {"--reason", "x"}} {
		if r := call(t, dir, nil, append([]string{"audit", "rotate"}, args...)...); r.code != 2 || !strings.Contains(r.stderr, "\nTry: ccdestroy audit rotate --help") {
			t.Errorf("%q: exit %d\n%s", args, r.code, r.stderr)
		}
	}
	for _, key := range []string{"closes", "continues", "accepted"} {
		if r := call(t, dir, nil, "record", "--operation", "rotate", "--outcome", "success", "--detail", key+"=x"); r.code != 2 {
			t.Errorf("%s: exit %d\n%s", key, r.code, r.stderr)
		}
	}
	// A log of another name, and one of another account's making that has an odd id.
	other := filepath.Join(dir, "other.jsonl")
	if r := call(t, dir, nil, "record", "--log", other, "--operation", "prune", "--outcome", "failed"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	if name := filepath.Base(rotateOnce(t, dir, "--log", other)); !strings.HasPrefix(name, "other-2024-02-01-") {
		t.Error(name)
	}
	asSchema(t, other)
}

// A rotation that was cut short is finished by the next one that records, and
// until then every reader finds the log, from below the project too.
func TestAuditRotateCutShort(t *testing.T) {
	dir := t.TempDir()
	ids := recorded(t, dir, "success")
	rotateOnce(t, dir)
	live := filepath.Join(dir, ".contextcore", "audit.jsonl")
	if err := os.Remove(live); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(dir, "src")
	if err := os.Mkdir(below, 0o700); err != nil {
		t.Fatal(err)
	}
	if r := call(t, below, nil, "audit", "-q"); r.code != 0 || !strings.Contains(r.stdout, ids[0]) {
		t.Errorf("exit %d %q %s", r.code, r.stdout, r.stderr)
	}
	if r := call(t, dir, nil, "audit", "rotate"); r.code != 0 || !strings.Contains(r.stderr, "A rotation that was cut short is finished.") {
		t.Errorf("exit %d %s", r.code, r.stderr)
	}
	asSchema(t, live)
	if r := call(t, below, nil, "audit", "verify"); r.code != 0 {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	// The same by a record, whose event then continues the segment.
	recorded(t, dir, "success")
	rotateOnce(t, dir)
	if err := os.Remove(live); err != nil {
		t.Fatal(err)
	}
	recorded(t, dir, "failed")
	asSchema(t, live)
	if r := call(t, dir, nil, "audit", "verify"); r.code != 7 { // the removed head was noted
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
}

// A log that was replaced on purpose is accepted once, with a reason.
func TestAuditAccept(t *testing.T) {
	dir := t.TempDir()
	recorded(t, dir, "success", "failed")
	accept := []string{"audit", "accept", "--reason", "moved\x1b[2J"}
	if r := call(t, dir, nil, accept...); r.code != 0 || !strings.Contains(r.stderr, "Nothing to accept") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	word := strings.TrimSpace(call(t, dir, nil, "audit", "head").stdout)
	live := filepath.Join(dir, ".contextcore", "audit.jsonl")
	if err := os.Remove(live); err != nil {
		t.Fatal(err)
	}
	if r := call(t, dir, nil, "audit"); !strings.Contains(r.stderr, "WARNING") {
		t.Error(r.stderr)
	}
	for _, c := range []struct {
		env  []string
		args []string
	}{{nil, nil}, {nil, []string{"--reason", " "}}, {[]string{"CCDESTROY_REASON=x"}, nil}} {
		r := call(t, dir, c.env, append([]string{"audit", "accept"}, c.args...)...)
		if r.code != 2 || !strings.Contains(r.stderr, "--reason") || !strings.Contains(r.stderr, "\nTry: ccdestroy audit accept --help") {
			t.Errorf("%v: exit %d\n%s", c, r.code, r.stderr)
		}
	}
	r := call(t, dir, nil, accept...)
	if r.code != 0 || !strings.Contains(r.stderr, "Accepted: the log is missing: it had 2 events\n") || strings.Contains(r.stderr, "\x1b") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	asSchema(t, live)
	if r := call(t, dir, nil, "audit", "-q"); r.stderr != "" || len(strings.Fields(r.stdout)) != 1 {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
	if r := call(t, dir, nil, "audit", "verify"); r.code != 0 {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	if r := call(t, dir, nil, "audit", "verify", "--head", word); r.code != 7 {
		t.Errorf("a given head no longer counts: exit %d\n%s", r.code, r.stdout)
	}
	all := list(t, dir)
	if r := call(t, dir, nil, "audit", "show", all[0].ID); !strings.Contains(r.stdout, "Reason       moved") || !strings.Contains(r.stdout, word) {
		t.Error(r.stdout)
	}
	// Damage within stays.
	recorded(t, dir, "success")
	data, err := os.ReadFile(live)
	if err != nil {
		t.Fatal(err)
	}
	put(t, live, strings.Replace(string(data), `"outcome":"success"`, `"outcome":"partial"`, 1))
	if r := call(t, dir, nil, accept...); r.code != 0 || !strings.Contains(r.stderr, "The log itself is not intact: ccdestroy audit verify") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if r := call(t, dir, nil, "audit", "verify"); r.code != 7 {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
}

// Two logs in one file can be accepted, and what is printed names the log.
func TestAcceptTwoLogs(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "a log")
	var both []byte
	for _, dir := range []string{dir, other} {
		if r := call(t, dir, nil, "record", "--operation", "prune", "--outcome", "success", "--log", "a log"); r.code != 0 {
			t.Fatalf("exit %d\n%s", r.code, r.stderr)
		}
		data, err := os.ReadFile(filepath.Join(dir, "a log"))
		if err != nil {
			t.Fatal(err)
		}
		both = append(data, both...)
	}
	put(t, path, string(both))
	r := call(t, dir, nil, "audit", "accept", "--reason", "joined", "--log", "a log")
	if want := "not intact: ccdestroy audit verify --log '" + path + "'\n"; r.code != 0 || !strings.Contains(r.stderr, want) {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

// What is followed goes on over a rotation.
func TestFollowRotation(t *testing.T) {
	dir := t.TempDir()
	recorded(t, dir, "success")
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	signals, done := make(chan os.Signal, 1), make(chan int, 1)
	go func() {
		done <- Main(Process{Args: []string{"audit", "--follow", "--format", "jsonl"}, Environ: []string{"XDG_STATE_HOME=" + filepath.Join(dir, "state")},
			Dir: dir, Stdout: out, Stderr: out, Signals: signals, Now: func() time.Time { return clock }})
	}()
	waitFor := func(n int) {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			data, err := os.ReadFile(out.Name())
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(string(data), "\n"); got == n {
				return
			} else if got > n || time.Now().After(end) {
				t.Fatalf("%d lines, not %d:\n%s", got, n, data)
			}
		}
	}
	waitFor(1)
	recorded(t, dir, "failed")
	waitFor(2)
	rotateOnce(t, dir)
	recorded(t, dir, "success")
	rotateOnce(t, dir)
	recorded(t, dir, "partial")
	waitFor(8)
	signals <- syscall.SIGINT
	if code := <-done; code != 130 {
		t.Errorf("exit %d", code)
	}
}
