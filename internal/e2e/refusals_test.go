package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// Without a durable pending record nothing is destroyed, and the complaint
// names the log.
func TestNoRecordNoDestruction(t *testing.T) {
	seed := "{\"v\": 2, \"log\": \"A\", \"seq\": 1}\n"
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, s *stack, dir string)
		says    string
	}{
		{"the log is a directory", func(t *testing.T, s *stack, _ string) {
			need.Run(t, "mkdir", s.logPath())
		}, "it is a directory"},
		{"the log is a symbolic link", func(t *testing.T, s *stack, _ string) {
			s.write("elsewhere", "")
			need.Run(t, "ln", "-s", "../elsewhere", s.logPath())
		}, "it is a symbolic link"},
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
		{"a newer format", func(t *testing.T, s *stack, _ string) {
			s.write(".contextcore/audit.jsonl", seed)
		}, "newer version"},
	} {
		t.Run(c.name, func(t *testing.T) {
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
	need.Command(t, "prlimit")
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	r := run(t, s.command("", "prlimit", "--fsize=30000", binary))
	if r.code != 6 || !strings.Contains(r.stderr, "file too large") || !s.hasVolume("PROJ_data") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

// A teardown that cannot begin is recorded as failed, where there is a project.
func TestCannotBegin(t *testing.T) {
	for _, c := range []struct {
		name     string
		args     []string
		env      func(*stack) []string
		says     string
		recorded bool
	}{
		{name: "unreachable engine", args: []string{"-H", "unix:///nowhere.sock"}, says: "the Docker Engine does not answer at unix:///nowhere.sock", recorded: true},
		{name: "unreachable engine by variable", env: func(*stack) []string { return []string{"DOCKER_HOST=tcp://127.0.0.1:1"} }, says: "does not answer at tcp://127.0.0.1:1", recorded: true},
		{name: "unknown context", args: []string{"--context", "nobody"}, says: `docker context "nobody"`},
		{name: "host and context", args: []string{"-H", "unix:///x", "--context", "y"}, says: "exclude each other"},
		{name: "no docker command", env: func(*stack) []string { return []string{"PATH=/nowhere"} }, says: "docker command was not found", recorded: true},
		{name: "no plugin", env: func(s *stack) []string {
			for _, dir := range []string{"/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec"} {
				if _, err := os.Stat(dir + "/docker/cli-plugins/docker-compose"); err == nil {
					s.t.Skip("SKIPPED: a plugin for everybody is installed on this machine")
				}
			}
			return []string{"DOCKER_CONFIG=" + s.t.TempDir()}
		}, says: "the Docker Compose plugin does not answer", recorded: true},
		{name: "no such file", args: []string{"-f", "nope.yaml"}, says: "nope.yaml"},
		{name: "no such env file", args: []string{"--env-file", "nope.env"}, says: "nope.env"},
		{name: "a project name that Compose refuses", args: []string{"-p", "Bad!", "-f", "compose.yaml"}, says: "Bad!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(single))
			s.docker("compose", "up", "--detach")
			if c.env != nil {
				s.env = append(s.env, c.env(s)...)
			}
			r := s.ccdestroy(c.args...)
			if r.code != 1 || !strings.Contains(r.stderr, c.says) || !strings.Contains(r.stderr, "\nTry: ") {
				t.Errorf("exit %d\n%s", r.code, r.stderr)
			}
			if !s.hasVolume("PROJ_data") || !s.has("PROJ-web-1") {
				t.Error("something was destroyed")
			}
			events := s.events()
			if c.recorded && (len(events) != 1 || events[0].Outcome != "failed" || !strings.Contains(events[0].Details.Error, c.says)) {
				t.Errorf("not recorded as failed: %+v", events)
			}
		})
	}
}

func TestProtected(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single+"    labels: {ccdestroy.protect: \"true\"}\n"))
	s.docker("compose", "up", "--detach")
	for _, args := range [][]string{{}, {"--yes"}, {"--unprotect", "other"}} {
		r := s.ccdestroy(args...)
		if r.code != 5 || !strings.Contains(r.stderr, s.expand("ccdestroy.protect=true: volume PROJ_data")) || !strings.Contains(r.stderr, s.expand("Try: ccdestroy --unprotect PROJ_data")) {
			t.Errorf("%q: exit %d\n%s", args, r.code, r.stderr)
		}
		if last := s.last(); last.Outcome != "failed" || !s.hasVolume("PROJ_data") || !s.has("PROJ-web-1") {
			t.Errorf("%q: outcome %q", args, last.Outcome)
		}
	}
	if r := s.ccdestroy("--unprotect", s.expand("PROJ_data")); r.code != 0 || s.hasVolume("PROJ_data") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

func TestNoVolumes(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(shop))
	s.docker("compose", "up", "--detach")
	r := s.ccdestroy("--no-volumes")
	last := s.last()
	if r.code != 0 || len(last.DataAffected) != 0 || strings.Join(last.Details.Command, " ") != "docker compose down" || !s.hasVolume("PROJ_data") || s.has("PROJ-web-1") {
		t.Errorf("exit %d, affected %q, command %q\n%s", r.code, last.DataAffected, last.Details.Command, r.stderr)
	}
}

func TestDryRunAndInventoryRecordNothing(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(shop))
	s.docker("compose", "up", "--detach")
	dry, inv := s.ccdestroy("--dry-run"), s.ccdestroy("inventory")
	if dry.code != 0 || dry.stdout != inv.stdout && !strings.Contains(dry.stdout, "second") || !strings.Contains(dry.stdout, "This destroys, for good:") {
		t.Errorf("exit %d\n%s\n%s", dry.code, dry.stdout, inv.stdout)
	}
	if _, err := os.Stat(filepath.Dir(s.logPath())); err == nil || !s.hasVolume("PROJ_data") {
		t.Error("a dry run left something behind, or destroyed something")
	}
	if r := s.ccdestroy("down", "--dry-run", "web"); r.code != 0 || !strings.Contains(r.stdout, "services web") {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

func TestThousandVolumes(t *testing.T) {
	t.Parallel()
	const n = 1000
	var b strings.Builder
	b.WriteString("name: PROJ\nservices:\n  web:\n    image: IMAGE\nvolumes:\n")
	for i := range n {
		fmt.Fprintf(&b, "  v%04d:\n", i)
	}
	s := newStack(t, one(b.String()))
	for i := range n {
		name := s.expand(fmt.Sprintf("PROJ_v%04d", i))
		s.createVolume(name, map[string]string{"com.docker.compose.project": s.name, "com.docker.compose.volume": name})
	}
	r := s.ccdestroy("--all-resources")
	if last := s.last(); r.code != 0 || len(last.DataAffected) != n || last.Outcome != "success" {
		t.Errorf("exit %d, %d affected\n%.2000s", r.code, len(last.DataAffected), r.stderr)
	}
	if lines := strings.Count(r.stderr[:strings.Index(r.stderr, " Volume ")], "\n"); lines != 1 {
		t.Errorf("the summary takes %d lines", lines)
	}
	r = s.ccdestroy("audit", "-n", "1")
	if !strings.Contains(r.stdout, "1000 volumes") {
		t.Errorf("%s", r.stdout)
	}
}
