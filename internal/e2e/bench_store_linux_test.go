package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
	"github.com/contextcore/ccdestroy/internal/lab/year"
	"github.com/contextcore/ccdestroy/internal/store"
)

// BenchmarkStore measures reading a store of a sealed year of 3.6 million events,
// whose objects have expired, as whole processes. -short has ten days of it.
func BenchmarkStore(b *testing.B) {
	days := 365
	if testing.Short() {
		days = 10
	}
	private, _, err := store.NewSigningKey("audit.example.com")
	if err != nil {
		b.Fatal(err)
	}
	key, err := store.ParseSigningKey(private)
	if err != nil {
		b.Fatal(err)
	}
	server := s3lab.Start(b, s3lab.Options{})
	first := time.Date(2025, 11, 24, 0, 0, 0, 0, time.UTC)
	fill := func(bucket string, days int, loose bool) {
		b.Helper()
		server.Bucket(bucket, false)
		o := year.Options{Dir: filepath.Join(server.Dir, "data", bucket), First: first, Days: days, Events: 10000, Key: key, Loose: loose}
		if err := year.Write(b.Context(), o); err != nil {
			b.Fatal(err)
		}
	}
	fill("year", days, false)
	fill("day", 1, false)
	run := func(b *testing.B, bucket, args string) {
		var took []time.Duration
		var memory int64
		for range b.N {
			environ := append(server.Environ(server.Root), "CCDESTROY_STORE=s3://"+bucket, "XDG_STATE_HOME="+b.TempDir())
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
		{"report-year", "year", "audit report --store -o -"},
	} {
		b.Run(c.name, func(b *testing.B) { run(b, c.bucket, c.args) })
	}
	b.Run("seal-day", func(b *testing.B) {
		for n := range b.N {
			bucket := fmt.Sprintf("loose-%d-%d", b.N, n)
			b.StopTimer()
			fill(bucket, 1, true)
			s3, err := store.OpenS3("s3://"+bucket, server.Getenv(server.Root))
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			if done, err := (&store.Sealer{Bucket: s3, Key: key, Now: first.AddDate(0, 0, 2)}).Seal(b.Context()); err != nil || done.Packs != 1 {
				b.Fatal(err, done)
			}
		}
	})
}
