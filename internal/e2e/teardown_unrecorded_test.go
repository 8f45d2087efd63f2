package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// Without a durable pending record nothing is destroyed, and the complaint
// names the log.
func TestNoRecordNoDestruction(t *testing.T) {
	t.Parallel()
	seed := "{\"v\": 2, \"log\": \"A\", \"seq\": 1}\n"
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, s *stack, dir string)
		says    string
	}{
		{"the log is a directory", func(t *testing.T, s *stack, _ string) {
			need.Run(t, "mkdir", s.logPath())
		}, "is a directory"},
		{"the log is a symbolic link", func(t *testing.T, s *stack, _ string) {
			s.write("elsewhere", "")
			need.Run(t, "ln", "-s", "../elsewhere", s.logPath())
		}, "is a symbolic link"},
		{"the log is a pipe", func(t *testing.T, s *stack, _ string) {
			need.Run(t, "mkfifo", s.logPath())
		}, "not a regular file"},
		{"its directory is a file", func(t *testing.T, s *stack, dir string) {
			need.Run(t, "rmdir", dir)
			s.write(".contextcore", "")
		}, "in the way"},
		{"another owner", func(t *testing.T, s *stack, _ string) {
			need.Root(t)
			s.write(".contextcore/audit.jsonl", "")
			need.Run(t, "chown", "4711", s.logPath())
		}, "belongs to another account (uid 4711"},
		{"read-only", func(t *testing.T, _ *stack, dir string) {
			need.Root(t)
			need.Run(t, "mount", "-t", "tmpfs", "-o", "ro,size=64k", "tmpfs", dir)
			t.Cleanup(func() { need.Run(t, "umount", dir) })
		}, "read-only file system"},
		{"full disk", func(t *testing.T, s *stack, dir string) {
			need.Root(t)
			need.Run(t, "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir)
			t.Cleanup(func() { need.Run(t, "umount", dir) })
			_ = exec.Command("dd", "if=/dev/zero", "of="+filepath.Join(dir, "filler"), "bs=4k").Run()
		}, "no space left on device"},
		{"room for the pending event alone", func(t *testing.T, s *stack, dir string) {
			need.Root(t)
			need.Run(t, "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir)
			t.Cleanup(func() { need.Run(t, "umount", dir) })
			need.Run(t, "dd", "if=/dev/zero", "of="+filepath.Join(dir, "filler"), "bs=4k", "count=12")
		}, "no space left on device"},
		{"no inodes", func(t *testing.T, s *stack, dir string) {
			need.Root(t)
			need.Run(t, "mount", "-t", "tmpfs", "-o", "nr_inodes=2", "tmpfs", dir)
			t.Cleanup(func() { need.Run(t, "umount", dir) })
			s.write(".contextcore/last", "")
		}, "no space left on device"},
		{"its directory is a symbolic link", func(t *testing.T, s *stack, dir string) {
			need.Run(t, "rmdir", dir)
			need.Run(t, "ln", "-s", t.TempDir(), dir)
		}, "is a symbolic link"},
		{"the lock is a pipe", func(t *testing.T, s *stack, _ string) {
			need.Run(t, "mkfifo", s.logPath()+".lock")
		}, "not a regular file"},
		{"the lock is a dangling link", func(t *testing.T, s *stack, _ string) {
			need.Run(t, "ln", "-s", filepath.Join(t.TempDir(), "elsewhere"), s.logPath()+".lock")
		}, "is a symbolic link"},
		{"no audit log", func(t *testing.T, s *stack, _ string) {
			s.write(".contextcore/audit.jsonl", "export PATH=$PATH:~/bin\n")
		}, "not an audit log"},
		{"a newer format", func(t *testing.T, s *stack, _ string) {
			s.write(".contextcore/audit.jsonl", seed)
		}, "newer version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(single))
			s.docker("compose", "up", "--detach")
			dir := filepath.Dir(s.logPath())
			need.Run(t, "mkdir", dir)
			c.prepare(t, s, dir)
			r := s.ccdestroy()
			if r.code != 6 || !strings.Contains(r.stderr, c.says) || !strings.Contains(r.stderr, ".contextcore") || !strings.Contains(r.stderr, "\nTry: ") {
				t.Errorf("exit %d\n%s", r.code, r.stderr)
			}
			if !s.hasVolume("PROJ_data") || !s.has("PROJ-web-1") {
				t.Error("something was destroyed")
			}
		})
	}
}

// A limit on the size of files that leaves no room for the outcome is found
// before anything goes.
func TestFileSizeLimit(t *testing.T) {
	t.Parallel()
	need.Command(t, "prlimit")
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	r := run(t, s.command("", "prlimit", "--fsize=30000", binary))
	if r.code != 6 || !strings.Contains(r.stderr, "file too large") || !s.hasVolume("PROJ_data") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}
