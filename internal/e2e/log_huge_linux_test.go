package e2e

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// repeated writes a text so many times, in few writes.
func repeated(f *os.File, text string, times int) error {
	block := strings.Repeat(text, 1000)
	for range times / 1000 {
		if _, err := io.WriteString(f, block); err != nil {
			return err
		}
	}
	return nil
}

// seedLine is a line as the Python module writes it.
const seedLine = `{"timestamp": "2026-01-02T03:04:05.000678", "operation": "prune", "outcome": "cancelled", "user": "bob", "details": {}, "data_affected": ["a"], "export_path": null}`

// peakLimit is how much memory reading the worst of logs may take, in KiB.
const peakLimit = 256 << 10

// Whatever a log holds behind its first line, no command hangs on it or takes
// memory without bound, and a teardown is recorded behind it.
func TestHugeInput(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(*os.File) error{
		"a line of 1 GiB":           func(f *os.File) error { return f.Truncate(1 << 30) },
		"ten million empty lines":   func(f *os.File) error { return repeated(f, "\n", 10_000_000) },
		"a million tiny objects":    func(f *os.File) error { return repeated(f, "{}\n", 1_000_000) },
		"deep nesting":              func(f *os.File) error { return repeated(f, `{"a":[`, 2_000_000) },
		"a million keys in a line":  func(f *os.File) error { return repeated(f, `{"a":{"k":1,"l":2},`, 1_000_000) },
		"a million seed lines":      func(f *os.File) error { return repeated(f, seedLine+"\n", 100_000) },
		"a byte order mark and CRs": func(f *os.File) error { return repeated(f, "\ufeff{}\r\n", 1_000_000) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(single))
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
			if err == nil {
				_, err = f.WriteString(seedLine + "\n")
			}
			if err == nil {
				err = make(f)
			}
			if err != nil || f.Close() != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"audit"}, {"audit", "-n", "0", "--raw", "--format", "jsonl"}, {"audit", "verify", "--format", "json"}, {"reconcile"}, {}, {"audit", "verify"}} {
				cmd := s.command("", binary, append(args, "--log", path)...)
				r := run(t, cmd)
				if r.code != 0 && !(r.code == 7 && strings.Contains(strings.Join(args, " "), "verify")) {
					t.Errorf("%q: exit %d\n%.500s", args, r.code, r.stderr)
				}
				if peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss; peak > peakLimit {
					t.Errorf("%q takes %d MiB", args, peak>>10)
				}
			}
			if r := s.ccdestroy("audit", "-n", "1", "--format", "jsonl", "--log", path); !strings.Contains(r.stdout, `"outcome":"success"`) {
				t.Errorf("the teardown is not in the log:\n%.500s", r.stdout)
			}
		})
	}
}
