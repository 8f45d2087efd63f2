package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// machine is a project on a CI runner, whose records go to a store behind a proxy of
// faults.
type machine struct {
	*stack
	server *s3lab.Server
	proxy  *s3lab.Proxy
}

func newMachine(t *testing.T, server *s3lab.Server) *machine {
	t.Helper()
	r := &machine{stack: newStack(t, one(single)), server: server, proxy: s3lab.Before(t, server.URL, nil)}
	r.env = append(r.env, server.Environ(server.Root)...)
	r.env = append(r.env, "AWS_ENDPOINT_URL="+r.proxy.URL, "CCDESTROY_STORE=s3://audit/"+r.name, "GITHUB_ACTIONS=true")
	r.docker("compose", "up", "--detach")
	return r
}

func newStore(t *testing.T) *s3lab.Server {
	t.Helper()
	server := s3lab.Start(t, s3lab.Options{})
	server.Bucket("audit", false)
	return server
}

// shipped has what a busy machine had no time to copy copied, and returns the lines of
// the log.
func (s *stack) shipped() []string {
	s.t.Helper()
	if out := s.ccdestroy("ship"); out.code != 0 {
		s.t.Errorf("ship: exit %d\n%s", out.code, out.stderr)
	}
	data, err := os.ReadFile(s.logPath())
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

// stored makes sure that the store has the lines of the log, each once and exactly,
// and that it is intact.
func (r *machine) stored() {
	r.t.Helper()
	want := r.shipped()
	var got []string
	for _, line := range r.server.Objects("audit", r.name+"/v1/events") {
		got = append(got, string(line))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		r.t.Errorf("the store has %d lines, the log %d, or others:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	if v := r.ccdestroy("audit", "verify", "--store"); v.code != 0 || !strings.Contains(v.stdout, "intact") {
		r.t.Errorf("verify: exit %d\n%s%s", v.code, v.stdout, v.stderr)
	}
}

// In CI the record is in the store before anything goes, and its outcome after it.
// It can be read when the runner is gone.
func TestStoreOfRunner(t *testing.T) {
	t.Parallel()
	r := newMachine(t, newStore(t))
	var first string
	r.proxy.Set(func(n int, req *http.Request) s3lab.Fault {
		if n == 1 && !(r.hasVolume("PROJ_data") && r.has("PROJ-web-1")) {
			first = "something was gone before its record was in the store"
		}
		return nil
	})
	if out := r.ccdestroy("--reason", "done"); out.code != 0 || first != "" {
		t.Fatalf("exit %d, %s\n%s", out.code, first, out.stderr)
	}
	if n := len(r.server.Objects("audit", r.name)); n != 2 {
		t.Errorf("%d objects", n)
	}
	r.stored()
	id := r.last().ID
	if err := os.RemoveAll(filepath.Dir(r.logPath())); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"audit", "--store"}, id[:10]},
		{[]string{"audit", "--store=s3://audit/" + r.name, "--project", r.name, "--format", "jsonl"}, id},
		{[]string{"audit", "list", "--store", "--raw", "--reverse", "--format", "csv"}, "pending"},
		{[]string{"audit", "show", "--store", id[:12]}, "done"},
		{[]string{"audit", "report", "--store"}, r.name + "_data"},
		{[]string{"audit", "head", "--store", "s3://audit/" + r.name}, ":2:"},
		{[]string{"audit", "verify", "--store", "--format", "json"}, `"logs": 1`},
	} {
		if out := r.ccdestroy(c.args...); out.code != 0 || !strings.Contains(out.stdout, c.want) {
			t.Errorf("%q: exit %d, no %q in\n%s%s", c.args, out.code, c.want, out.stdout, out.stderr)
		}
	}
	cmd := r.command("", binary, "__complete")
	cmd.Env = append(cmd.Env, "COMP_LINE=ccdestroy audit show --store 01")
	if out := run(t, cmd); strings.TrimSpace(out.stdout) != id {
		t.Errorf("%q, not %s", out.stdout, id)
	}
	if out := r.ccdestroy("audit", "--store", "--outcome", "failed"); out.code != 0 || !strings.Contains(out.stderr, "No operation matches") {
		t.Errorf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	if out := r.ccdestroy("audit", "show", "--store", "01ZZ"); out.code != 1 || !strings.Contains(out.stderr, "no such operation") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
}

