package store

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// fleetDir is where a process of the fleet has the logs of its runners.
const fleetDir = "CCDESTROY_TEST_FLEET"

// TestFleetProcess is one process of TestFleet: several runners, one after the other,
// each with a log of its own and no state.
func TestFleetProcess(t *testing.T) {
	dir := os.Getenv(fleetDir)
	if dir == "" {
		t.Skip("a part of TestFleet")
	}
	secureBudget = 10 * time.Minute // many share few processors
	number := func(name string) int { n, _ := strconv.Atoi(os.Getenv(name)); return n }
	for runner := range number("RUNNERS") {
		bucket, err := OpenS3("s3://audit/team", os.Getenv)
		if err != nil {
			t.Fatal(err)
		}
		home := filepath.Join(dir, fmt.Sprint(runner))
		l := &audit.Log{Path: filepath.Join(home, "audit.jsonl")}
		c := &Copies{To: []*Copy{{Sink: Objects{bucket}, Mode: Require}}, State: filepath.Join(home, "state")}
		for range number("OPERATIONS") {
			e := audit.Event{ID: ulid.Make().String(), Timestamp: time.Now(), Operation: audit.Destroy, Outcome: audit.Pending, User: "ci", DataAffected: []string{"shop_data"}}
			if _, err := l.Begin(t.Context(), e, 0); err != nil {
				t.Fatal(err)
			}
			if err := c.Secure(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			e.Timestamp, e.Outcome = time.Now(), audit.Success
			if _, err := l.Append(t.Context(), e, 0); err != nil {
				t.Fatal(err)
			}
			_ = c.Follow(t.Context(), l) // what is left goes with the next one
		}
		if _, err := (&Shipper{Log: l, Sink: Objects{bucket}, State: c.State}).Ship(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// Of many runners at once every event is there, once, and every chain is whole.
func TestFleet(t *testing.T) {
	processes, runners, operations := 32, 32, 10 // 1,024 runners, 10,240 operations
	if testing.Short() {
		processes, runners, operations = 8, 4, 3
	}
	server := s3lab.Start(t, s3lab.Options{})
	server.Bucket("audit", false)
	dir := t.TempDir()
	var work sync.WaitGroup
	for i := range processes {
		work.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run", "^TestFleetProcess$")
			cmd.Env = append(append(os.Environ(), server.Environ(server.Root)...), fleetDir+"="+filepath.Join(dir, fmt.Sprint(i)),
				"RUNNERS="+fmt.Sprint(runners), "OPERATIONS="+fmt.Sprint(operations))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("process %d: %v\n%s", i, err, out)
			}
		})
	}
	work.Wait()
	var logs []*audit.Log
	paths, _ := filepath.Glob(filepath.Join(dir, "*", "*", "audit.jsonl"))
	for _, path := range paths {
		logs = append(logs, &audit.Log{Path: path})
	}
	if len(logs) != processes*runners {
		t.Fatalf("%d logs", len(logs))
	}
	stored(t, server, logs...)
	a := Archive{Loose{open(t, server, server.Root, "s3://audit/team")}}
	report, err := a.Verify(t.Context(), "s3://audit/team", nil)
	if err != nil || !report.Intact() || report.Logs != int64(len(logs)) || report.Events != int64(2*processes*runners*operations) || report.Unfinished != 0 {
		t.Errorf("%v: %+v", err, report)
	}
	begun := time.Now()
	n := 0
	if err := a.History(t.Context(), Query{Limit: 20}, func(audit.Record, []byte) error { n++; return nil }); err != nil || n != 20 {
		t.Errorf("%d, %v", n, err)
	}
	t.Logf("%d operations of %d runners; the newest 20 in %s", processes*runners*operations, len(logs), time.Since(begun).Round(time.Millisecond))
}
