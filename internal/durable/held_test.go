package durable

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
)

func TestHeld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if _, err := Held(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	l := take(t, path)
	if held, err := Held(path); !held || err != nil {
		t.Errorf("held: %v, %v", held, err)
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // looking leaves it free
		if held, err := Held(path); held || err != nil {
			t.Errorf("free: %v, %v", held, err)
		}
	}
	if !isFree(t, path) {
		t.Error("a look holds it still")
	}
}
