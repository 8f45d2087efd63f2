package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// dashboards behaves as Grafana's HTTP API documents for one dashboard.
func dashboards(t *testing.T) (server *httptest.Server, there func() bool) {
	t.Helper()
	exists := true
	answer := func(w http.ResponseWriter, code int, body string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer secret":
			answer(w, 401, `{"message":"Unauthorized"}`)
		case r.URL.Path == "/api/dashboards/uid/guarded" && r.Method == http.MethodDelete:
			answer(w, 412, `{"message":"provisioned dashboard cannot be deleted"}`)
		case r.URL.Path != "/api/dashboards/uid/overview" || !exists:
			answer(w, 404, `{"message":"Dashboard not found"}`)
		case r.Method == http.MethodDelete:
			exists = false
			answer(w, 200, `{"title":"Overview","message":"Dashboard Overview deleted","id":2}`)
		default:
			answer(w, 200, `{"dashboard":{"uid":"overview","title":"Overview"}}`)
		}
	}))
	t.Cleanup(server.Close)
	return server, func() bool { return exists }
}

// The script of docs/record.md deletes a dashboard, keeps it as an export, and
// records what the server said.
func TestDeleteDashboard(t *testing.T) {
	t.Parallel()
	need.Command(t, "curl")
	script := block(t, "record.md", "sh")
	for _, c := range []struct {
		uid, token string
		outcome    string
		deleted    bool
		exported   bool
	}{
		{"overview", "secret", "success", true, true},
		{"overview", "wrong", "", false, false},
		{"nothing", "secret", "", false, false},
		{"guarded", "secret", "", false, false},
	} {
		t.Run(c.uid+" "+c.token, func(t *testing.T) {
			t.Parallel()
			server, there := dashboards(t)
			s := newStack(t, map[string]string{"delete.sh": script})
			s.env = append(s.env, "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"), "GRAFANA_URL="+server.URL, "GRAFANA_TOKEN="+c.token)
			r := run(t, s.command("", "sh", "delete.sh", c.uid))
			if (r.code == 0) != c.deleted || there() == c.deleted {
				t.Errorf("exit %d, deleted %t\n%s", r.code, !there(), r.stderr)
			}
			_, err := os.Stat(filepath.Join(s.dir, c.uid+".json"))
			if (err == nil) != c.exported {
				t.Errorf("export: %v", err)
			}
			if c.outcome == "" {
				if events := s.events(); len(events) > 0 {
					t.Errorf("recorded although nothing could be exported: %v", events)
				}
				return
			}
			last := s.last()
			if last.Outcome != c.outcome || last.Operation != "delete_dashboard" || fmt.Sprint(last.DataAffected) != "["+c.uid+"]" {
				t.Errorf("%+v", last)
			}
		})
	}
	// The deletion itself is refused.
	server, there := dashboards(t)
	s := newStack(t, nil)
	for _, c := range []struct{ uid, token string }{{"overview", "wrong"}, {"nothing", "secret"}, {"guarded", "secret"}} {
		r := s.ccdestroy("run", "--operation", "delete_dashboard", "--affects", c.uid, "--", "curl", "--silent", "--show-error", "--fail", "--request", "DELETE",
			"--header", "Authorization: Bearer "+c.token, server.URL+"/api/dashboards/uid/"+c.uid)
		if last := s.last(); r.code != 22 || last.Outcome != "failed" || len(last.DataAffected) > 0 || !there() {
			t.Errorf("%v: exit %d, %s %q", c, r.code, last.Outcome, last.DataAffected)
		}
	}
}
