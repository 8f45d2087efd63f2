package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// program builds ccdestroy, for what only the program itself shows.
func program(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "ccdestroy")
	need.Run(t, "go", "build", "-o", bin, "../../cmd/ccdestroy")
	return bin
}

// The commands of sealing, from the key to the proof, on the program itself.
func TestSealCommands(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	url := server.Bucket("audit", false)
	dir := t.TempDir()
	bin := program(t)
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
	id := ulid.MustNewDefault(longAgo).String()
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
	// A changed object of a sealed day is one problem, and readers have the event from its pack.
	objects, err := filepath.Glob(filepath.Join(server.Dir, "data", "audit", "v1", "events", "*", "*_success_*.json"))
	if err != nil || len(objects) != 1 {
		t.Fatal(err, objects)
	}
	object, err := os.ReadFile(objects[0])
	if err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func() error{
		"changed": func() error {
			return os.WriteFile(objects[0], bytes.Replace(object, []byte("ana"), []byte("bob"), 1), 0o600)
		},
		"added": func() error { return os.WriteFile(filepath.Join(filepath.Dir(objects[0]), "x.json"), nil, 0o600) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if out := run(7, "audit", "verify", "--store", "--store-key", public, "--format", "json"); strings.Count(out, `"class"`) != 1 {
			t.Errorf("an object %s: %s", what, out)
		}
		if out := run(0, "audit", "--store", "--user", "ana", "--format", "csv"); strings.Count(out, id) != 1 || strings.Contains(out, "WARNING") {
			t.Errorf("an object %s: %s", what, out)
		}
		_ = os.Remove(filepath.Join(filepath.Dir(objects[0]), "x.json"))
		if err := os.WriteFile(objects[0], object, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// The rule of the bucket removes the objects of sealed days.
	if err := os.RemoveAll(filepath.Join(server.Dir, "data", "audit", "v1", "events")); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"audit", "--store"}, {"audit", "show", "--store", id}, {"audit", "report", "--store", "-o", "-"}, {"audit", "verify", "--store", "--store-key", public}, {"audit", "head", "--store"}} {
		if out := run(0, args...); args[1] != "verify" && args[1] != "head" && !strings.Contains(out, id[:8]) || strings.Contains(out, "WARNING") {
			t.Errorf("%q: %s", args, out)
		}
	}
	run(2, "audit", "verify", "--proof", "proof.json")
	run(2, "audit", "verify", "--proof", "proof.json", "--store-key", "x")
	if out := run(2, "audit", "verify", "--store-key", public); !strings.Contains(out, "\nTry: --store --store-key KEY") {
		t.Errorf("a key for a log here:\n%s", out)
	}
	other := strings.TrimSpace(run(0, "store", "key", "audit.example.com", "-o", "other.key"))
	run(7, "audit", "verify", "--proof", "proof.json", "--store-key", other)
	run(7, "store", "seal", "--signing-key", "other.key")
	run(7, "audit", "verify", "--store", "--store-key", other)
	if out := run(0, "audit", "--store", "--store-key", other); !strings.Contains(out, "WARNING") || strings.Contains(out, id[:8]) {
		t.Error(out)
	}
	run(1, "audit", "prove", "01KB0000000000000000000009", "-o", "none.json")
	if err := os.RemoveAll(filepath.Join(server.Dir, "data", "audit", "v1", "seals")); err != nil {
		t.Fatal(err)
	}
	if out := run(7, "audit", "verify", "--store", "--store-key", public); !strings.Contains(out, "seal removed") {
		t.Error(out)
	}
}

var longAgo = time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)

// seedLog makes a log of one operation, long ago.
func seedLog(t *testing.T, path, id string) {
	t.Helper()
	l := &audit.Log{Path: path}
	e := audit.Event{ID: id, Timestamp: longAgo, Operation: "destroy", Outcome: audit.Pending, User: "ana"}
	if _, err := l.Begin(t.Context(), e, 0); err != nil {
		t.Fatal(err)
	}
	e.Outcome = audit.Success
	if _, err := l.Append(t.Context(), e, 0); err != nil {
		t.Fatal(err)
	}
}
