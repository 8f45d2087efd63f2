package store

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// BenchmarkSecure compares what require mode costs with the PUT alone, by turns.
func BenchmarkSecure(b *testing.B) {
	server := s3lab.Start(b, s3lab.Options{})
	server.Bucket("audit", false)
	bucket, err := OpenS3("s3://audit/team", server.Getenv(server.Root))
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	l := &audit.Log{Path: filepath.Join(dir, "audit.jsonl")}
	c := &Copies{To: []*Copy{{Sink: Objects{bucket}, Mode: Require}}, State: filepath.Join(dir, "state")}
	var secure, put []time.Duration
	const rounds = 200
	for b.Loop() {
		for i := range rounds {
			e := audit.Event{ID: ulid.Make().String(), Timestamp: time.Now(), Operation: audit.Destroy, Outcome: audit.Success, User: "ci", Details: []byte(fmt.Sprintf(`{"x":"%02000d"}`, i))}
			if _, err := l.Begin(b.Context(), e, 0); err != nil {
				b.Fatal(err)
			}
			begun := time.Now()
			if err := c.Secure(b.Context(), l); err != nil {
				b.Fatal(err)
			}
			secure = append(secure, time.Since(begun))
			begun = time.Now()
			if err := bucket.Put(b.Context(), fmt.Sprintf("v1/events/day=2026-01-01/%d-%d.json", len(put), i), e.Details); err != nil {
				b.Fatal(err)
			}
			put = append(put, time.Since(begun))
		}
	}
	median := func(all []time.Duration) float64 {
		slices.Sort(all)
		return float64(all[len(all)/2].Microseconds()) / 1000
	}
	b.ReportMetric(median(secure), "ms/secure")
	b.ReportMetric(median(put), "ms/put")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkNewest reads the newest 20 operations of a store with a day of 5,000
// teardowns that are not packed.
func BenchmarkNewest(b *testing.B) {
	server := s3lab.Start(b, s3lab.Options{})
	server.Bucket("audit", false)
	bucket, err := OpenS3("s3://audit/team", server.Getenv(server.Root))
	if err != nil {
		b.Fatal(err)
	}
	l := &audit.Log{Path: filepath.Join(b.TempDir(), "audit.jsonl")}
	now := time.Now().UTC()
	day := now.Truncate(24 * time.Hour)
	const teardowns = 5000
	for i := range teardowns {
		at := day.Add(now.Sub(day) / teardowns * time.Duration(i))
		e := audit.Event{ID: ulid.MustNewDefault(at).String(), Timestamp: at, Operation: audit.Destroy, Outcome: audit.Pending, User: "ci"}
		if _, err := l.Begin(b.Context(), e, 0); err != nil {
			b.Fatal(err)
		}
		e.Outcome = audit.Success
		if _, err := l.Append(b.Context(), e, 0); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := (&Shipper{Log: l, Sink: Objects{bucket}}).Ship(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		n := 0
		if err := (Archive{Loose{bucket}}).History(b.Context(), Query{Limit: 20}, func(audit.Record, []byte) error { n++; return nil }); err != nil || n != 20 {
			b.Fatal(n, err)
		}
	}
}