// Without its record in the store nothing is destroyed, and the log says so. When
// the store is back, everything is there.
func TestStoreFailsClosed(t *testing.T) {
	t.Parallel()
	server := newStore(t)
	for name, c := range map[string]struct {
		fault func(*machine) s3lab.Fault
		says  string
	}{
		"down":    {func(*machine) s3lab.Fault { return s3lab.Cut }, "connection reset"},
		"hung":    {func(r *machine) s3lab.Fault { return r.proxy.Hang }, "not within 30s"},
		"busy":    {func(*machine) s3lab.Fault { return s3lab.Refuse(503, "SlowDown") }, "SlowDown"},
		"expired": {func(*machine) s3lab.Fault { return s3lab.Refuse(400, "ExpiredToken") }, "ExpiredToken"},
		"denied":  {func(*machine) s3lab.Fault { return s3lab.Refuse(403, "AccessDenied") }, "access denied"},
		"skewed":  {func(*machine) s3lab.Fault { return s3lab.Refuse(403, "RequestTimeTooSkewed") }, "RequestTimeTooSkewed"},
		"full":    {func(*machine) s3lab.Fault { return s3lab.Refuse(507, "InsufficientStorage") }, "InsufficientStorage"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newMachine(t, server)
			fault := c.fault(r)
			r.proxy.Set(func(int, *http.Request) s3lab.Fault { return fault })
			out := r.ccdestroy()
			if out.code != 6 || !strings.Contains(out.stderr, "nothing was destroyed") || !strings.Contains(out.stderr, c.says) || !strings.Contains(out.stderr, "\nTry: ") {
				t.Errorf("exit %d\n%s", out.code, out.stderr)
			}
			if !r.hasVolume("PROJ_data") || !r.has("PROJ-web-1") || r.last().Outcome != "failed" {
				t.Errorf("something was destroyed, or the outcome is %s", r.last().Outcome)
			}
			r.proxy.Set(nil)
			if out := r.ccdestroy(); out.code != 0 || r.hasVolume("PROJ_data") {
				t.Errorf("exit %d\n%s", out.code, out.stderr)
			}
			r.stored()
		})
	}
}

// In later mode the teardown goes ahead, what is left is told, and the next command
// or ship copies it.
func TestStoreLater(t *testing.T) {
	t.Parallel()
	r := newMachine(t, newStore(t))
	r.proxy.Set(func(int, *http.Request) s3lab.Fault { return s3lab.Refuse(503, "SlowDown") })
	out := r.ccdestroy("--store-mode", "later")
	if out.code != 0 || r.hasVolume("PROJ_data") || !strings.Contains(out.stderr, "recorded, and not copied yet") || !strings.Contains(out.stderr, "ccdestroy ship") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	if out = r.ccdestroy("audit", "verify", "--store"); out.code != 1 {
		t.Errorf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	r.proxy.Set(nil)
	if out = r.ccdestroy("record", "--operation", "drop", "--outcome", "success"); out.code != 0 || out.stderr != "" {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	r.stored()
	if out = r.ccdestroy("audit", "rotate"); out.code != 0 {
		t.Fatalf("exit %d\n%s", out.code, out.stderr)
	}
	before := r.proxy.Count()
	if out = r.ccdestroy("ship"); out.code != 0 || !strings.Contains(out.stderr, "copied 0 events to s3://audit/"+r.name) || r.proxy.Count() != before {
		t.Errorf("exit %d, %d requests\n%s", out.code, r.proxy.Count()-before, out.stderr)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"ship", "--store", "s3://X"}, 2, "not an address of a store"},
		{[]string{"ship", "--store", "s3://audit/x?colour=red"}, 2, "unknown parameter colour=red"},
		{[]string{"ship", "--store="}, 2, "--store: its value is empty"},
		{[]string{"ship", "nothing.jsonl"}, 1, "no audit log: looked for"},
		{[]string{"--store-mode", "now"}, 2, "--store-mode"},
	} {
		if out := r.ccdestroy(c.args...); out.code != c.code || !strings.Contains(out.stderr, c.says) {
			t.Errorf("%q: exit %d\n%s", c.args, out.code, out.stderr)
		}
	}
}

// A runner is killed at each step of shipping. Nothing goes without its record in
// the store; and whoever has its log adopts it, each line once.
func TestStoreRunnerKilled(t *testing.T) {
	t.Parallel()
	server := newStore(t)
	for name, c := range map[string]struct {
		request int  // of the one teardown: 1 is the pending event, 2 the outcome
		effect  bool // it reaches the store
	}{
		"before the pending event is there": {1, false}, "after the pending event is there": {1, true},
		"before the outcome is there": {2, false}, "after the outcome is there": {2, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newMachine(t, server)
			var mu sync.Mutex // guards cmd
			mu.Lock()
			var cmd *exec.Cmd
			r.proxy.Set(func(n int, _ *http.Request) s3lab.Fault {
				if n != c.request {
					return nil
				}
				return func(w http.ResponseWriter, req *http.Request, forward func() *http.Response) {
					mu.Lock()
					defer mu.Unlock()
					if c.effect {
						if resp := forward(); resp != nil {
							resp.Body.Close()
						}
					}
					_ = cmd.Process.Kill()
				}
			})
			cmd = r.command("", binary)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			mu.Unlock()
			_ = cmd.Wait()
			gone := !r.hasVolume("PROJ_data")
			if gone != (c.request == 2) {
				t.Errorf("the volume is gone: %t", gone)
			}
			if n := len(r.server.Objects("audit", r.name)); n != c.request-1+map[bool]int{true: 1}[c.effect] {
				t.Errorf("%d objects", n)
			}
			// Another machine, which has the log and nothing else.
			r.proxy.Set(nil)
			other := r.command("", binary, "ship", r.logPath())
			other.Env = append(other.Env, "XDG_STATE_HOME="+t.TempDir())
			if out := run(t, other); out.code != 0 {
				t.Errorf("exit %d\n%s", out.code, out.stderr)
			}
			r.stored()
			if out := r.ccdestroy("reconcile"); out.code != 0 {
				t.Errorf("exit %d\n%s", out.code, out.stderr)
			}
			if last := r.last(); last.Outcome != map[bool]string{true: "success", false: "failed"}[gone] {
				t.Errorf("outcome %s", last.Outcome)
			}
			r.stored()
		})
	}
}

