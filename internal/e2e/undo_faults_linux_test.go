package e2e

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// The order of the steps that survives a power cut: the pending event is durable
// before the first entry is written, each entry before its data is moved, and both
// directories before Compose begins.
func TestKeepingInOrder(t *testing.T) {
	t.Parallel()
	need.Root(t)
	need.Command(t, "strace")
	s := newStack(t, one(double))
	t.Cleanup(s.emptyTrash)
	s.docker("compose", "up", "--detach")
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := s.command("", "strace", "-f", "-qq", "-y", "-s", "4096", "-o", trace, "-e", "trace=fsync,write,renameat,renameat2,execve", "-e", "signal=none", binary, "--keep-for", "1h")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := map[string][]string{
		"one": {"pending", "pending durable", "entry written", "entry named", "entry durable", "moved", "trash durable", "volume durable", "compose"},
	}
	want["two"] = want["one"]
	for volume, want := range want {
		if got := s.stepsOf(trace, s.name+"_"+volume); !slices.Equal(got, want) {
			t.Errorf("volume %s:\n got  %q\n want %q", volume, got, want)
		}
	}
}

// stepsOf are the steps of a trace that concern a volume, in the order in which
// they ended.
func (s *stack) stepsOf(trace, volume string) (steps []string) {
	s.t.Helper()
	entry := `ccdestroy-trash/v1/[0-9A-Z]{26}/` + volume
	patterns := []struct{ name, call string }{
		{"pending", `write\(\d+<[^>]*audit\.jsonl>, .*pending`},
		{"pending durable", `fsync\(\d+<[^>]*audit\.jsonl>\)`},
		{"entry written", `fsync\(\d+<[^>]*` + entry + `/[^>]*tmp[^>]*>\)`},
		{"entry named", `renameat2?\(.*tmp.*entry\.json`},
		{"entry durable", `fsync\(\d+<[^>]*` + entry + `>\)`},
		{"moved", `renameat2\(.*volumes/` + volume + `/_data.*` + entry + `/_data`},
		{"trash durable", `fsync\(\d+<[^>]*` + entry + `>\)`},
		{"volume durable", `fsync\(\d+<[^>]*volumes/` + volume + `>\)`},
		{"compose", `execve\(.*docker-compose.*"down"`},
	}
	f, err := os.Open(trace)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	open := map[string]string{} // calls that another thread interrupted in the trace
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() && len(steps) < len(patterns) {
		thread, call, _ := strings.Cut(lines.Text(), " ")
		call = strings.TrimSpace(call)
		if begin, cut := strings.CutSuffix(call, "<unfinished ...>"); cut {
			open[thread] = strings.TrimSpace(begin)
			continue
		}
		if _, rest, resumed := strings.Cut(call, " resumed>"); resumed {
			call = open[thread] + rest
		}
		next := patterns[len(steps)]
		if strings.Contains(call, " = 0") || strings.HasPrefix(call, "write") {
			if regexp.MustCompile(next.call).MatchString(call) {
				steps = append(steps, next.name)
			}
		}
	}
	return steps
}

// A disk that fills in mid-teardown, once the volumes are set aside: the record
// says what really happened, each volume's data is in one place, and what is kept
// can be brought back when there is room again.
func TestKeptAndFullDisk(t *testing.T) {
	t.Parallel()
	need.Command(t, "mkfs.ext4")
	e := newEngine(t)
	data := filepath.Join(e.dir, "engine", "data")
	if err := os.MkdirAll(data, 0o711); err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(e.dir, "disk")
	need.Run(t, "truncate", "-s", "256M", image)
	need.Run(t, "mkfs.ext4", "-q", "-m", "0", image)
	need.Run(t, "mount", "-o", "loop", image, data)
	e.start()
	s := e.stack(one(double))
	s.docker("compose", "up", "--detach")
	for _, v := range []string{"one", "two"} {
		if err := os.WriteFile(filepath.Join(s.mountpoint("PROJ_"+v), "mark"), []byte(s.name+v+"0"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.docker("run", "--detach", "--name", "PROJ-stranger", "--network", "none", "-v", "PROJ_one:/x", "IMAGE", "sleep", "infinity")
	filler, left := filepath.Join(data, "filler"), filepath.Join(s.dir, "left")
	s.wrapped("for size in 1M 4k 4k 512; do dd if=/dev/zero bs=$size 2>/dev/null >> " + filler + "; sync; done; head -c 4096 /dev/zero 2>/dev/null > " + filler + "-more; stat -c %s " + filler + "-more > " + left)

	r := s.ccdestroy("--keep-for", "1h")
	if size, err := os.ReadFile(left); err != nil || strings.TrimSpace(string(size)) != "0" {
		t.Fatalf("the disk was not full when Compose began: %s bytes could be written, %v", size, err)
	}
	last := s.last()
	t.Logf("exit %d, %s, kept %v, gone %q\n%s", r.code, last.Outcome, last.Details.Kept, last.DataAffected, r.stderr)
	for _, v := range []string{"one", "two"} {
		at := s.marks(v, 0)
		gone, kept := !s.hasVolume("PROJ_"+v), slices.ContainsFunc(s.trash(), func(h heldVolume) bool { return h.Volume == s.name+"_"+v })
		if len(at) != 1 || gone != kept || gone != slices.Contains(last.DataAffected, s.name+"_"+v) {
			t.Errorf("volume %s is at %q, gone %t, kept %t, and the record says %q", v, at, gone, kept, last.DataAffected)
		}
	}
	if !s.hasVolume("PROJ_one") {
		t.Error("a volume that a stranger uses is gone")
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	s.docker("rm", "-f", "PROJ-stranger")
	if r := s.ccdestroy("reconcile"); r.code != 0 {
		t.Errorf("reconcile: exit %d\n%s", r.code, r.stderr)
	}
	if len(s.trash()) > 0 {
		s.undoes()
	}
	for _, v := range []string{"one", "two"} {
		if at := s.marks(v, 0); len(at) != 1 || !strings.HasPrefix(at[0], "volumes/") {
			t.Errorf("volume %s is at the end in %q", v, at)
		}
	}
}
