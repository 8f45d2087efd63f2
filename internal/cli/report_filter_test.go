package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// asking is a page around the report that clicks its filters, one after the other,
// and writes down how many operations are then on the screen.
const asking = `<!DOCTYPE html><title>asked</title><iframe id="f" src="/report" width="1200" height="900"></iframe><pre id="answer"></pre><script>
f.onload = () => {
  const d = f.contentDocument, rows = () => [...d.querySelectorAll('#operations tbody tr')].filter(r => f.contentWindow.getComputedStyle(r).display !== 'none').length
  const said = [rows()]
  for (const id of %s) { d.getElementById(id).click(); said.push(rows()) }
  answer.textContent = 'rows: ' + said.join(' ')
}
</script>`

// The filters of the report work without a script of its own: rows of outcomes that
// are not ticked, of other projects and of other users are not shown.
func TestReportFilters(t *testing.T) {
	if os.Getenv("CCDESTROY_LAB") == "" {
		t.Skip("SKIPPED: make test runs this")
	}
	need.Command(t, "chromium")
	dir := t.TempDir()
	l := &audit.Log{Path: filepath.Join(dir, audit.DefaultPath)}
	for i, one := range []struct {
		project, user string
		outcome       audit.Outcome
		lost          []string
	}{
		{"shop", "ana", audit.Success, []string{"a"}}, {"shop", "ben", audit.Success, []string{"b"}}, {"shop", "ana", audit.Failed, nil},
		{"wiki", "ana", audit.Partial, []string{"c"}}, {"wiki", "ben", audit.Cancelled, nil}, {"shop", "ana", audit.Success, nil},
	} {
		details, err := json.Marshal(map[string]any{"project": one.project})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []audit.Outcome{audit.Pending, one.outcome} {
			if _, err := l.Begin(t.Context(), audit.Event{ID: fmt.Sprintf("01KB3ZB6Y%d", i), Timestamp: clock.Add(time.Duration(i) * time.Hour), Operation: audit.Destroy, Outcome: o,
				User: one.user, Details: details, DataAffected: one.lost}, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	text := page(t, dir)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/report" {
			_, _ = w.Write([]byte(text))
			return
		}
		// p0 and w0 are what occurs most: shop and ana.
		fmt.Fprintf(w, asking, `["f-success", "f-success", "f-lost", "p0", "w0", "f-failed", "f-lost", "f-failed", "f-undo"]`)
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dom, err := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--user-data-dir="+t.TempDir(), "--virtual-time-budget=10000", "--dump-dom", server.URL+"/asking").Output()
	if err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`rows: [\d ]+`).FindString(string(dom))
	if got != "rows: 6 3 6 3 2 1 1 2 3 0" {
		t.Errorf("%q\n%.1000s", got, dom)
	}
}
