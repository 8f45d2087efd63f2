package engine

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/docker/cli/cli/config"
)

// Wherever its address comes from, the engine's socket is named so that it is the same
// for everybody.
func TestSocket(t *testing.T) {
	before := config.Dir()
	config.SetDir(t.TempDir())
	defer config.SetDir(before)
	meta := filepath.Join(config.Dir(), "contexts", "meta", fmt.Sprintf("%x", sha256.Sum256([]byte("other"))))
	if err := os.MkdirAll(meta, 0o755); err != nil {
		t.Fatal(err)
	}
	text := `{"Name": "other", "Metadata": {}, "Endpoints": {"docker": {"Host": "unix:///run/other.sock"}}}`
	if err := os.WriteFile(filepath.Join(meta, "meta.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		host, context, variable, want string
		is                            bool
	}{
		"the default":   {"", "", "", "unix:///var/run/docker.sock", true},
		"a host":        {"unix:///run/a b.sock", "", "", "unix:///run/a b.sock", true},
		"a variable":    {"", "", "unix:///run/x.sock", "unix:///run/x.sock", true},
		"a context":     {"", "other", "unix:///run/x.sock", "unix:///run/other.sock", true},
		"no socket":     {"tcp://ana:secret@h:1", "", "", "tcp://h:1", false},
		"a remote host": {"", "", "ssh://ana@h", "ssh://h", false},
	} {
		client, err := Connect(Address{Host: c.host, Context: c.context, Env: func(name string) string { return map[string]string{"DOCKER_HOST": c.variable}[name] }})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, is := client.Socket(); got != c.want || is != c.is {
			t.Errorf("%s: %q, %t", name, got, is)
		}
	}
}
