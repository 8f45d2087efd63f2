package store

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/built"
	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// node is one server of a cluster, in a network namespace of its own.
type node struct {
	*s3lab.Server
	space string // the namespace
	at    string // its address
}

// cluster is three servers on one back end behind HAProxy.
func cluster(t *testing.T) (nodes []*node, url string) {
	t.Helper()
	need.Root(t)
	need.Command(t, "haproxy", "ip", "iptables")
	s3lab.Binary(t) // or skip before anything is set up
	dir, backends := "", ""
	for i := range 3 {
		n := &node{space: fmt.Sprintf("ccd%d-%d", os.Getpid(), i), at: fmt.Sprintf("10.213.%d.%d", os.Getpid()%250, 4*i+2)}
		gateway := fmt.Sprintf("10.213.%d.%d", os.Getpid()%250, 4*i+1)
		link := fmt.Sprintf("ccd%dv%d", os.Getpid()%100000, i)
		need.Run(t, "ip", "netns", "add", n.space)
		t.Cleanup(func() { need.Run(t, "ip", "netns", "del", n.space) })
		need.Run(t, "ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", n.space)
		need.Run(t, "ip", "addr", "add", gateway+"/30", "dev", link)
		need.Run(t, "ip", "link", "set", link, "up")
		need.Run(t, "ip", "-n", n.space, "addr", "add", n.at+"/30", "dev", "eth0")
		need.Run(t, "ip", "-n", n.space, "link", "set", "eth0", "up")
		need.Run(t, "ip", "-n", n.space, "link", "set", "lo", "up")
		n.Server = s3lab.Start(t, s3lab.Options{Dir: dir, Address: n.at + ":7070", In: []string{"ip", "netns", "exec", n.space}, Args: []string{"--health", "/health"}, Attributes: true})
		dir = n.Dir
		backends += fmt.Sprintf("  server n%d %s:7070 check inter 200ms fall 2 rise 1\n", i, n.at)
		nodes = append(nodes, n)
	}
	config := filepath.Join(t.TempDir(), "haproxy.cfg")
	address := built.FreeAddress(t)
	text := "global\n  maxconn 500\ndefaults\n  mode http\n  timeout connect 500ms\n  timeout client 30s\n  timeout server 2s\n  retries 3\n  option redispatch\n" +
		"frontend s3\n  bind " + address + "\n  default_backend nodes\nbackend nodes\n  balance roundrobin\n  option httpchk GET /health\n" + backends
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy := exec.Command("haproxy", "-db", "-f", config)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Process.Kill(); _ = proxy.Wait() })
	url = "http://" + address
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if resp, err := http.Get(url + "/health"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nodes, url
			}
		}
		if time.Now().After(end) {
			t.Fatal("HAProxy does not answer")
		}
	}
}

// While nodes of a cluster are killed, hang and are cut off, no deed goes ahead
// without its record, and in the end every line is there once.
func TestCluster(t *testing.T) {
	nodes, url := cluster(t)
	nodes[0].Bucket("audit", false)
	const writers = 6
	var logs []*audit.Log
	var work sync.WaitGroup
	var secured, refused atomic.Int64
	stop := make(chan struct{})
	b, err := OpenS3("s3://audit/team?endpoint="+url, nodes[0].Getenv(nodes[0].Root))
	if err != nil {
		t.Fatal(err)
	}
	for range writers {
		dir := t.TempDir()
		l := &audit.Log{Path: filepath.Join(dir, "audit.jsonl")}
		logs = append(logs, l)
		work.Go(func() {
			c := &Copies{To: []*Copy{{Sink: Objects{b}, Mode: Require}}, State: filepath.Join(dir, "state")}
			for {
				select {
				case <-stop:
					return
				default:
				}
				e := audit.Event{ID: ulid.Make().String(), Timestamp: time.Now(), Operation: audit.Destroy, Outcome: audit.Success, User: "ci"}
				if _, err := l.Begin(t.Context(), e, 0); err != nil {
					t.Error(err)
					return
				}
				if err := c.Secure(t.Context(), l); err != nil {
					refused.Add(1)
					t.Logf("refused: %v", err)
				} else {
					secured.Add(1)
				}
			}
		})
	}
	progress := func(what string) {
		t.Helper()
		from := secured.Load()
		for end := time.Now().Add(2 * time.Minute); secured.Load() < from+60; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: nothing goes on", what)
			}
		}
	}
	progress("all nodes")
	nodes[0].Stop()
	progress("a node is killed")
	nodes[0].Run()
	nodes[0].Ready()
	_ = nodes[1].Process().Signal(syscall.SIGSTOP)
	progress("a node hangs")
	_ = nodes[1].Process().Signal(syscall.SIGCONT)
	progress("it goes on")
	need.Run(t, "ip", "netns", "exec", nodes[2].space, "iptables", "-A", "INPUT", "-j", "DROP")
	progress("a node is cut off")
	need.Run(t, "ip", "netns", "exec", nodes[2].space, "iptables", "-D", "INPUT", "-j", "DROP")
	for i := range 2 { // two of three at once
		nodes[i].Stop()
	}
	progress("one node is left")
	for i := range 2 {
		nodes[i].Run()
		nodes[i].Ready()
	}
	progress("all are back")
	close(stop)
	work.Wait()
	stored(t, nodes[0].Server, logs...)
	report, err := Archive{Loose{b}}.Verify(t.Context(), "s3://audit/team", nil)
	if err != nil || !report.Intact() || report.Logs != writers {
		t.Errorf("%v: %+v", err, report)
	}
	t.Logf("%d lines, %d refusals", secured.Load(), refused.Load())
}

// A back end without room refuses; with room again nothing is missing.
func TestFullBackend(t *testing.T) {
	need.Root(t)
	s3lab.Binary(t)
	hasty(t, 3*time.Second)
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		t.Fatal(err)
	}
	need.Run(t, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", data)
	t.Cleanup(func() { need.Run(t, "umount", data) })
	server := s3lab.Start(t, s3lab.Options{Dir: dir})
	server.Bucket("audit", false)
	s := newSite(t, server, Require)
	recorded(t, s.log, 600) // a page of memory each, at least
	if err := s.copies.Secure(t.Context(), s.log); err == nil {
		t.Error("all of it fits")
	} else {
		t.Log(err)
	}
	need.Run(t, "mount", "-o", "remount,size=64m", data)
	secureBudget = time.Minute
	if err := s.copies.Secure(t.Context(), s.log); err != nil {
		t.Error(err)
	}
	stored(t, server, s.log)
}
