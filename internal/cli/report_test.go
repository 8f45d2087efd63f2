package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/logs"
	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// hostileProject is a project whose log tells of names that attack pages.
func hostileProject(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	l := &audit.Log{Path: filepath.Join(dir, audit.DefaultPath)}
	for i, text := range []string{`<script>document.title="owned"</script>`, `"><img src=x onerror='document.title="owned"'>`, "</td></tr></table><!--", "x\u202egpj", "javascript:alert(1)", "{{.}}", "shop"} {
		details, err := json.Marshal(map[string]any{"project": text, "error": text, "remaining": []string{text}, "bytes_lost": 1000 * (i + 1),
			"actor": map[string]any{"host": text, "ci": map[string]any{"vendor": text, "actor": text, "url": text}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []audit.Outcome{audit.Pending, audit.Partial} {
			if _, err := l.Begin(t.Context(), audit.Event{ID: text + "0", Timestamp: clock.Add(time.Duration(i) * time.Hour), Operation: audit.Destroy, Outcome: o,
				User: text, Details: details, DataAffected: []string{text}}, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func page(t *testing.T, dir string, args ...string) string {
	t.Helper()
	file := filepath.Join(dir, "report.html")
	if r := call(t, dir, nil, append([]string{"audit", "report", "-o", file}, args...)...); r.code != 0 || r.stdout != "" {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// elements are the names of a page's elements; the test fails unless each is
// closed where it should be, links lead somewhere, and ids are there once.
func elements(t *testing.T, text string) (names []string) {
	t.Helper()
	void := []string{"meta", "rect", "line", "br", "img", "link", "input"}
	var open, links []string
	ids := map[string]bool{}
	for z := html.NewTokenizer(strings.NewReader(text)); ; {
		switch z.Next() {
		case html.ErrorToken:
			for _, l := range links {
				if !ids[l] {
					t.Errorf("a link to #%s, which is not there", l)
				}
			}
			if len(open) > 0 {
				t.Errorf("not closed: %q", open)
			}
			return names
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := z.Token()
			names = append(names, tag.Data)
			for _, a := range tag.Attr {
				switch {
				case a.Key == "style" || strings.HasPrefix(a.Key, "on") || a.Key == "src":
					t.Errorf("<%s %s=%q>", tag.Data, a.Key, a.Val)
				case a.Key == "id" && ids[a.Val]:
					t.Errorf("id %q twice", a.Val)
				case a.Key == "id":
					ids[a.Val] = true
				case a.Key == "href":
					links = append(links, strings.TrimPrefix(a.Val, "#"))
				}
			}
			if !slices.Contains(void, tag.Data) {
				open = append(open, tag.Data)
			}
		case html.EndTagToken:
			tag := z.Token()
			if len(open) == 0 || open[len(open)-1] != tag.Data {
				t.Fatalf("</%s> closes %q", tag.Data, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func TestReport(t *testing.T) {
	dir := project(t)
	text := page(t, dir)
	names := elements(t, text)
	for _, bad := range []string{"script", "img", "iframe", "form"} {
		if slices.Contains(names, bad) {
			t.Errorf("the page has a <%s>", bad)
		}
	}
	all := list(t, dir, "-n", "0")
	if got := strings.Count(text, `id="op-`); got != len(all) {
		t.Errorf("%d operations, not %d", got, len(all))
	}
	for _, want := range []string{"The log is <strong>intact</strong>", `lang="en"`, "<h1>", "GENERATED0LOG0OF0TESTS0XYZ:400:", "role=\"img\"", "<title id=", "color-scheme"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	few := page(t, dir, "--operation", "restore", "--since", "2024-01-01")
	if got := strings.Count(few, `id="op-`); got == 0 || got >= len(all) || !strings.Contains(few, "--operation restore --since 2024-01-01T") {
		t.Errorf("filtered: %d operations", got)
	}
	if none := page(t, dir, "--user", "nobody"); !strings.Contains(none, "Nothing happened") {
		t.Error("an empty report says nothing of it")
	}
	if r := call(t, t.TempDir(), nil, "audit", "report"); r.code != 1 || r.stdout != "" || !strings.Contains(r.stderr, "no audit log") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	put(t, filepath.Join(dir, ".contextcore", "audit.jsonl"), "what\n")
	if bad := page(t, dir); !strings.Contains(bad, "NOT intact") || !strings.Contains(bad, "malformed") {
		t.Error("a spoilt log is not told of")
	}
}

// A log of 100,000 events gives a page under 5 MB that says what it leaves out.
func TestLongReport(t *testing.T) {
	if os.Getenv("CCDESTROY_LAB") == "" {
		t.Skip("SKIPPED: make test runs this")
	}
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := logs.Write(f, logs.Options{Seed: 2, Bytes: 1 << 40, Events: 100_000}); err != nil {
		t.Fatal(err)
	}
	text := page(t, dir, "--log", f.Name())
	if len(text) > 5_000_000 || !strings.Contains(text, "The newest 5000 of 5") || !strings.Contains(text, "older ones are in the sums above") {
		t.Errorf("%d bytes", len(text))
	}
	elements(t, text)
}

// A browser shows the page, also under a policy that forbids everything; no name
// in it does anything, and it needs nothing from elsewhere.
func TestReportInBrowser(t *testing.T) {
	if os.Getenv("CCDESTROY_LAB") == "" {
		t.Skip("SKIPPED: make test runs this")
	}
	need.Command(t, "chromium")
	text := page(t, hostileProject(t))
	elements(t, text)
	for _, policy := range []string{"", "default-src 'none'"} {
		asked := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked++; r.URL.Path != "/favicon.ico" && asked > 1 {
				t.Errorf("the page asks for %s", r.URL)
			}
			if policy != "" {
				w.Header().Set("Content-Security-Policy", policy)
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(text))
		}))
		defer server.Close()
		picture := filepath.Join(t.TempDir(), "page.png")
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		common := []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
			"--disable-component-update", "--disable-sync", "--user-data-dir=" + t.TempDir(), "--window-size=1000,2000"}
		dom, err := exec.CommandContext(ctx, "chromium", append(common, "--dump-dom", server.URL)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"<script", "<img", "owned</title>"} {
			if strings.Contains(string(dom), bad) {
				t.Errorf("the browser sees %s", bad)
			}
		}
		if !strings.Contains(string(dom), "&lt;script&gt;") || strings.Count(string(dom), `id="op-`) != 7 {
			t.Errorf("the browser does not see the operations:\n%.2000s", dom)
		}
		asked = 0
		if out, err := exec.CommandContext(ctx, "chromium", append(common, "--screenshot="+picture, server.URL)...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if info, err := os.Stat(picture); err != nil || info.Size() < 10_000 {
			t.Errorf("the picture is empty: %v", err)
		}
	}
}