// doctor examines the store.
func TestStoreDoctor(t *testing.T) {
	t.Parallel()
	r := newMachine(t, newStore(t))
	out := r.ccdestroy("doctor")
	for _, want := range []string{"objects can be created", "conditional writes", "can remove objects", "Object Lock is off"} {
		if !strings.Contains(out.stdout, want) {
			t.Errorf("exit %d, no %q in\n%s", out.code, want, out.stdout)
		}
	}
	r.proxy.Set(func(int, *http.Request) s3lab.Fault { return s3lab.Refuse(403, "AccessDenied") })
	if out = r.ccdestroy("doctor"); out.code != 1 || !strings.Contains(out.stdout, "access denied") {
		t.Errorf("exit %d\n%s", out.code, out.stdout)
	}
}

// A store is reached through a proxy, and by the bucket's own name.
func TestStoreAddressing(t *testing.T) {
	t.Parallel()
	server := s3lab.Start(t, s3lab.Options{Args: []string{"--virtual-domain", "s3.lab.test"}})
	server.Bucket("audit", false)
	r := newMachine(t, server)
	for addressing, host := range map[string]string{"virtual": "audit.s3.lab.test", "path": "s3.lab.test"} {
		var hosts []string
		r.proxy.Set(func(_ int, req *http.Request) s3lab.Fault { hosts = append(hosts, req.Host); return nil })
		cmd := r.command("", binary, "record", "--operation", "drop", "--outcome", "success", "--store", "s3://audit/"+r.name+"?endpoint=http://s3.lab.test&addressing="+addressing)
		cmd.Env = append(cmd.Env, "HTTP_PROXY="+r.proxy.URL)
		if out := run(t, cmd); out.code != 0 || out.stderr != "" || !slices.Equal(hosts, []string{host}) {
			t.Errorf("%s: exit %d, %q\n%s", addressing, out.code, hosts, out.stderr)
		}
	}
	r.stored()
}

// What comes to a store is followed, whichever log it is of.
func TestStoreFollowed(t *testing.T) {
	t.Parallel()
	r := newMachine(t, newStore(t))
	record := func(outcome string) {
		if out := r.ccdestroy("record", "--operation", "drop", "--outcome", outcome, "--log", filepath.Join(t.TempDir(), outcome, "audit.jsonl")); out.code != 0 {
			t.Fatalf("exit %d\n%s", out.code, out.stderr)
		}
	}
	record("success")
	var shown buffer
	cmd := r.command("", binary, "audit", "--store", "--follow", "--format", "jsonl")
	cmd.Stdout, cmd.Stderr = &shown, &shown
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the first one", func() bool { return strings.Count(shown.String(), "\n") == 1 })
	record("failed")
	record("partial")
	waitFor(t, "those that follow", func() bool { return strings.Count(shown.String(), "\n") >= 3 })
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	for _, outcome := range []string{"success", "failed", "partial"} {
		if strings.Count(shown.String(), `"outcome":"`+outcome+`"`) != 1 {
			t.Errorf("%s: %s", outcome, shown.String())
		}
	}
}

// A plain docker compose down is recorded in the store as well, before and after;
// and refused while the store is down.
func TestStoreOfProvider(t *testing.T) {
	t.Parallel()
	server := newStore(t)
	s := withProvider(t, audited)
	r := &machine{stack: s, server: server, proxy: s3lab.Before(t, server.URL, nil)}
	r.env = append(append(r.env, server.Environ(server.Root)...), "AWS_ENDPOINT_URL="+r.proxy.URL, "CCDESTROY_STORE=s3://audit/"+r.name, "GITHUB_ACTIONS=true")
	r.docker("compose", "up", "--detach")
	r.proxy.Set(func(int, *http.Request) s3lab.Fault { return s3lab.Refuse(403, "AccessDenied") })
	if out := r.compose("down", "-v"); out.code == 0 || !r.hasVolume("PROJ_data") || !strings.Contains(out.stderr, "nothing was destroyed") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	r.proxy.Set(nil)
	if out := r.compose("down", "-v"); out.code != 0 || r.hasVolume("PROJ_data") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	waitFor(t, "the outcome in the store", func() bool { return len(server.Objects("audit", r.name)) == 4 })
	if last := r.ended(); last.Outcome != "success" {
		t.Errorf("outcome %s", last.Outcome)
	}
	r.stored()
}
