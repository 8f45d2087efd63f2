package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/built"
	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// duckdb runs a query. DuckDB is C++.
var duckdb = built.Server{What: "DuckDB", Module: "duckdb", Package: ".", Cgo: true}

// The queries that docs/query.md shows for DuckDB say of a mirrored store what the
// command beside each says of the store. Its oldest day is in packs alone, the next
// one in packs and loose with an event that came late, the last one loose.
func TestDocumentedQueries(t *testing.T) {
	need.Command(t, "gcc", "g++")
	server := s3lab.Start(t, s3lab.Options{})
	url := server.Bucket("acme-audit", false) + "/teardowns"
	dir := t.TempDir()
	bin, duck := program(t), duckdb.Binary(t)
	run := func(name string, args ...string) []byte {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.Env = append(append(os.Environ(), server.Environ(server.Root)...), "HOME="+dir, "XDG_STATE_HOME="+filepath.Join(dir, "state"), "CCDESTROY_STORE="+url)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %q: %v: %s", filepath.Base(name), args, err, &errs)
		}
		return out
	}
	run(bin, "store", "key", "audit.example.com", "-o", "seal.key")
	for n := range 2 {
		run(bin, "ship", queryLog(t, dir, n, longAgo, 2))
	}
	run(bin, "store", "seal", "--signing-key", "seal.key", "--days", "0")
	packed := filepath.Join(server.Dir, "data", "acme-audit", "teardowns", "v1", "events", "day="+longAgo.Format("2006-01-02"))
	if err := os.RemoveAll(packed); err != nil {
		t.Fatal(err)
	}
	run(bin, "ship", queryLog(t, dir, 2, longAgo.Add(24*time.Hour), 2))
	for key, data := range server.Objects("acme-audit", "teardowns") {
		file := filepath.Join(dir, "mirror", strings.TrimPrefix(key, "teardowns/v1/"))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile("../../docs/query.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## DuckDB\n")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := regexp.MustCompile("(?s)(?:`ccdestroy ([^`]+)`\n\n)?```sql\n(.*?)```").FindAllStringSubmatch(section, -1)
	if len(blocks) != 7 || blocks[0][1] != "" {
		t.Fatalf("%d queries", len(blocks))
	}
	for _, b := range blocks[1:] {
		var got, want []map[string]any
		if err := json.Unmarshal(run(duck, blocks[0][2], b[2]), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(run(bin, append(strings.Fields(b[1]), "--format", "json")...), &want); err != nil {
			t.Fatal(err)
		}
		if len(want) == 0 {
			t.Errorf("%s: nothing", b[1])
		}
		if g, w := counted(got, got), counted(want, got); !slices.Equal(g, w) {
			t.Errorf("%s\n%s gives\n%q\nwant\n%q", b[1], b[2], g, w)
		}
	}
}

// counted are the rows by the columns of like that they share with what audit
// prints, each with how many there are.
func counted(rows, like []map[string]any) (out []string) {
	n := map[string]int{}
	for _, row := range rows {
		text, count := "", 1
		for _, column := range []string{"id", "operation", "outcome", "user", "data_affected"} {
			if _, has := like[0][column]; has {
				text += fmt.Sprint(row[column], " ")
			}
		}
		if c, is := row["operations"].(float64); is {
			count = int(c)
		}
		n[text] += count
	}
	for text, count := range n {
		out = append(out, fmt.Sprintf("%s%d", text, count))
	}
	slices.Sort(out)
	return out
}

// queryLog makes a log of operations on some days of two projects: what ended well,
// and not, and what never ended.
func queryLog(t *testing.T, dir string, n int, from time.Time, days int) string {
	t.Helper()
	l := &audit.Log{Path: filepath.Join(dir, fmt.Sprintf("log%d.jsonl", n))}
	for i := range days * 12 {
		at := from.Add(time.Duration(i)*2*time.Hour + time.Duration(n)*time.Minute)
		project := []string{"shop", "blog", "a \"quoted\" one"}[(i+n)%3]
		e := audit.Event{
			ID: ulid.MustNewDefault(at).String(), Timestamp: at, Operation: []string{"destroy", "prune"}[i/5%2], Outcome: audit.Pending, User: []string{"ana", "ci"}[n%2],
			Details: fmt.Appendf(nil, `{"project":%q,"reason":"end of the branch"}`, project), DataAffected: []string{project + "_pgdata", project + "_cache"},
		}
		if _, err := l.Begin(t.Context(), e, 0); err != nil {
			t.Fatal(err)
		}
		if i%7 == 3 {
			continue
		}
		e.Timestamp, e.Outcome = at.Add(time.Second), []audit.Outcome{audit.Success, audit.Failed, audit.Partial}[i%3]
		if e.Outcome == audit.Failed {
			e.DataAffected = nil
		}
		if _, err := l.Append(t.Context(), e, 0); err != nil {
			t.Fatal(err)
		}
	}
	return l.Path
}
