package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/logs"
	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// opens reports whether a process has a file open whose path has an end.
func opens(pid int, end string) bool {
	links, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/fd/*")
	return slices.ContainsFunc(links, func(link string) bool {
		path, err := os.Readlink(link)
		return err == nil && strings.HasSuffix(path, end)
	})
}

// stoppedWhile starts a command and stops it as soon as something is so, with
// most of its work before it. Where it ended too soon the test shows nothing.
func (s *stack) stoppedWhile(so func(pid int) bool, args ...string) *background {
	s.t.Helper()
	b := s.start(s.command("", binary, args...))
	pid := b.cmd.Process.Pid
	for !so(pid) {
		if b.over() {
			s.t.Fatalf("%q ended before it could be stopped: exit %d\n%s", args, b.wait(), b.stderr())
		}
	}
	_ = b.cmd.Process.Signal(syscall.SIGSTOP)
	return b
}

// goesOnTo lets it go on, with a signal waiting.
func (b *background) goesOnTo(sig syscall.Signal) {
	b.t.Helper()
	_ = b.cmd.Process.Signal(sig)
	_ = b.cmd.Process.Signal(syscall.SIGCONT)
	if code := b.wait(); code != 128+int(sig) {
		b.t.Errorf("%q: exit %d after %s\n%s", b.cmd.Args[1:], code, sig, b.stderr())
	}
}

// hugeLog is how long a log is that takes a while to read.
const hugeLog = 96 << 20

func (s *stack) hugeLog() string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "audit.jsonl")
	f, err := os.Create(path)
	if err == nil {
		err = logs.Write(f, logs.Options{Seed: 1, Bytes: hugeLog})
	}
	if err != nil || f.Close() != nil {
		s.t.Fatal(err)
	}
	return path
}

// A signal ends every command that reads a huge log, and leaves no half file.
func TestSignalWhileReadingALog(t *testing.T) {
	t.Parallel()
	s := newStack(t, nil)
	log := s.hugeLog()
	reading := func(pid int) bool { return opens(pid, "/audit.jsonl") }
	for _, args := range [][]string{
		{"audit", "verify"}, {"audit", "-n", "0", "--format", "jsonl"}, {"audit", "--grep", "nothing of this kind"}, {"audit", "report"},
		{"audit", "show", "01ZZZZZZZZ"}, {"exports"}, {"audit", "-n", "0", "--format", "csv", "-o", filepath.Join(s.dir, "list.csv")}, {"doctor"},
	} {
		s.stoppedWhile(reading, append(args, "--log", log)...).goesOnTo(syscall.SIGTERM)
		s.stoppedWhile(reading, append(args, "--log", log)...).goesOnTo(syscall.SIGINT)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "list.csv*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// A signal ends what reads and writes large archives, and half an export takes no
// room.
func TestSignalInLargeArchives(t *testing.T) {
	t.Parallel()
	need.Root(t)
	s := newStack(t, nil)
	s.docker("volume", "create", "PROJ_big")
	if err := halfRandom(filepath.Join(s.mountpoint("PROJ_big"), "file"), 192); err != nil {
		t.Fatal(err)
	}
	writing := func(int) bool {
		drafts, _ := filepath.Glob(filepath.Join(s.dir, "saved", "*.incomplete", "volumes", "*.zst"))
		return slices.ContainsFunc(drafts, func(path string) bool { info, err := os.Stat(path); return err == nil && info.Size() > 0 })
	}
	s.stoppedWhile(writing, "export", s.name+"_big", "-o", "saved").goesOnTo(syscall.SIGINT)
	if last := s.last(); last.Outcome != "cancelled" || last.ExportPath != "" || last.Details.Signal != "INT" {
		t.Errorf("%s, %q, signal %q", last.Outcome, last.ExportPath, last.Details.Signal)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "saved", "*Z*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	export := s.exported(s.name+"_big", "-o", "saved")
	reading := func(pid int) bool { return opens(pid, ".tar.zst") }
	s.stoppedWhile(reading, "exports", "check", export).goesOnTo(syscall.SIGTERM)
	s.stoppedWhile(reading, "restore", export, "--as", s.name+"_back").goesOnTo(syscall.SIGTERM)
	if last := s.last(); last.Operation != "restore" || last.Outcome != "cancelled" || s.hasVolume("PROJ_back") {
		t.Errorf("%s %s; there is a volume: %t", last.Operation, last.Outcome, s.hasVolume("PROJ_back"))
	}
}
