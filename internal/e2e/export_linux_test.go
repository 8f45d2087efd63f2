package e2e

import (
	"archive/tar"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/lab/trees"
)

// manifest is what of manifest.json the tests look at, read by field names.
type manifest struct {
	Version int    `json:"version"`
	EventID string `json:"event_id"`
	Project string `json:"project"`
	Ran     []struct{ ID, Name string }
	Volumes []savedVolume
}

// savedVolume is what a manifest says of one volume.
type savedVolume struct {
	Name, Key, Driver, Method, Consistency string
	Root                                   struct {
		Mode     string
		UID, GID int
	}
	Entries map[string]int
	Bytes   int64
	Skipped []struct {
		What, Why string
		Count     int
		Names     []string
	}
	Archive struct {
		Path, SHA256 string
		Size         int64
	}
}

func manifestOf(t *testing.T, export string) (m manifest) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(export, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// mountpoint is the directory of a volume on this host.
func (s *stack) mountpoint(volume string) string {
	s.t.Helper()
	return s.docker("volume", "inspect", "--format", "{{.Mountpoint}}", volume)
}

// hardVolume makes a volume with everything in it that is hard to copy.
func (s *stack) hardVolume(name string) string {
	s.t.Helper()
	need.Root(s.t)
	s.docker("volume", "create", "--label", "keep=me", name)
	dir := s.mountpoint(name)
	if err := trees.Hard(dir, trees.Options{}); err != nil {
		s.t.Fatal(err)
	}
	return dir
}

// exported runs ccdestroy export and returns where the export lies.
func (s *stack) exported(args ...string) string {
	s.t.Helper()
	r := s.ccdestroy(append([]string{"export"}, args...)...)
	if r.code != 0 {
		s.t.Fatalf("export %q: exit %d\n%s", args, r.code, r.stderr)
	}
	return strings.TrimSpace(r.stdout)
}

func (s *stack) helpers() int {
	s.t.Helper()
	list, err := s.api.ContainerList(context.Background(), container.ListOptions{All: true})
	if err != nil {
		s.t.Fatal(err)
	}
	n := 0
	for _, c := range list {
		if c.Labels["io.ccdestroy.helper"] == "true" && slices.ContainsFunc(c.Mounts, func(m container.MountPoint) bool { return strings.Contains(m.Name, s.name) }) {
			n++
		}
	}
	return n
}

// Both ways of reading and both ways of writing, on one tree, in every pairing.
func TestExportBothWays(t *testing.T) {
	s := newStack(t, nil)
	p := newProxy(t)
	dir := s.hardVolume("PROJ_hard")
	hard := s.name + "_hard"
	direct := s.exported(hard, "-o", "direct")
	remote := s.exported(hard, "-o", "remote", "-H", p.host())
	m, n := manifestOf(t, direct).Volumes[0], manifestOf(t, remote).Volumes[0]
	if m.Method != "direct" || n.Method != "engine_api" || p.archives.Load() == 0 {
		t.Fatalf("read by %s and by %s", m.Method, n.Method)
	}
	if m.Root.Mode != "2751" || n.Root.UID != 999 || fmt.Sprint(m.Entries) != fmt.Sprint(n.Entries) || m.Bytes != n.Bytes || m.Entries["hardlink"] != 2 || m.Entries["device"] != 2 {
		t.Errorf("the manifests differ: %+v and %+v", m, n)
	}
	if len(m.Skipped) != 1 || m.Skipped[0].What != "socket" || m.Skipped[0].Count != 1 || m.Skipped[0].Names[0] != "./socket" || m.Skipped[0].Why == "" {
		t.Errorf("skipped directly: %+v", m.Skipped)
	}
	var lost []string
	for _, l := range n.Skipped {
		lost = append(lost, l.What)
		if l.Why == "" {
			t.Errorf("%s: no reason", l.What)
		}
	}
	for _, want := range []string{"ACLs", "fractions of a second", "holes", "sockets"} {
		if !strings.Contains(strings.Join(lost, "; "), want) {
			t.Errorf("lost through the engine: %q lacks %s", lost, want)
		}
	}
	for _, c := range []struct {
		name, export, host string
		coarse             bool
	}{
		{"direct-direct", direct, "", false},
		{"direct-remote", direct, p.host(), true},
		{"remote-direct", remote, "", true},
		{"remote-remote", remote, p.host(), true},
	} {
		args := []string{"restore", c.export, "--as", s.name + "_" + c.name}
		if c.host != "" {
			args = append(args, "-H", c.host)
		}
		r := s.ccdestroy(args...)
		want, got := treeOf(t, dir, c.coarse), treeOf(t, s.mountpoint("PROJ_"+c.name), c.coarse)
		code := 0
		if c.host != "" { // the engine writes no time before 1970, and we say so
			code = 3
			if delete(want, "empty"); strings.Count(r.stderr, "differs") != 1 || !strings.Contains(r.stderr, `"./empty": time`) || !strings.Contains(got["empty"], "time 0") {
				t.Errorf("%s: %s\n%s", c.name, got["empty"], r.stderr)
			}
			delete(got, "empty")
		}
		if r.code != code {
			t.Errorf("%s: exit %d\n%s", c.name, r.code, r.stderr)
		}
		sameTree(t, c.name, want, got)
		if labels := s.docker("volume", "inspect", "--format", "{{.Labels}}", "PROJ_"+c.name); labels != "map[keep:me]" {
			t.Errorf("labels: %s", labels)
		}
	}
	if s.helpers() > 0 {
		t.Error("a helper is left")
	}
}

// What the engine passes over in silence is told.
func TestExportLongPaths(t *testing.T) {
	need.Root(t)
	s := newStack(t, nil)
	p := newProxy(t)
	s.docker("volume", "create", "PROJ_long")
	if err := trees.Hard(s.mountpoint("PROJ_long"), trees.Options{Long: true}); err != nil {
		t.Fatal(err)
	}
	direct, remote := s.exported(s.name+"_long", "-o", "direct"), s.ccdestroy("export", s.name+"_long", "-o", "remote", "-H", p.host())
	m, n := manifestOf(t, direct).Volumes[0], manifestOf(t, strings.TrimSpace(remote.stdout)).Volumes[0]
	last := n.Skipped[len(n.Skipped)-1]
	if m.Entries["file"]-n.Entries["file"] != 1 || !strings.HasPrefix(last.What, "paths of more than 4,096 bytes") || !strings.Contains(remote.stderr, "is NOT in the export") {
		t.Errorf("%d and %d files, %+v\n%s", m.Entries["file"], n.Entries["file"], last, remote.stderr)
	}
	if r := s.ccdestroy("restore", direct, "--as", s.name+"_back"); r.code != 0 {
		t.Errorf("restored directly: exit %d\n%s", r.code, r.stderr)
	}
}

// talker writes to its volume as long as it runs.
const talker = `
name: PROJ
services:
  db:
    image: IMAGE
    command: ["sh", "-c", "trap 'echo closed >> /data/log; exit' TERM; while :; do date >> /data/log; sleep 0.2 & wait; done"]
    volumes: [data:/data, /anon]
  web:
    image: IMAGE
    depends_on: [db]
    volumes: [uploads:/uploads]
volumes:
  data:
  uploads:
`

func (s *stack) talking() {
	s.t.Helper()
	s.docker("compose", "up", "--detach")
	s.docker("compose", "exec", "-T", "web", "sh", "-c", "echo picture > /uploads/p; echo $RANDOM >> /uploads/p")
	waitFor(s.t, "the log", func() bool {
		return run(s.t, s.command("", "docker", "compose", "exec", "-T", "db", "test", "-s", "/data/log")).code == 0
	})
}

// What a teardown destroys comes back, with all that was written until the
// services had ended; and the record says where it lies.
func TestExportBeforeTeardown(t *testing.T) {
	s := newStack(t, one(talker))
	s.talking()
	uploads := treeOf(t, s.mountpoint("PROJ_uploads"), false)
	r := s.ccdestroy("--export", "saved")
	last, all := s.last(), s.events()
	if r.code != 0 || last.Outcome != "success" || len(last.DataAffected) != 3 || len(all) != 3 {
		t.Fatalf("exit %d, %s, %q, %d events\n%s", r.code, last.Outcome, last.DataAffected, len(all), r.stderr)
	}
	if s.hasVolume("PROJ_data") || s.hasVolume("PROJ_uploads") {
		t.Error("a volume is still there")
	}
	m := manifestOf(t, last.ExportPath)
	if all[0].ExportPath != "" || all[1].ExportPath != last.ExportPath || m.EventID != last.ID || len(all[0].Details.Stopped) != 2 || len(m.Ran) != 2 || len(last.Details.Export.Volumes) != 3 {
		t.Errorf("%q, %q, %+v", all[0].ExportPath, all[1].ExportPath, m)
	}
	for _, v := range m.Volumes {
		if v.Consistency != "stopped" || v.Method != "direct" {
			t.Errorf("%s: %s, %s", v.Name, v.Consistency, v.Method)
		}
	}
	shown := s.ccdestroy("audit", "show", last.ID)
	_, command, found := strings.Cut(shown.stdout, "ccdestroy restore ")
	if path, _, _ := strings.Cut(command, "\n"); !found || path != last.ExportPath {
		t.Fatalf("audit show tells no way back:\n%s", shown.stdout)
	}
	if r := s.ccdestroy("restore", last.ExportPath); r.code != 0 {
		t.Fatalf("restore: exit %d\n%s", r.code, r.stderr)
	}
	sameTree(t, "uploads", uploads, treeOf(t, s.mountpoint("PROJ_uploads"), false))
	if log, _ := os.ReadFile(filepath.Join(s.mountpoint("PROJ_data"), "log")); !strings.HasSuffix(string(log), "closed\n") {
		t.Errorf("the export is not of after the stop: %q", log)
	}
	if r := s.ccdestroy("exports", "check", last.ExportPath); r.code != 0 || strings.Contains(r.stdout, "does not know") {
		t.Errorf("check: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// running are the names of the project's containers that run.
func (s *stack) running() []string {
	names := strings.Fields(s.docker("ps", "--filter", "label=com.docker.compose.project=PROJ", "--format", "{{.Names}}"))
	slices.Sort(names)
	return names
}

// untouched fails unless all that ran runs, all volumes are there, and no helper
// is left.
func (s *stack) untouched() {
	s.t.Helper()
	waitFor(s.t, "the services to run again", func() bool {
		return slices.Equal(s.running(), []string{s.name + "-db-1", s.name + "-web-1"})
	})
	if !s.hasVolume("PROJ_data") || !s.hasVolume("PROJ_uploads") {
		s.t.Error("a volume is gone")
	}
	if s.helpers() > 0 {
		s.t.Error("a helper is left")
	}
}

// When the export fails nothing is destroyed, what ran runs again, and the
// record says so.
func TestExportFails(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, s *stack, p *proxy) (args []string)
		says    string
	}{
		{"full disk", func(t *testing.T, s *stack, _ *proxy) []string {
			need.Run(t, "mkdir", filepath.Join(s.dir, "small"))
			need.Run(t, "mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", filepath.Join(s.dir, "small"))
			t.Cleanup(func() { need.Run(t, "umount", filepath.Join(s.dir, "small")) })
			s.docker("compose", "exec", "-T", "web", "sh", "-c", "head -c 2000000 /dev/urandom > /uploads/big")
			return []string{"--export", "small"}
		}, "no space left on device"},
		{"into the volume itself", func(t *testing.T, s *stack, _ *proxy) []string {
			need.Run(t, "ln", "-s", s.mountpoint("PROJ_uploads"), filepath.Join(s.dir, "link"))
			return []string{"--export", "link/backups"}
		}, "would lie in volume"},
		{"a file in the way", func(t *testing.T, s *stack, _ *proxy) []string {
			s.write("file", "")
			return []string{"--export", "file"}
		}, "a file with this name is in the way"},
		{"the stream breaks off", func(_ *testing.T, _ *stack, p *proxy) []string {
			p.cutAfter.Store(2048)
			return []string{"--export", "saved", "-H", p.host()}
		}, "the stream ended early"},
		{"what the engine would leave out", func(t *testing.T, s *stack, p *proxy) []string {
			if err := trees.Hard(s.mountpoint("PROJ_uploads"), trees.Options{Long: true}); err != nil {
				t.Fatal(err)
			}
			return []string{"--export", "saved", "-H", p.host()}
		}, "is NOT in the export"},
		{"somebody writes to a volume at rest", func(t *testing.T, s *stack, _ *proxy) []string {
			path := filepath.Join(s.mountpoint("PROJ_uploads"), "growing")
			if err := os.WriteFile(path, make([]byte, 64<<20), 0o644); err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			t.Cleanup(func() { close(done) })
			go func() {
				for i := int64(0); ; i++ {
					select {
					case <-done:
						return
					default:
						_ = os.Chtimes(path, time.Unix(i, 0), time.Unix(i, 0))
					}
				}
			}()
			return []string{"--export", "saved"}
		}, "it changed while it was read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			need.Root(t)
			s := newStack(t, one(talker))
			p := newProxy(t)
			s.talking()
			r := s.ccdestroy(c.prepare(t, s, p)...)
			last := s.last()
			if r.code != 5 || last.Outcome != "failed" || last.ExportPath != "" || len(last.DataAffected) > 0 {
				t.Errorf("exit %d, %s, %q\n%s", r.code, last.Outcome, last.ExportPath, r.stderr)
			}
			if !strings.Contains(r.stderr, "nothing was destroyed") || !strings.Contains(r.stderr, c.says) || !strings.Contains(last.Details.Error, c.says) || !strings.Contains(r.stderr, "\nTry: ") {
				t.Errorf("it says\n%s\nand records %q", r.stderr, last.Details.Error)
			}
			s.untouched()
			if whole, _ := filepath.Glob(filepath.Join(s.dir, "*", "*Z")); len(whole) > 0 {
				t.Errorf("half an export looks whole: %q", whole)
			}
		})
	}
}

// A signal in the middle of an export, and a kill: nothing is destroyed, and
// what ran runs again, at once or with the next run.
func TestExportInterrupted(t *testing.T) {
	for _, c := range []struct {
		name    string
		signal  syscall.Signal
		args    []string
		outcome string
	}{
		{"ctrl-c in a teardown", syscall.SIGINT, []string{"--export", "saved"}, "cancelled"},
		{"killed in a teardown", syscall.SIGKILL, []string{"--export", "saved"}, "failed"},
		{"terminated in an export", syscall.SIGTERM, []string{"export", "--stop"}, "cancelled"},
		{"killed in an export", syscall.SIGKILL, []string{"export", "--stop"}, "failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(talker))
			p := newProxy(t)
			s.talking()
			p.stall.Store(true)
			cmd := s.command("", binary, append(c.args, "-H", p.host())...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the export to read", func() bool { return p.waiting.Load() > 0 })
			if s.helpers() != 1 || len(s.running()) != 0 || s.last().Outcome != "pending" {
				t.Errorf("in mid-export: %d helpers, %q runs, %s", s.helpers(), s.running(), s.last().Outcome)
			}
			_ = cmd.Process.Signal(c.signal)
			_ = cmd.Wait()
			p.stall.Store(false)
			if c.signal == syscall.SIGKILL {
				if r := s.ccdestroy("reconcile", "-H", p.host()); r.code != 0 || !strings.Contains(r.stderr, "Settled") {
					t.Errorf("reconcile: exit %d\n%s", r.code, r.stderr)
				}
			} else if code := cmd.ProcessState.ExitCode(); code != 128+int(c.signal) {
				t.Errorf("exit %d", code)
			}
			if last := s.last(); last.Outcome != c.outcome || len(last.DataAffected) > 0 || last.ExportPath != "" {
				t.Errorf("%s, %q, %q", last.Outcome, last.DataAffected, last.ExportPath)
			}
			s.untouched()
			if half, _ := filepath.Glob(filepath.Join(s.dir, "saved", "*.incomplete")); c.args[0] == "--export" && len(half) != 1 {
				t.Errorf("half exports: %q", half)
			}
			if r := s.ccdestroy("audit", "verify"); r.code != 0 {
				t.Errorf("verify: %s", r.stdout)
			}
		})
	}
}

// A teardown with an export is killed at any moment; reconcile then leaves
// either everything as it was, running, or tells what went, and what went is in
// a whole export.
func TestExportKilledAnywhere(t *testing.T) {
	s := newStack(t, one(talker))
	seen := map[string]int{}
	for i := range 14 {
		s.talking()
		cmd := s.command("", binary, "--export", "saved", "-q")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i) * 60 * time.Millisecond) // anywhere will do
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if r := s.ccdestroy("reconcile"); r.code != 0 {
			t.Fatalf("reconcile: exit %d\n%s", r.code, r.stderr)
		}
		last := event{Outcome: "nothing recorded"}
		if all := s.events(); len(all) > 0 {
			last = all[len(all)-1]
		}
		seen[last.Outcome]++
		if last.Outcome == "failed" || last.Outcome == "nothing recorded" {
			s.untouched()
		}
		for _, lost := range last.DataAffected {
			m := manifestOf(t, last.ExportPath)
			if !slices.ContainsFunc(m.Volumes, func(v savedVolume) bool {
				return v.Name == lost
			}) {
				t.Errorf("%s is lost and not in the export", lost)
			}
		}
	}
	t.Logf("%v", seen)
	if len(seen) < 2 {
		t.Errorf("all ended in the same way: %v", seen)
	}
}

