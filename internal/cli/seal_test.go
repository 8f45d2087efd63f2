package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// The commands of sealing, from the key to the proof, on the program itself.
func TestSealCommands(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	url := server.Bucket("audit", false)
	dir := t.TempDir()
	bin := filepath.Join(t.TempDir(), "ccdestroy")
	if out, err := exec.Command("go", "build", "-o", bin, "../../cmd/ccdestroy").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	run := func(exit int, args ...string) string {
		t.Helper()
		cmd := exec.Command(bin, args...)
		cmd.Dir = dir
		cmd.Env = append(append(os.Environ(), server.Environ(server.Root)...), "HOME="+dir, "XDG_STATE_HOME="+dir, "CCDESTROY_STORE="+url)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		_ = cmd.Run() // the code says it
		if code := cmd.ProcessState.ExitCode(); code != exit {
			t.Fatalf("%q: exit %d, not %d: %s%s", args, code, exit, &out, &errs)
		}
		return out.String() + errs.String()
	}
	public := strings.TrimSpace(run(0, "store", "key", "audit.example.com", "-o", "seal.key"))
	run(2, "store", "key", "audit.example.com", "-o", "seal.key")
	run(2, "store", "key", "a b", "-o", "other.key")
	if info, err := os.Stat(filepath.Join(dir, "seal.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v: %v", err, info)
	}
	// A log of a day that is over.
	const id = "01KB0000000000000000000001"
	history := filepath.Join(dir, "old.jsonl")
	seedLog(t, history, id)
	run(0, "ship", history)
	if out := run(0, "store", "seal", "--signing-key", "seal.key", "--days", "0"); !strings.Contains(out, "Sealed 2 events in 1 packs") {
		t.Error(out)
	}
	run(2, "store", "seal", "--signing-key", "none.key")
	run(2, "store", "seal", "--signing-key", "seal.key", "--days", "-1")
	if out := run(0, "audit", "verify", "--store", "--store-key", public); !strings.Contains(out, "by 1 seals of audit.example.com") {
		t.Error(out)
	}
	run(0, "audit", "prove", id, "-o", "proof.json")
	if out := run(0, "audit", "verify", "--proof", "proof.json", "--store-key", public); strings.Count(out, "proven: ") != 2 || !strings.Contains(out, id) {
		t.Error(out)
	}
	run(2, "audit", "verify", "--proof", "proof.json")
	run(2, "audit", "verify", "--proof", "proof.json", "--store-key", "x")
	other := strings.TrimSpace(run(0, "store", "key", "audit.example.com", "-o", "other.key"))
	run(7, "audit", "verify", "--proof", "proof.json", "--store-key", other)
	run(7, "store", "seal", "--signing-key", "other.key")
	run(7, "audit", "verify", "--store", "--store-key", other)
	run(1, "audit", "prove", "01KB0000000000000000000009", "-o", "none.json")
	if err := os.RemoveAll(filepath.Join(server.Dir, "data", "audit", "v1", "seals")); err != nil {
		t.Fatal(err)
	}
	if out := run(7, "audit", "verify", "--store", "--store-key", public); !strings.Contains(out, "seal removed") {
		t.Error(out)
	}
}

// seedLog makes a log of one operation, long ago.
func seedLog(t *testing.T, path, id string) {
	t.Helper()
	l := &audit.Log{Path: path}
	e := audit.Event{ID: id, Timestamp: time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC), Operation: "destroy", Outcome: audit.Pending, User: "ana"}
	if _, err := l.Begin(t.Context(), e, 0); err != nil {
		t.Fatal(err)
	}
	e.Outcome = audit.Success
	if _, err := l.Append(t.Context(), e, 0); err != nil {
		t.Fatal(err)
	}
}
