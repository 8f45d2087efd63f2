package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/trees"
)

// exportRuns is how often each side exports; the medians are compared.
const exportRuns = 5

// BenchmarkExport measures whole exports, verified and synced, against tar and
// zstd on the same volume, which do neither, and against tar in a container.
func BenchmarkExport(b *testing.B) {
	for _, c := range []struct {
		name    string
		volumes int
		fill    func(dir string) error
	}{
		{"512-MiB", 1, func(dir string) error { return halfRandom(filepath.Join(dir, "file"), 512) }},
		{"100000-files", 1, func(dir string) error { return trees.Many(dir, 100_000) }},
		{"10-volumes", 10, func(dir string) error { return halfRandom(filepath.Join(dir, "file"), 52) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				measureExport(b, c.volumes, c.fill)
			}
		})
	}
}

func measureExport(b *testing.B, volumes int, fill func(string) error) {
	dir := b.TempDir()
	image := benchImage(b)
	docker := func(args ...string) string {
		out, err := exec.Command("docker", args...).CombinedOutput()
		if err != nil {
			b.Fatalf("docker %q: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	var names, places []string
	for i := range volumes {
		name := fmt.Sprintf("bench%d-%d", os.Getpid(), i)
		docker("volume", "create", name)
		b.Cleanup(func() { docker("volume", "rm", name) })
		names, places = append(names, name), append(places, docker("volume", "inspect", "--format", "{{.Mountpoint}}", name))
		if err := fill(places[i]); err != nil {
			b.Fatal(err)
		}
	}
	each := func(format string) []string { // one volume after the other
		var all []string
		for i := range names {
			all = append(all, strings.NewReplacer("VOLUME", names[i], "PLACE", places[i], "OUT", filepath.Join(dir, "peer.zst"), "IMAGE", image).Replace(format))
		}
		return []string{"sh", "-ec", strings.Join(all, "; ")}
	}
	ours := append([]string{binary, "export", "--quiet", "--output", filepath.Join(dir, "exports"), "--log", filepath.Join(dir, "log")}, names...)
	sides := []struct {
		name string
		args []string
	}{
		{"ours", ours},
		{"tar-zstd", each("tar -C PLACE -cf - . | zstd -q -f -1 -T2 -o OUT")},
		{"engine-api", append(slices.Clone(ours), "--host", newProxy(b).host())},
		{"docker-run-tar", each("docker run --rm -v VOLUME:/v:ro IMAGE tar -C /v -cf - . | zstd -q -f -1 -T2 -o OUT")},
	}
	times, cores, memory := map[string][]time.Duration{}, []float64{}, int64(0)
	for n := range exportRuns + 1 {
		for _, side := range sides {
			cmd := exec.Command(side.args[0], side.args[1:]...)
			cmd.Dir = dir
			begin := time.Now()
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%q: %v\n%s", side.args, err, out)
			}
			took := time.Since(begin)
			if n == 0 {
				continue // to warm up
			}
			times[side.name] = append(times[side.name], took)
			if usage := cmd.ProcessState.SysUsage().(*syscall.Rusage); side.name == "ours" || side.name == "engine-api" {
				memory = max(memory, usage.Maxrss)
				if side.name == "ours" {
					cores = append(cores, float64(usage.Utime.Nano()+usage.Stime.Nano())/float64(took))
				}
			}
			_ = os.RemoveAll(filepath.Join(dir, "exports"))
		}
	}
	median := func(name string) time.Duration { slices.Sort(times[name]); return times[name][exportRuns/2] }
	for _, side := range sides {
		b.ReportMetric(float64(median(side.name).Milliseconds()), side.name+"-ms")
		if side.name != "ours" {
			b.ReportMetric(float64(median("ours"))/float64(median(side.name)), "ours/"+side.name)
		}
	}
	slices.Sort(cores)
	b.ReportMetric(cores[exportRuns/2], "cores")
	b.ReportMetric(float64(memory)/1024, "peak-MB")
	b.ReportMetric(0, "ns/op")
}