// A volume that something else holds is saved as well, since it may be let go of
// before Compose comes to it.
func TestExportOfHeldVolume(t *testing.T) {
	s := newStack(t, one(talker))
	s.talking()
	s.docker("run", "--detach", "--name", "PROJ-other", "--volume", "PROJ_uploads:/u", os.Getenv("CCDESTROY_IMAGE"),
		"sh", "-c", "while :; do date >> /u/growing; done")
	r := s.ccdestroy("--export", "saved")
	last := s.last()
	if r.code != 3 || last.Outcome != "partial" || !s.hasVolume("PROJ_uploads") {
		t.Fatalf("exit %d, %s\n%s", r.code, last.Outcome, r.stderr)
	}
	for _, v := range manifestOf(t, last.ExportPath).Volumes {
		if want := map[bool]string{true: "live", false: "stopped"}[v.Key == "uploads"]; v.Consistency != want {
			t.Errorf("%s: %s", v.Name, v.Consistency)
		}
	}
	if len(last.Details.Export.Volumes) != 3 || !strings.Contains(r.stderr, "was in use while it was exported") {
		t.Errorf("%+v\n%s", last.Details.Export, r.stderr)
	}
}

// Volumes that are not plain directories of the engine: on tmpfs, a view of a
// host directory, of a plugin's driver. An engine never forgets a driver, and
// looks for it at every step once its plugin is gone: so one of our own.
func TestExportOtherVolumes(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	driver, plugins := newVolumePlugin(t)
	e.plugins = plugins
	e.start()
	s := e.stack(nil)
	s.write("host/inner/file", "of the host\n")
	s.write("compose.yaml", `
name: PROJ
services:
  web:
    image: IMAGE
    volumes: [ram:/ram, view:/view, theirs:/theirs]
volumes:
  ram: {driver_opts: {type: tmpfs, device: tmpfs}}
  view: {driver_opts: {type: none, o: bind, device: "`+s.dir+`/host"}}
  theirs: {driver: "`+driver+`"}
`)
	s.docker("compose", "up", "--detach")
	s.docker("compose", "exec", "-T", "web", "sh", "-c", "echo in memory > /ram/a; echo with a plugin > /theirs/b")
	r := s.ccdestroy("--export", "saved")
	last := s.last()
	if r.code != 0 || last.Outcome != "success" || len(last.DataAffected) != 3 {
		t.Fatalf("exit %d, %s, %q\n%s", r.code, last.Outcome, last.DataAffected, r.stderr)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "host/inner/file")); err != nil {
		t.Error("the host's own file is gone")
	}
	want := map[string]struct{ file, content, consistency string }{
		"ram": {"./a", "in memory\n", "live"}, "view": {"./inner/file", "of the host\n", "stopped"}, "theirs": {"./b", "with a plugin\n", "stopped"},
	}
	for _, v := range manifestOf(t, last.ExportPath).Volumes {
		w := want[v.Key]
		out := run(t, s.command("", "sh", "-c", "zstd -d < "+filepath.Join(last.ExportPath, v.Archive.Path)+" | tar -x -O "+w.file))
		if v.Method != "engine_api" || v.Consistency != w.consistency || out.stdout != w.content {
			t.Errorf("%s: %s, %s, %q", v.Key, v.Method, v.Consistency, out.stdout)
		}
	}
	// What the view leads to is there still, and is not written over.
	if r := s.ccdestroy("restore", last.ExportPath, "view"); r.code != 1 || !strings.Contains(r.stderr, "there is content already") || s.hasVolume("PROJ_view") {
		t.Errorf("over a host directory: exit %d\n%s", r.code, r.stderr)
	}
	need.Run(t, "rm", "-r", filepath.Join(s.dir, "host/inner"))
	if r := s.ccdestroy("restore", last.ExportPath, "view", "theirs"); r.code != 0 {
		t.Fatalf("restore: exit %d\n%s", r.code, r.stderr)
	}
	if data, _ := os.ReadFile(filepath.Join(s.dir, "host/inner/file")); string(data) != "of the host\n" {
		t.Errorf("%q", data)
	}
	if got := s.docker("run", "--rm", "--volume", "PROJ_theirs:/v", os.Getenv("CCDESTROY_IMAGE"), "cat", "/v/b"); got != "with a plugin" {
		t.Errorf("%q", got)
	}
}

