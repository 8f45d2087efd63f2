//go:build unix

package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// plants puts something else in the place of a file or directory, at path. What
// a link leads to lies in theirs.
var plants = map[string]func(path, theirs string) error{
	"link to a file":      func(path, theirs string) error { return os.Symlink(filepath.Join(theirs, "file"), path) },
	"link to a directory": func(path, theirs string) error { return os.Symlink(filepath.Join(theirs, "dir"), path) },
	"dangling link":       func(path, theirs string) error { return os.Symlink(filepath.Join(theirs, "nothing"), path) },
	"FIFO":                func(path, _ string) error { return unix.Mkfifo(path, 0o600) },
	"directory":           func(path, _ string) error { return os.Mkdir(path, 0o700) },
	"file":                func(path, _ string) error { return os.WriteFile(path, nil, 0o600) },
	"device":              func(path, _ string) error { return unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))) },
	"socket": func(path, _ string) error {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
		if err == nil {
			l.SetUnlinkOnClose(false)
			l.Close()
		}
		return err
	},
}

// theirs makes the files that links lead to, and state tells whether they are as
// they were.
func theirs(t *testing.T) (dir string, state func() string) {
	t.Helper()
	dir = t.TempDir()
	put(t, filepath.Join(dir, "file"), []byte(seedLine+"\n"))
	if err := os.Mkdir(filepath.Join(dir, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir, func() string {
		var all strings.Builder
		_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			data, _ := os.ReadFile(path)
			fmt.Fprintln(&all, path, e.Type(), string(data), err)
			return nil
		})
		return all.String()
	}
}

// short is a temporary directory with a path that a socket can have.
func short(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Whatever stands in the place of what is ours, nothing waits for it, nothing is
// written through it, and the append says so: for a log that is not recorded,
// for a head that it was not noted.
func TestOddThingsInOurPlaces(t *testing.T) {
	for place, isDir := range map[string]bool{
		".contextcore": true, ".contextcore/audit.jsonl": false, ".contextcore/audit.jsonl.lock": false,
		"state/ccdestroy": true, "state/ccdestroy/heads": true, "state/ccdestroy/heads/NOTES": false,
	} {
		for name, plant := range plants {
			if isDir && name == "directory" || !isDir && name == "file" {
				continue
			}
			t.Run(place+" "+name, func(t *testing.T) {
				base := short(t)
				l := &Log{Path: filepath.Join(base, DefaultPath), Heads: &Heads{Dir: filepath.Join(base, "state", "ccdestroy", "heads")}}
				notes, _, err := l.Heads.file(l.Path)
				if err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(base, filepath.FromSlash(strings.Replace(place, "NOTES", filepath.Base(notes), 1)))
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				others, state := theirs(t)
				before := state()
				if err := plant(path, others); err != nil {
					t.Skipf("it cannot be made here: %v", err)
				}
				_, err = l.Begin(t.Context(), event("A", Pending), 100)
				head := strings.HasPrefix(place, "state")
				if err == nil || errors.Is(err, ErrHead) != head || !strings.Contains(err.Error(), path) {
					t.Errorf("%v", err)
				}
				if !head && !errors.Is(err, durable.ErrNotRegular) && !errors.Is(err, durable.ErrNotDirectory) {
					t.Errorf("%v", err)
				}
				// Reading need not fail, and must neither wait nor write.
				_, _, _ = history(l, Query{})
				_, _ = l.Verify(nil)
				_, _ = l.Last()
				_, _ = l.Heads.Check(l.Path)
				_ = l.Heads.Logs()
				if after := state(); after != before {
					t.Errorf("where the link leads, something changed:\n%s", after)
				}
				if info, err := os.Lstat(path); err != nil || (info.Mode().IsDir() != (name == "directory")) {
					t.Errorf("it was replaced: %v", err)
				}
			})
		}
	}
}

// A link in place of the log is not read through either.
func TestLinkedLogIsNotRead(t *testing.T) {
	others, _ := theirs(t)
	l := newLog(t)
	if err := os.Mkdir(filepath.Dir(l.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(others, "file"), l.Path); err != nil {
		t.Fatal(err)
	}
	if all, _, err := history(l, Query{}); !errors.Is(err, durable.ErrNotRegular) || len(all) > 0 {
		t.Errorf("%v %v", all, err)
	}
}

// Above what is ours, people have symbolic links: to homes, to projects, to
// /var, to the directory that they name.
func TestLinksAbove(t *testing.T) {
	base := t.TempDir()
	for _, dir := range []string{"disk/home/project", "disk/state", "disk/log/x"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"home": "disk/home", "project": "home/project", "var": "disk", "last": "var/log/x", "state": "disk/state"} {
		if err := os.Symlink(target, filepath.Join(base, link)); err != nil {
			t.Fatal(err)
		}
	}
	heads := &Heads{Dir: filepath.Join(base, "state", "ccdestroy", "heads")}
	for i, path := range []string{"home/project/.contextcore/audit.jsonl", "project/.contextcore/audit.jsonl", "var/log/x/audit.jsonl", "var/log/y/z/audit.jsonl", "last/other.jsonl"} {
		l := &Log{Path: filepath.Join(base, path), Heads: heads}
		add(t, l, event(fmt.Sprint("A", i), Success))
		if r, err := l.Verify(nil); err != nil || !r.Intact() || len(r.Heads) != 1 {
			t.Errorf("%s: %q %v", path, brief(r), err)
		}
	}
	t.Chdir(filepath.Join(base, "last"))
	add(t, &Log{Path: "plain.jsonl"}, event("A", Success))
	if _, err := os.Stat(filepath.Join(base, "disk/log/x/plain.jsonl")); err != nil {
		t.Error(err)
	}
}

// While somebody swaps the log for links and back, no append goes astray.
func TestSwappedWhileAppending(t *testing.T) {
	others, state := theirs(t)
	before := state()
	l := newLog(t)
	add(t, l, event("A", Success))
	dir := filepath.Dir(l.Path)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, path := range []string{l.Path, l.Path + ".lock", dir} {
				_ = os.Rename(path, path+".aside")
				target := "file"
				if path == dir {
					target = "dir"
				}
				_ = os.Symlink(filepath.Join(others, target), path)
				_ = os.Remove(path)
				_ = os.Rename(path+".aside", path)
			}
		}
	}()
	acked := 0
	for i := range 300 {
		if _, err := l.Begin(t.Context(), event(fmt.Sprint("S", i), Success), 0); err == nil {
			acked++
		}
	}
	close(stop)
	<-done
	if after := state(); after != before {
		t.Errorf("an append went astray:\n%s", after)
	}
	t.Logf("%d of 300 appends went through", acked)
}

