package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// benched is a project of one service whose volumes a benchmark fills.
type benched struct {
	b    *testing.B
	dir  string
	name string
	env  []string
}

func newBenched(b *testing.B, volumes int) benched {
	b.Helper()
	p := benched{b: b, dir: b.TempDir(), name: fmt.Sprintf("benchundo%d", os.Getpid()), env: os.Environ()}
	var mounts, names strings.Builder
	for i := range volumes {
		fmt.Fprintf(&mounts, "      - v%d:/v%d\n", i, i)
		fmt.Fprintf(&names, "  v%d:\n", i)
	}
	file := fmt.Sprintf("name: %s\nservices:\n  web:\n    image: %s\n    volumes:\n%svolumes:\n%s", p.name, benchImage(b), mounts.String(), names.String())
	if err := os.WriteFile(filepath.Join(p.dir, "compose.yaml"), []byte(file), 0o644); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		p.do("docker", "compose", "down", "-v")
		p.do(binary, "trash", "purge", "--yes")
	})
	return p
}

func (p benched) do(args ...string) (time.Duration, string) {
	p.b.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = p.dir, p.env
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.b.Fatalf("%q: %v\n%s", args, err, out)
	}
	return time.Since(begin), strings.TrimSpace(string(out))
}

// up starts the service and returns the directory of its first volume.
func (p benched) up() string {
	p.b.Helper()
	p.do("docker", "compose", "up", "--detach")
	_, dir := p.do("docker", "volume", "inspect", "--format", "{{.Mountpoint}}", p.name+"_v0")
	return dir
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// BenchmarkKeep measures a teardown that keeps against docker compose down -v, of
// one volume with so many small files.
func BenchmarkKeep(b *testing.B) {
	for files, rounds := range map[int]int{10: 7, 10_000: 3, 200_000: 1} {
		b.Run(fmt.Sprintf("%d-files", files), func(b *testing.B) {
			p := newBenched(b, 1)
			times := [2][]time.Duration{}
			for range rounds {
				for side, args := range [][]string{{"docker", "compose", "down", "-v"}, {binary, "--keep-for", "1h"}} {
					dir := p.up()
					for i := range files {
						if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("f", i)), []byte("small\n"), 0o644); err != nil {
							b.Fatal(err)
						}
					}
					unix.Sync() // what is still to be written is neither side's doing
					took, _ := p.do(args...)
					times[side] = append(times[side], took)
				}
			}
			theirs, ours := median(times[0]), median(times[1])
			b.ReportMetric(float64(theirs.Milliseconds()), "compose-ms")
			b.ReportMetric(float64(ours.Milliseconds()), "ccdestroy-ms")
			b.ReportMetric(float64(theirs)/float64(ours), "times-faster")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkUndo measures how long bringing back takes, by the size of the volume. There
// is another volume on the engine: without any, nothing shows that an Engine 20.10 is one
// of this host, and the data is moved in the helper container.
func BenchmarkUndo(b *testing.B) {
	const other = "ccdestroy-bench-other"
	need.Run(b, "docker", "volume", "create", other)
	defer need.Run(b, "docker", "volume", "rm", other)
	for _, mib := range []int{1, 4096} {
		b.Run(fmt.Sprintf("%d-MiB", mib), func(b *testing.B) {
			p := newBenched(b, 1)
			if err := halfRandom(filepath.Join(p.up(), "data"), mib); err != nil {
				b.Fatal(err)
			}
			var times []time.Duration
			for range 5 {
				p.do(binary, "--keep-for", "1h")
				took, _ := p.do(binary, "undo")
				times = append(times, took)
				p.do("docker", "compose", "up", "--detach")
			}
			b.ReportMetric(float64(median(times).Milliseconds()), "undo-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkKeepTen measures what keeping ten volumes adds to a teardown, directly
// and through the helper.
func BenchmarkKeepTen(b *testing.B) {
	for _, way := range []string{"directly", "helper"} {
		b.Run(way, func(b *testing.B) {
			p := newBenched(b, 10)
			if way == "helper" {
				p.env = append(p.env, "DOCKER_HOST="+newProxy(b).host())
			}
			times := [2][]time.Duration{}
			for round := range 8 {
				for side, keep := range []string{"0", "1h"} {
					p.up()
					took, _ := p.do(binary, "--keep-for", keep)
					if round > 0 { // to warm up
						times[side] = append(times[side], took)
					}
				}
			}
			b.ReportMetric(float64(median(times[0]).Milliseconds()), "destroying-ms")
			b.ReportMetric(float64(median(times[1]).Milliseconds()), "keeping-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}