// What stands in the way of a restore, and what does not.
func TestRestoreRefuses(t *testing.T) {
	need.Root(t)
	s := newStack(t, one(talker))
	s.talking()
	export := s.exported("--stop")
	content := treeOf(t, s.mountpoint("PROJ_uploads"), false)
	refused := func(what, says string, code int, args ...string) {
		t.Helper()
		before := len(s.events())
		r := s.ccdestroy(append([]string{"restore"}, args...)...)
		recorded := map[int]int{5: 1}[code] // what a rule forbids is recorded as failed
		if r.code != code || !strings.Contains(r.stderr, says) || !strings.Contains(r.stderr, "\nTry: ") || len(s.events()) != before+recorded || recorded > 0 && s.last().Outcome != "failed" {
			t.Errorf("%s: exit %d, %d events\n%s", what, r.code, len(s.events())-before, r.stderr)
		}
		if s.hasVolume("PROJ_uploads") {
			sameTree(t, what, content, treeOf(t, s.mountpoint("PROJ_uploads"), false))
		}
	}
	refused("in use", "is in use by "+s.name+"-web-1", 5, export, "uploads")
	s.docker("compose", "stop")
	refused("content", "has content", 5, export, "uploads")
	refused("referred to", "is in use by "+s.name+"-web-1", 5, export, "uploads", "--overwrite")
	s.docker("compose", "down")
	refused("no such volume", `volume "nothing" is not in the export`, 2, export, "nothing")
	refused("two volumes as one", "--as names one volume", 2, export, "--as", "x")
	refused("no export", "no such file or directory", 1, "nowhere")
	s.docker("volume", "create", "--label", "ccdestroy.protect=true", "PROJ_guarded")
	need.Run(t, "touch", filepath.Join(s.mountpoint("PROJ_guarded"), "x"))
	refused("protected", "is protected", 5, export, "uploads", "--as", s.name+"_guarded", "--overwrite")

	need.Run(t, "sh", "-c", "echo other > "+filepath.Join(s.mountpoint("PROJ_uploads"), "other"))
	p := s.terminal("restore", export, "uploads", "--overwrite")
	p.waitText("Enter to cancel: ")
	p.send("\n")
	if code := p.wait(); code != 4 || !s.hasVolume("PROJ_uploads") {
		t.Errorf("not confirmed: exit %d\n%s", code, p.seen())
	}
	p = s.terminal("restore", export, "uploads", "--overwrite", "--reason", "rehearsal")
	p.waitText("Enter to cancel: ")
	p.send("overwrite\n")
	if code := p.wait(); code != 0 {
		t.Fatalf("confirmed: exit %d\n%s", code, p.seen())
	}
	last := s.last()
	if last.Operation != "restore" || last.Outcome != "success" || last.Details.Confirmation != "typed" || !slices.Equal(last.DataAffected, []string{s.name + "_uploads"}) || last.ExportPath != export {
		t.Errorf("%+v", last)
	}
	sameTree(t, "overwritten", content, treeOf(t, s.mountpoint("PROJ_uploads"), false))
	s.docker("volume", "rm", "PROJ_data")
	s.docker("volume", "create", "PROJ_data")
	if r := s.ccdestroy("restore", export, "data"); r.code != 0 || len(s.last().DataAffected) > 0 {
		t.Errorf("an empty one: exit %d\n%s", r.code, r.stderr)
	}
}

