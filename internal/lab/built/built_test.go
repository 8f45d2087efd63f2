package built

import (
	"os"
	"path/filepath"
	"testing"
)

// A program is built anew when any file of its module has changed.
func TestCached(t *testing.T) {
	module := t.TempDir()
	seen := map[string]string{}
	for _, change := range [][2]string{{"go.mod", "v1"}, {"go.mod", "v2"}, {"main.go", "v2"}, {"main.go", "v3"}, {"go.sum", ""}} {
		if err := os.WriteFile(filepath.Join(module, change[0]), []byte(change[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		path, err := (&Server{Module: "m"}).cached(module)
		if err != nil {
			t.Fatal(err)
		}
		if before := seen[path]; before != "" {
			t.Errorf("%q: the same as %s", change, before)
		}
		seen[path] = change[0] + " " + change[1]
		if again, err := (&Server{Module: "m"}).cached(module); err != nil || again != path {
			t.Errorf("%q: %s, and then %s, %v", change, path, again, err)
		}
	}
	if err := os.Mkdir(filepath.Join(module, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	if path, err := (&Server{Module: "m"}).cached(module); err == nil {
		t.Errorf("a directory counts for nothing: %s", path)
	}
}
