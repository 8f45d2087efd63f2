package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// runs is how often each side tears down; the medians are compared.
const runs = 11

// BenchmarkTeardown measures ccdestroy against docker compose down -v, in turn,
// on the same stacks.
func BenchmarkTeardown(b *testing.B) {
	for _, services := range []int{0, 1, 10} {
		b.Run(fmt.Sprintf("%d-services", services), func(b *testing.B) {
			for range b.N {
				measure(b, services)
			}
		})
	}
}

// benchImage is the test image, made where it is not there.
func benchImage(b *testing.B) string {
	b.Helper()
	if image := os.Getenv("CCDESTROY_IMAGE"); image != "" {
		return image
	}
	out, err := exec.Command("../lab/image.sh").Output()
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func measure(b *testing.B, services int) {
	dir := b.TempDir()
	image := benchImage(b)
	var file strings.Builder
	fmt.Fprintf(&file, "name: bench%d\nservices:\n", os.Getpid())
	for i := range max(services, 1) {
		fmt.Fprintf(&file, "  s%d:\n    image: %s\n    volumes: [\"v%d:/data\"]\n", i, image, i)
	}
	file.WriteString("volumes:\n")
	for i := range max(services, 1) {
		fmt.Fprintf(&file, "  v%d:\n", i)
	}
	if err := os.WriteFile(dir+"/compose.yaml", []byte(file.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	do := func(args ...string) (time.Duration, int64) {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		begin := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%q: %v\n%s", args, err, out)
		}
		return time.Since(begin), cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	}
	sides := [][]string{{"docker", "compose", "down", "-v"}, {binary}}
	times := make([][]time.Duration, 2)
	var memory int64
	for n := range runs + 1 {
		for side, args := range sides {
			if services > 0 {
				do("docker", "compose", "up", "--detach")
			}
			took, rss := do(args...)
			if n == 0 {
				continue // to warm up
			}
			times[side] = append(times[side], took)
			if side == 1 {
				memory = max(memory, rss)
			}
		}
	}
	slices.Sort(times[0])
	slices.Sort(times[1])
	theirs, ours := times[0][runs/2], times[1][runs/2]
	b.ReportMetric(float64(theirs.Milliseconds()), "compose-ms")
	b.ReportMetric(float64(ours.Milliseconds()), "ccdestroy-ms")
	b.ReportMetric(float64(ours)/float64(theirs), "ratio")
	b.ReportMetric(float64(memory)/1024, "peak-MB")
	b.ReportMetric(0, "ns/op")
}
