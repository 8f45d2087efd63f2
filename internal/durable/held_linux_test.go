package durable

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// A lock on a file system that is mounted read-only can be looked at.
func TestHeldReadOnly(t *testing.T) {
	need.Root(t)
	dir, view := t.TempDir(), t.TempDir()
	l := take(t, filepath.Join(dir, "lock"))
	if err := unix.Mount(dir, view, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("nothing can be mounted: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(view, unix.MNT_DETACH) })
	if err := unix.Mount("", view, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(view, "lock")
	if _, _, err := TryLockExisting(path); err == nil {
		t.Error("it is not read-only")
	}
	if held, err := Held(path); !held || err != nil {
		t.Errorf("held: %v, %v", held, err)
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	if held, err := Held(path); held || err != nil {
		t.Errorf("free: %v, %v", held, err)
	}
}
