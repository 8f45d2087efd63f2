//go:build unix

package watch

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// Whatever was put in the place of the file is not read, and not followed; a save
// replaces it.
func TestMemoryHostile(t *testing.T) {
	good := func(t *testing.T, path string) {
		t.Helper()
		if err := (Memory{path}).Save(state{known: map[string]inventory.Volume{"theirs": {Name: "theirs"}}}); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		plant func(t *testing.T, path string) error
		is    error
		stays bool
	}{
		"link": {func(t *testing.T, path string) error {
			good(t, path+"-theirs")
			return os.Symlink(path+"-theirs", path)
		}, durable.ErrNotRegular, false},
		"FIFO":      {func(_ *testing.T, path string) error { return unix.Mkfifo(path, 0o600) }, durable.ErrNotRegular, false},
		"directory": {func(_ *testing.T, path string) error { return os.Mkdir(path, 0o700) }, durable.ErrNotRegular, true},
		"huge": {func(_ *testing.T, path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(path, 1<<40)
		}, nil, false},
		"another account's": {func(t *testing.T, path string) error {
			need.Root(t)
			good(t, path)
			return os.Chown(path, 12345, -1)
		}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := Memory{filepath.Join(t.TempDir(), "log.watch")}
			if err := c.plant(t, m.Path); err != nil {
				t.Skipf("it cannot be planted: %v", err)
			}
			if _, found, err := m.Load(); found || err == nil || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v, %v", found, err)
			}
			theirs, _ := os.ReadFile(m.Path + "-theirs")
			err := m.Save(state{known: map[string]inventory.Volume{"ours": {Name: "ours"}}})
			if (err != nil) != c.stays {
				t.Errorf("save: %v", err)
			}
			if s, found, err := m.Load(); !c.stays && (!found || err != nil || s.known["ours"].Name != "ours") {
				t.Errorf("afterwards: %v, %v", found, err)
			}
			if now, _ := os.ReadFile(m.Path + "-theirs"); string(now) != string(theirs) {
				t.Error("the link was followed")
			}
		})
	}
}
