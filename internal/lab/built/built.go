// Package built builds servers that tests need from their source, each once, in a
// module of its own under internal/lab.
package built

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
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
// the account keeps: another one when a file of its module is another.
type Server struct {
	What    string // in a few words, for the test that is skipped
	Module  string // its directory in internal/lab, and its name in the cache
	Package string
	Cgo     bool // there is C in it

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
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", err
	}
	module := filepath.Join(strings.TrimSpace(string(root)), "internal", "lab", s.Module)
	path, err := s.cached(module)
	if err != nil {
		return "", err
	}
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
	draft := fmt.Sprintf("%s.%d", path, os.Getpid())
	defer os.Remove(draft)
	cmd := exec.Command("go", "build", "-C", module, "-trimpath", "-ldflags", "-s -w", "-o", draft, s.Package)
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+map[bool]string{true: "1", false: "0"}[s.Cgo], "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", s.Module, err, out)
	}
	return path, os.Rename(draft, path)
}

// cached is where the cache has what is built of the module as it is now.
func (s *Server) cached(module string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	files, err := os.ReadDir(module)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(module, file.Name())) // a directory is an error: it would have to be read, too
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", file.Name(), len(data), data)
	}
	return filepath.Join(cache, "ccdestroy", s.Module+"-"+hex.EncodeToString(sum.Sum(nil)[:8])), nil
}

// FreeAddress is one that a server can listen at.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
