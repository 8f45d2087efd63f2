package fake

import (
	"os"
	"testing"
)

// Dir is a directory of the test's own, in memory where there is a file system
// of that kind: thousands of runs wait for the disk at every event.
func Dir(t testing.TB) string {
	t.Helper()
	const memory = "/dev/shm"
	if _, err := os.Stat(memory); err != nil {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(memory, "ccdestroy-fake-*")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