// A spoilt or hostile export changes nothing, through either way of writing.
func TestRestoreSpoilt(t *testing.T) {
	need.Root(t)
	p := newProxy(t)
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, s *stack, export string)
		code  int
		says  string
	}{
		{"a flipped bit", func(t *testing.T, s *stack, export string) {
			path := filepath.Join(export, "volumes", s.name+"_uploads.tar.zst")
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 4
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}, 5, "damaged"},
		{"a missing archive", func(t *testing.T, s *stack, export string) {
			need.Run(t, "rm", filepath.Join(export, "volumes", s.name+"_uploads.tar.zst"))
		}, 5, "no such file"},
		{"a newer manifest", func(t *testing.T, _ *stack, export string) {
			need.Run(t, "sed", "-i", `s/"version": 1,/"version": 2,/`, filepath.Join(export, "manifest.json"))
		}, 1, "newer ccdestroy"},
		{"half an export", func(t *testing.T, _ *stack, export string) {
			need.Run(t, "mv", export, export+".incomplete")
			need.Run(t, "ln", "-s", filepath.Base(export)+".incomplete", export)
			need.Run(t, "rm", filepath.Join(export, "manifest.json"))
		}, 1, "no such file"},
		{"an archive that climbs out", func(t *testing.T, s *stack, export string) {
			climbing(t, s, export)
		}, 1, "not safe to unpack"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStack(t, one(talker))
			s.talking()
			export := s.exported("uploads", "--stop")
			c.spoil(t, s, export)
			for _, host := range []string{engineHost(), p.host()} {
				r := s.ccdestroy("restore", export, "--as", s.name+"_back", "-H", host)
				if r.code != c.code || !strings.Contains(r.stderr, c.says) || s.hasVolume("PROJ_back") || s.helpers() > 0 {
					t.Errorf("%s: exit %d\n%s", host, r.code, r.stderr)
				}
			}
			if _, err := os.Stat("/tmp/climbed-" + s.name); err == nil {
				t.Error("something was written outside of the volume")
			}
			if r := s.ccdestroy("exports", "check", export); r.code != 7 {
				t.Errorf("check: exit %d\n%s%s", r.code, r.stdout, r.stderr)
			}
		})
	}
}

