package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// soon bounds what happens at once on an idle machine.
const soon = time.Minute

func take(t *testing.T, path string) *Locked {
	t.Helper()
	l, err := Lock(t.Context(), path, soon)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func isFree(t *testing.T, path string) bool {
	t.Helper()
	l, free, err := Sharing{}.TryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	if free {
		if err := l.Unlock(); err != nil {
			t.Fatal(err)
		}
	}
	return free
}

func TestLockExcludes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l := take(t, path)
	if isFree(t, path) {
		t.Error("it is free while it is held")
	}
	if _, err := Lock(t.Context(), path, 10*time.Millisecond); !errors.Is(err, ErrLocked) {
		t.Errorf("waiting for it: %v", err)
	}
	if err := l.Unlock(); err != nil || !isFree(t, path) {
		t.Errorf("it is not free afterwards: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Errorf("the file does not stay: %v", err)
	}
}

// Looking for a lock that nobody ever took makes nothing.
func TestTryLockExisting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if _, free, err := TryLockExisting(path); !errors.Is(err, fs.ErrNotExist) || free {
		t.Errorf("free %t, %v", free, err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it was made: %v", err)
	}
	l := take(t, path)
	if _, free, err := TryLockExisting(path); free || err != nil {
		t.Errorf("held: free %t, %v", free, err)
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	l, free, err := TryLockExisting(path)
	if !free || err != nil {
		t.Fatalf("left: free %t, %v", free, err)
	}
	if err := l.Remove(); err != nil {
		t.Error(err)
	}
}

func TestLockHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l := take(t, path)
	for _, text := range []string{"a long text of the first", "short", ""} {
		if err := l.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := LockHolder(path); string(got) != text || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := l.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := LockHolder(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after its removal: %v", err)
	}
}

// A lock is removed by each of its holders, and yet only one holds it at a time.
func TestLockRemovedByHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var inside, times atomic.Int32
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 50 {
				l, err := Lock(t.Context(), path, soon)
				if err != nil {
					t.Error(err)
					return
				}
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d hold it at once", n)
				}
				if err := l.Write(fmt.Append(nil, w, i)); err != nil {
					t.Error(err)
				}
				times.Add(1)
				inside.Add(-1)
				if i%3 == 0 {
					err = l.Unlock()
				} else {
					err = l.Remove()
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if times.Load() != 8*50 {
		t.Errorf("%d times", times.Load())
	}
}

// Remove leaves a file that somebody else put in the place of the lock.
func TestLockReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l := take(t, path)
	if err := os.Rename(path, path+".old"); err != nil {
		t.Skipf("an open file cannot be renamed here: %v", err)
	}
	other := take(t, path)
	if err := l.Remove(); err != nil {
		t.Error(err)
	}
	if isFree(t, path) {
		t.Error("the other's lock went")
	}
	if err := other.Unlock(); err != nil {
		t.Error(err)
	}
}
