//go:build unix

package durable

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain lets the test binary be the process that TestLockInherited kills: it
// takes the lock, starts a child that inherits it, and says so.
func TestMain(m *testing.M) {
	path := os.Getenv("LOCK_HOLDER")
	if path == "" {
		os.Exit(m.Run())
	}
	l, free, err := Sharing{}.TryLock(path)
	if err != nil || !free {
		panic(fmt.Sprint(free, err))
	}
	child := exec.Command("cat") // until its input ends, which the test holds
	child.Stdin, child.ExtraFiles = os.Stdin, []*os.File{l.File}
	if err := child.Start(); err != nil {
		panic(err)
	}
	fmt.Println(child.Process.Pid)
	if os.Getenv("LOCK_RELEASE") != "" {
		if err := l.Unlock(); err != nil {
			panic(err)
		}
		fmt.Println("released")
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed, or its input ends
}

// holder starts a process that holds the lock together with a child, which ends
// when input is closed.
func holder(t *testing.T, path string, lines int, env ...string) (cmd *exec.Cmd, input io.Closer) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	in, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { write.Close() })
	cmd = exec.Command(exe)
	cmd.Env = append(append(os.Environ(), "LOCK_HOLDER="+path), env...)
	cmd.Stdin, cmd.Stderr = in, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	said := bufio.NewScanner(out)
	for range lines {
		if !said.Scan() {
			t.Fatal("the holder ended early")
		}
	}
	return cmd, write
}

// A lock lives as long as the child that inherited it, although its taker was
// killed; and no longer.
func TestLockInherited(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	cmd, input := holder(t, path, 1)
	if isFree(t, path) {
		t.Error("it is free while both live")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if isFree(t, path) {
		t.Error("it is free while the child lives")
	}
	input.Close()
	for end := time.Now().Add(soon); !isFree(t, path); time.Sleep(lockPoll) {
		if time.Now().After(end) {
			t.Fatal("it is held although the child has ended")
		}
	}
}

// Unlock releases the lock for the child as well.
func TestUnlockForChildren(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	holder(t, path, 2, "LOCK_RELEASE=1")
	if !isFree(t, path) {
		t.Error("the child still holds it")
	}
}

// odd makes what can stand in the place of a file, at path, and returns a
// regular file that must stay as it is: where a link leads.
var odd = map[string]func(t *testing.T, path, target string){
	"link":          func(t *testing.T, path, target string) { put(t, target, "theirs"); symlink(t, target, path) },
	"dangling link": func(t *testing.T, path, target string) { symlink(t, target, path) },
	"FIFO": func(t *testing.T, path, _ string) {
		if err := unix.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
	},
	"directory": func(t *testing.T, path, _ string) {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	},
	"socket": func(t *testing.T, path, _ string) {
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
	},
	"device": func(t *testing.T, path, _ string) {
		if err := unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))); err != nil {
			t.Skipf("no device can be made: %v", err)
		}
	},
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func symlink(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// Nothing but a regular file is locked, at once and without touching it.
func TestLockOddFiles(t *testing.T) {
	for name, plant := range odd {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, target := filepath.Join(dir, "lock"), filepath.Join(dir, "target")
			plant(t, path, target)
			before, targetErr := os.Lstat(target)
			for _, try := range []func(string) (*Locked, bool, error){Sharing{}.TryLock, TryLockExisting} {
				if _, _, err := try(path); !errors.Is(err, ErrNotRegular) {
					t.Errorf("%v", err)
				}
			}
			if _, err := LockHolder(path); !errors.Is(err, ErrNotRegular) {
				t.Errorf("%v", err)
			}
			if _, err := Held(path); !errors.Is(err, ErrNotRegular) {
				t.Errorf("%v", err)
			}
			after, err := os.Lstat(target)
			if (err == nil) != (targetErr == nil) || err == nil && after.Size() != before.Size() {
				t.Errorf("where the link leads something was changed: %v", err)
			}
		})
	}
}

// A hard link to another file is locked, if it must be, but neither written nor
// given away.
func TestHardLink(t *testing.T) {
	dir := t.TempDir()
	path, target := filepath.Join(dir, "lock"), filepath.Join(dir, "target")
	put(t, target, "theirs")
	if err := os.Link(target, path); err != nil {
		t.Skipf("no hard link can be made: %v", err)
	}
	l := take(t, path)
	if err := l.Write([]byte("ours")); !errors.Is(err, errLinked) {
		t.Errorf("written: %v", err)
	}
	shared := Sharing{Group: os.Getegid() + 1}
	if err := shared.Share(l.File); !errors.Is(err, errLinked) {
		t.Errorf("given away: %v", err)
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(target)
	info, _ := os.Stat(target)
	if err != nil || string(data) != "theirs" || info.Mode().Perm() != 0o600 {
		t.Errorf("it is %q, %v, %v", data, info.Mode(), err)
	}
}