// climbing puts an archive into the export whose hashes are right and whose
// entry leads out of the volume.
func climbing(t *testing.T, s *stack, export string) {
	t.Helper()
	parent := t.TempDir()
	d, err := archive.Begin(parent, "evil", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	v := archive.Volume{Name: s.name + "_uploads", Driver: "local"}
	err = d.Save(&v, 1, func(w io.Writer) (archive.Content, error) {
		tw := tar.NewWriter(w)
		for _, h := range []*tar.Header{{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755}, {Name: "./../../../../../../../../tmp/climbed-" + s.name, Typeflag: tar.TypeReg, Mode: 0o644}} {
			if err := tw.WriteHeader(h); err != nil {
				return archive.Content{}, err
			}
		}
		return archive.Content{}, tw.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Finish(archive.Manifest{Project: "evil", Volumes: []archive.Volume{v}}); err != nil {
		t.Fatal(err)
	}
	need.Run(t, "rm", "-r", export)
	need.Run(t, "mv", d.Final(), export)
}

// What the list says of exports, and the inventory of volumes.
func TestExportsList(t *testing.T) {
	s := newStack(t, one(talker))
	s.talking()
	lastExport := func() string {
		t.Helper()
		r := s.ccdestroy("inventory")
		for line := range strings.Lines(r.stdout) {
			if strings.Contains(line, s.name+"_uploads") {
				return line
			}
		}
		t.Fatalf("no line for the volume:\n%s%s", r.stdout, r.stderr)
		return ""
	}
	if line := lastExport(); !strings.Contains(line, "never") {
		t.Error(line)
	}
	if r := s.ccdestroy("exports"); r.code != 0 || r.stdout != "No exports.\n" {
		t.Errorf("%d %q %s", r.code, r.stdout, r.stderr)
	}
	var paths []string
	for range 4 {
		paths = append(paths, s.exported("--stop"))
	}
	if line := lastExport(); !strings.Contains(line, " ago") || strings.Contains(line, "gone") {
		t.Error(line)
	}
	need.Run(t, "rm", "-r", paths[3])
	need.Run(t, "sh", "-c", "echo >> "+filepath.Join(paths[2], "manifest.json"))
	need.Run(t, "truncate", "--size=5", filepath.Join(paths[1], "volumes", s.name+"_data.tar.zst"))
	if line := lastExport(); !strings.Contains(line, " ago, gone") {
		t.Error(line)
	}
	states := func(args ...string) (out []string) {
		t.Helper()
		r := s.ccdestroy(append([]string{"exports", "--format", "json"}, args...)...)
		var list []struct{ ID, Project, State, Path string }
		if err := json.Unmarshal([]byte(r.stdout), &list); err != nil {
			t.Fatalf("%v\n%s%s", err, r.stdout, r.stderr)
		}
		for _, e := range list {
			out = append(out, e.State)
			if e.Project != s.name && e.State != "incomplete" || e.Path == "" {
				t.Errorf("%+v", e)
			}
		}
		return out
	}
	if got := states(); !slices.Equal(got, []string{"missing", "changed", "damaged", "complete"}) {
		t.Errorf("%q", got)
	}
	dir := filepath.Dir(paths[0])
	need.Run(t, "mkdir", filepath.Join(dir, "x-20261123T101500Z.incomplete"))
	if got := states(dir); len(got) != 4 || !slices.Contains(got, "incomplete") {
		t.Errorf("%q", got)
	}
	if r := s.ccdestroy("exports", "check", paths[0], paths[1], paths[2]); r.code != 7 || strings.Count(r.stdout, "DAMAGED") != 2 || strings.Count(r.stdout, "whole") != 1 {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	// A younger volume of the same name was never exported.
	s.ccdestroy("--yes")
	s.docker("compose", "up", "--detach")
	if line := lastExport(); !strings.Contains(line, "never") {
		t.Error(line)
	}
}

// At the question e saves first; the progress is shown, and not with --quiet.
func TestExportAtTheQuestion(t *testing.T) {
	s := newStack(t, one(talker))
	s.talking()
	p := s.terminal()
	p.waitText("Enter to cancel: ")
	p.send("e\n")
	p.waitText("Before that, the volumes are exported to " + s.dir)
	p.send(s.name + "\n")
	if code := p.wait(); code != 0 || !strings.Contains(p.seen(), "done") || !strings.Contains(p.seen(), "uploads") {
		t.Fatalf("exit %d\n%s", code, p.seen())
	}
	if last := s.last(); last.Details.Confirmation != "typed" || filepath.Dir(last.ExportPath) != filepath.Join(s.dir, ".contextcore", "exports") {
		t.Errorf("%q, %q", last.Details.Confirmation, last.ExportPath)
	}
	s.talking()
	if r := s.ccdestroy("export", "--stop"); r.code != 0 || strings.Count(r.stderr, "Volume ") != 3 {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("export", "--stop", "--quiet"); r.code != 0 || strings.Contains(r.stderr, "Volume ") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("export"); r.code != 0 || !strings.Contains(r.stderr, "in use while it was read") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("export", "nothing"); r.code != 2 || !strings.Contains(r.stderr, `volume "nothing": there is none of this name`) {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

// Something comes between in the middle of an export: the helper is removed, or
// a service started again.
func TestExportDisturbed(t *testing.T) {
	for _, c := range []struct {
		name    string
		disturb func(s *stack)
		says    string
	}{
		{"the helper is removed", func(s *stack) {
			s.docker("rm", "--force", s.docker("ps", "--all", "--quiet", "--filter", "label=io.ccdestroy.helper=true", "--filter", "volume=PROJ_data"))
		}, "No such container"},
		{"a service is started", func(s *stack) { s.docker("start", "PROJ-web-1") }, "-web-1 was started meanwhile"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStack(t, one(talker))
			p := newProxy(t)
			s.talking()
			p.stall.Store(true)
			cmd := s.command("", binary, "--export", "saved", "-H", p.host())
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the export to read", func() bool { return p.waiting.Load() > 0 })
			c.disturb(s)
			p.stall.Store(false)
			_ = cmd.Wait()
			if code, last := cmd.ProcessState.ExitCode(), s.last(); code != 5 || last.Outcome != "failed" || !strings.Contains(last.Details.Error, c.says) {
				t.Errorf("exit %d, %s: %s", code, last.Outcome, last.Details.Error)
			}
			s.untouched()
		})
	}
}

// A restore is killed after it has written, before it has said so: reconcile
// compares.
func TestRestoreKilled(t *testing.T) {
	for _, c := range []struct{ name, outcome string }{{"as written", "success"}, {"changed since", "failed"}} {
		t.Run(c.name, func(t *testing.T) {
			s := newStack(t, one(talker))
			written := false // into the volume: what is read from then on is compared
			p := newGate(t, func(r *http.Request) bool {
				written = written || requested(r, http.MethodPut, "/archive")
				return written && isArchive(r)
			})
			s.talking()
			export := s.exported("uploads", "--stop")
			cmd := s.command("", binary, "restore", export, "--as", s.name+"_back", "-H", p.host())
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			p.waitHeld()
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			p.open()
			if c.outcome == "failed" {
				s.docker("run", "--rm", "--volume", "PROJ_back:/v", os.Getenv("CCDESTROY_IMAGE"), "sh", "-c", "echo more >> /v/p")
			}
			if last := s.last(); last.Operation != "restore" || last.Outcome != "pending" {
				t.Fatalf("%s %s", last.Operation, last.Outcome)
			}
			if r := s.ccdestroy("reconcile", "-H", p.host()); r.code != 0 {
				t.Errorf("exit %d\n%s", r.code, r.stderr)
			}
			if last := s.last(); last.Outcome != c.outcome || last.Details.Settled != "reconcile" || (c.outcome == "failed") != strings.Contains(last.Details.Error, `"./p": size`) {
				t.Errorf("%s: %s", last.Outcome, last.Details.Error)
			}
			if s.helpers() > 0 {
				t.Error("a helper is left")
			}
		})
	}
}

// The script of docs/export.md brings an export back without this program.
func TestExportByHand(t *testing.T) {
	need.Root(t)
	script := block(t, "export.md", "sh")
	s := newStack(t, nil)
	dir := s.hardVolume("PROJ_pgdata")
	need.Run(t, "mkdir", filepath.Join(dir, "base"))
	need.Run(t, "sh", "-c", "echo 17 > "+filepath.Join(dir, "base/PG_VERSION"))
	export := s.exported(s.name + "_pgdata")
	script = strings.NewReplacer("EXPORT", export, "shop_pgdata", s.name+"_pgdata").Replace(script)
	r := run(t, s.command("", "sh", "-ec", script))
	if r.code != 0 || !strings.HasSuffix(r.stdout, "OK\n17\n") {
		t.Errorf("exit %d, %q\n%s", r.code, r.stdout, r.stderr)
	}
	sameTree(t, "by hand", treeOf(t, dir, false), treeOf(t, filepath.Join(export, "pgdata"), false))
}

// Very many files, one large one, and none at all, both ways there and back;
// a restore compares every entry itself.
func TestExportSizes(t *testing.T) {
	need.Root(t)
	s := newStack(t, nil)
	p := newProxy(t)
	for _, c := range []struct {
		name  string
		fill  func(dir string) error
		files int
	}{
		{"many", func(dir string) error { return trees.Many(dir, 100_000) }, 100_000},
		{"large", func(dir string) error { return halfRandom(filepath.Join(dir, "file"), 96) }, 1},
		{"none", func(string) error { return nil }, 0},
	} {
		s.docker("volume", "create", "PROJ_"+c.name)
		if err := c.fill(s.mountpoint("PROJ_" + c.name)); err != nil {
			t.Fatal(err)
		}
		for way, host := range map[string]string{"direct": engineHost(), "remote": p.host()} {
			export := s.exported(s.name+"_"+c.name, "-o", way, "-H", host)
			if v := manifestOf(t, export).Volumes[0]; v.Entries["file"] != c.files {
				t.Errorf("%s, %s: %d files in the export", c.name, way, v.Entries["file"])
			}
			back := s.name + "_" + c.name + "-" + way
			if r := s.ccdestroy("restore", export, "--as", back, "-H", host, "-q"); r.code != 0 || strings.Contains(r.stderr, "differs") {
				t.Errorf("%s, %s: exit %d\n%s", c.name, way, r.code, r.stderr)
			}
			s.docker("volume", "rm", back)
		}
	}
}
