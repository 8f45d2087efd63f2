package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
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
	do := func(args ...string) time.Duration {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		begin := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%q: %v\n%s", args, err, out)
		}
		return time.Since(begin)
	}
	sides := [][]string{{"docker", "compose", "down", "-v"}, {binary}}
	times := make([][]time.Duration, 2)
	for n := range runs + 1 {
		for side, args := range sides {
			if services > 0 {
				do("docker", "compose", "up", "--detach")
			}
			took := do(args...)
			if n > 0 { // to warm up
				times[side] = append(times[side], took)
			}
		}
	}
	slices.Sort(times[0])
	slices.Sort(times[1])
	theirs, ours := times[0][runs/2], times[1][runs/2]
	b.ReportMetric(float64(theirs.Milliseconds()), "compose-ms")
	b.ReportMetric(float64(ours.Milliseconds()), "ccdestroy-ms")
	b.ReportMetric(float64(ours)/float64(theirs), "ratio")
	if services > 0 {
		do("docker", "compose", "up", "--detach")
	}
	b.ReportMetric(float64(peak(b, dir, binary))/1024, "peak-MB")
	b.ReportMetric(0, "ns/op")
}

// peak is how much memory a command takes at most, in KiB. It is asked again and
// again, since what the system says at the end is the most of the command or of
// what it started, and Docker Compose takes more.
func peak(b *testing.B, dir string, args ...string) (kib int64) {
	b.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			if err != nil || kib == 0 {
				b.Fatalf("%q: %v, %d KiB", args, err, kib)
			}
			return kib
		case <-time.After(time.Millisecond):
		}
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
		if _, rest, found := strings.Cut(string(status), "VmHWM:"); found {
			_, _ = fmt.Sscan(rest, &kib)
		}
	}
}