// A file that is no audit log is not appended to, and a log of torn lines alone
// is.
func TestForeignFile(t *testing.T) {
	whole, err := encode(Event{V: 1, Log: "L", Seq: 1, Prev: genesis, ID: "I", Timestamp: epoch, Operation: Destroy, Outcome: Pending, User: "u"})
	if err != nil {
		t.Fatal(err)
	}
	for text, ok := range map[string]bool{
		"export PATH=$PATH:~/bin\n":         false,
		"#!/bin/sh\necho hello":             false,
		"{\n  \"name\": \"shop\"\n}\n":      false,
		"{}\n":                              false,
		"[]":                                false,
		"\n\n# notes\n":                     false,
		"\x00\x01ELF":                       false,
		`{"v":1,"log":"` + "\nexport X=1\n": false,
		"services:\n  db:\n    image: postgres\n": false,
		"":                              true,
		seedLine + "\n":                 true,
		seedLine + "\nwhat\n":           true,
		seedLine:                        true,
		"{":                             true,
		`{"v":1,"log`:                   true,
		string(whole[:len(whole)/2]):    true,
		string(whole[:len(whole)-1]):    true,
		"\x00\x00\x00\x00":              true,
		string(whole[:20]) + "\x00\x00": true,
		string(whole[:30]) + "\n" + string(whole[:9]): true, // two crashes
		strings.Repeat("x", maxLine+1):                false,
	} {
		l := fileLog(t, []byte(text))
		_, err := l.Begin(t.Context(), event("A", Success), 0)
		data, _ := os.ReadFile(l.Path)
		switch {
		case ok && err != nil:
			t.Errorf("%q is refused: %v", text, err)
		case !ok && (!errors.Is(err, ErrNotLog) || !strings.Contains(err.Error(), l.Path)):
			t.Errorf("%q: %v", text, err)
		case !ok && string(data) != text:
			t.Errorf("%q became %q", text, data)
		case ok && !bytes.HasPrefix(data, []byte(text)):
			t.Errorf("%q lost bytes: %q", text, data)
		}
		if ok {
			add(t, l, event("B", Success))
			if r, err := l.Verify(nil); err != nil || !r.Intact() {
				t.Errorf("%q: %q %v", text, brief(r), err)
			}
		}
	}
}
