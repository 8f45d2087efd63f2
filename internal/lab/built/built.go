// Package built builds servers that tests need from their source, each once, in a
// module of its own under internal/lab.
package built

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// Server is a program that Go builds once (minutes), and that the cache directory of
// the account keeps.
type Server struct {
	What    string // in a few words, for the test that is skipped
	Module  string // its directory in internal/lab, and its name in the cache
	Version string // another one is built anew
	Package string

	once sync.Once
	path string
	err  error
}

// Binary is where it is. Where CCDESTROY_UNIT is set, the test is skipped.
func (s *Server) Binary(t testing.TB) string {
	t.Helper()
	need.That(t, s.What, os.Getenv("CCDESTROY_UNIT") == "")
	s.once.Do(func() { s.path, s.err = s.build() })
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.path
}

func (s *Server) build() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(cache, "ccdestroy", s.Module+"-"+s.Version)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	lock, err := durable.Sharing{}.Lock(context.Background(), path+".lock", 20*time.Minute) // several packages build at once
	if err != nil {
		return "", err
	}
	defer func() { _ = lock.Unlock() }()
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", err
	}
	draft := fmt.Sprintf("%s.%d", path, os.Getpid())
	defer os.Remove(draft)
	cmd := exec.Command("go", "build", "-C", filepath.Join(strings.TrimSpace(string(root)), "internal", "lab", s.Module), "-trimpath", "-ldflags", "-s -w", "-o", draft, s.Package)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", s.Module, err, out)
	}
	return path, os.Rename(draft, path)
}
