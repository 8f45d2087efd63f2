package store

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// A server whose answers stop in the middle, or whose listings never end, is given up.
func TestServerWithoutEnd(t *testing.T) {
	hasty(t, time.Minute)
	server := s3lab.Start(t, s3lab.Options{})
	s := newSite(t, server, Require)
	b := s.copies.To[0].Sink.(Objects).Bucket.(*S3)
	server.Bucket("audit", false)
	recorded(t, s.log, 2)
	if err := s.copies.Secure(t.Context(), s.log); err != nil {
		t.Fatal(err)
	}
	read := func() error {
		return Archive{NewSource(b, nil, nil)}.History(t.Context(), Query{}, func(audit.Record, []byte) error { return nil })
	}
	s.proxy.Set(func(_ int, r *http.Request) s3lab.Fault {
		if strings.HasSuffix(r.URL.Path, ".json") {
			return s3lab.Stall
		}
		return nil
	})
	if err := read(); !errors.Is(err, errStalled) {
		t.Errorf("an object stalls: %v", err)
	}
	s.proxy.Set(func(_ int, r *http.Request) s3lab.Fault {
		if r.URL.Query().Get("list-type") == "2" {
			return again
		}
		return nil
	})
	if err := read(); !errors.Is(err, errLoop) {
		t.Errorf("a listing goes round: %v", err)
	}
}

// However much a server says, little of it is shown.
func TestServerOfManyWords(t *testing.T) {
	hasty(t, time.Minute)
	server := s3lab.Start(t, s3lab.Options{})
	s := newSite(t, server, Require)
	recorded(t, s.log, 1)
	s.proxy.Set(func(int, *http.Request) s3lab.Fault { return s3lab.Refuse(400, strings.Repeat("Bad", 100_000)) })
	if err := s.copies.Secure(t.Context(), s.log); err == nil || len(err.Error()) > 1000 {
		t.Errorf("%.2000v", err)
	}
}

// again answers a listing as if there were always more, and always the same.
func again(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) {
	w.Header().Set("Content-Type", "application/xml")
	_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>audit</Name><IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken>`+
		`<Contents><Key>team/v1/events/a</Key><Size>1</Size></Contents><Contents><Key>team/v1/events/b</Key><Size>1</Size></Contents></ListBucketResult>`)
}
