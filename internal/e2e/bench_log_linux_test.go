package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/logs"
)

// logRuns is how often each command is measured; the medians are compared.
const logRuns = 7

// bigLog is how long the log of the benchmarks is.
const bigLog = 1 << 30

// timed runs a shell command and returns its time and peak memory.
func timed(b *testing.B, command string) (time.Duration, int64) {
	b.Helper()
	cmd := exec.Command("bash", "-c", "exec "+command)
	begin := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%.500s", command, err, out)
	}
	return time.Since(begin), cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
}

// against measures two shell commands in turn.
func against(b *testing.B, ours, theirs string) {
	b.Helper()
	var mine, others []time.Duration
	var memory int64
	for n := range logRuns + 1 {
		took, peak := timed(b, ours)
		took2, _ := timed(b, theirs)
		if n > 0 { // the first one warms up
			mine, others, memory = append(mine, took), append(others, took2), max(memory, peak)
		}
	}
	report(b, mine, others, memory)
}

func report(b *testing.B, mine, others []time.Duration, memory int64) {
	slices.Sort(mine)
	slices.Sort(others)
	a, c := mine[len(mine)/2], others[len(others)/2]
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(a.Microseconds())/1000, "ours-ms")
	b.ReportMetric(float64(c.Microseconds())/1000, "theirs-ms")
	b.ReportMetric(float64(a)/float64(c), "ratio")
	if memory > 0 {
		b.ReportMetric(float64(memory)/1024, "peak-MB")
	}
}

// BenchmarkLog measures the reading of a log of 1 GiB against the tools that
// people would use.
func BenchmarkLog(b *testing.B) {
	dir := b.TempDir()
	big, small := makeLog(b, dir, "big", bigLog), makeLog(b, dir, "small", 1<<20)
	us := func(log, args string) string { return fmt.Sprintf("%s %s --log %s", binary, args, log) }
	for _, c := range []struct{ name, ours, theirs string }{
		{"list/tail-jq", us(big, "audit -n 20"), fmt.Sprintf("bash -c 'tail -n 40 %s | jq -c .'", big)},
		{"list/1-MiB", us(big, "audit -n 20"), us(small, "audit -n 20")},
		{"rare/jq", us(big, "audit -n 0 --operation prune"), fmt.Sprintf(`jq -c 'select(.operation=="prune")' %s`, big)},
		{"rare/grep", us(big, "audit -n 0 --operation prune"), "grep -c prune " + big},
		{"verify/sha256sum", us(big, "audit verify"), "sha256sum " + big},
	} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				against(b, c.ours, c.theirs)
			}
		})
	}
	b.Run("append/write-fsync", func(b *testing.B) {
		for range b.N {
			appends(b, big)
		}
	})
	b.Run("append/1-MiB", func(b *testing.B) {
		for range b.N {
			benchAppend(b, big, func(e audit.Event) { mustAppend(b, small, e) })
		}
	})
}

func makeLog(b *testing.B, dir, name string, size int64) string {
	b.Helper()
	path := filepath.Join(dir, name+".jsonl")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		err = logs.Write(f, logs.Options{Seed: 1, Bytes: size, Prunes: 5})
	}
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	return path
}

func mustAppend(b *testing.B, path string, e audit.Event) {
	l := &audit.Log{Path: path, Heads: &audit.Heads{Dir: path + ".heads"}}
	if _, err := l.Begin(context.Background(), e, 64<<10); err != nil {
		b.Fatal(err)
	}
}

// benchAppend measures an append to the log, with its room and its head,
// against another way.
func benchAppend(b *testing.B, path string, other func(audit.Event)) {
	e := audit.Event{ID: "01KB3Z8A0C4T9Q2M7V5X1B6N8D", Timestamp: time.Now(), Operation: audit.Destroy, Outcome: audit.Pending, User: "ana",
		Details: json.RawMessage(`{"project":"` + string(bytes.Repeat([]byte("x"), 1800)) + `"}`), DataAffected: []string{"shop_data"}}
	var mine, others []time.Duration
	for range 101 {
		begin := time.Now()
		mustAppend(b, path, e)
		middle := time.Now()
		other(e)
		mine, others = append(mine, middle.Sub(begin)), append(others, time.Since(middle))
	}
	report(b, mine, others, 0)
}

// appends measures it against a bare write of as many bytes, and an fsync.
func appends(b *testing.B, path string) {
	f, err := os.OpenFile(path+".bare", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	line := bytes.Repeat([]byte("x"), 2200)
	benchAppend(b, path, func(audit.Event) {
		if _, err := f.Write(line); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	})
}
