package e2e

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// BenchmarkStore measures reading a store of a sealed year of 3.6 million events,
// whose objects have expired, as whole processes. -short has ten days of it.
func BenchmarkStore(b *testing.B) {
	days := 365
	if testing.Short() {
		days = 10
	}
	server := s3lab.Start(b, s3lab.Options{})
	generator := filepath.Join(b.TempDir(), "genyear") // a process of its own: what is measured must not look as large
	need.Run(b, "go", "build", "-o", generator, "../lab/year/genyear")
	fill := func(bucket string, args ...string) {
		b.Helper()
		server.Bucket(bucket, false)
		need.Run(b, generator, append(args, filepath.Join(server.Dir, "data", bucket))...)
	}
	signing := filepath.Join(b.TempDir(), "seal.key")
	need.Run(b, binary, "store", "key", "audit.example.com", "-o", signing)
	fill("year", "-days", fmt.Sprint(days))
	fill("day", "-days", "1")
	fill("loose", "-days", "1", "-loose")
	run := func(b *testing.B, bucket, args, cache string) {
		b.Helper()
		var took []time.Duration
		var memory int64
		for range b.N {
			environ := append(server.Environ(server.Root), "CCDESTROY_STORE=s3://"+bucket, "XDG_STATE_HOME="+b.TempDir(),
				"XDG_CACHE_HOME="+cmp.Or(cache, b.TempDir()))
			begun, peak := timed(b, fmt.Sprintf("env %s %s %s", strings.Join(environ, " "), binary, args))
			took, memory = append(took, begun), max(memory, peak)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(median(took).Microseconds())/1000, "ms")
		b.ReportMetric(float64(memory)/1024, "peak-MB")
	}
	for _, c := range []struct{ name, bucket, args string }{
		{"newest", "year", "audit --store -n 20"},
		{"project-day", "year", "audit --store -n 0 --project wiki-ci-87 --since 2025-12-01T00:00:00Z --until 2025-12-01T23:59:59Z"},
		{"project-year", "year", "audit --store -n 0 --project wiki-ci-87"},
		{"verify-day", "day", "audit verify --store"},
		{"report-day", "day", "audit report --store -o -"},
		{"seal-day", "loose", "store seal --days 0 --signing-key " + signing},
		{"report-year", "year", "audit report --store -o -"},
	} {
		b.Run(c.name, func(b *testing.B) { run(b, c.bucket, c.args, "") })
	}
	cache, again := b.TempDir(), "audit --store -n 0 --project wiki-ci-88"
	b.Run("project-year-before", func(b *testing.B) { run(b, "year", again, cache) })
	b.Run("project-year-again", func(b *testing.B) { run(b, "year", again, cache) }) // the indexes are kept by now
}
