package durable

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMkdirAll(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"a", "a/b/c", "a/.contextcore/exports", "x/ccdestroy/heads"} {
		for range 2 { // the second time it is there
			if err := MkdirAll(filepath.Join(dir, path), 0o700); err != nil {
				t.Error(err)
			}
		}
		if info, err := os.Stat(filepath.Join(dir, path)); err != nil || !info.IsDir() {
			t.Errorf("%s: %v", path, err)
		}
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := MkdirAll(file, 0o700); !errors.Is(err, ErrNotDirectory) || !strings.Contains(err.Error(), "a file with this name is in the way") {
		t.Errorf("a file in the way: %v", err)
	}
	if err := MkdirAll(filepath.Join(file, "sub"), 0o700); err == nil {
		t.Error("a directory in a file was made")
	}
}

func TestReplaceFile(t *testing.T) {
	dir := t.TempDir()
	path, target := filepath.Join(dir, "file"), filepath.Join(dir, "target")
	for _, text := range []string{"old", "new, and longer"} {
		if err := ReplaceFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(path); err != nil || string(data) != text {
			t.Errorf("%q %v", data, err)
		}
	}
	if err := os.Symlink(path, target); err != nil {
		t.Skipf("no symbolic link can be made: %v", err)
	}
	if err := ReplaceFile(target, []byte("instead"), 0o644); err != nil {
		t.Error(err)
	}
	if data, _ := os.ReadFile(path); string(data) != "new, and longer" {
		t.Errorf("a link was followed: %q", data)
	}
	if list, _ := os.ReadDir(dir); len(list) != 2 {
		t.Errorf("something was left: %v", list)
	}
	if _, err := Create(path, 0o600); !errors.Is(err, os.ErrExist) {
		t.Errorf("a file is made anew: %v", err)
	}
}
