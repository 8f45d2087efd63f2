package store

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// Over a network that takes its time, with answers that come when nobody waits for them
// any more, each line is there once.
func TestLatency(t *testing.T) {
	hasty(t, 2*time.Minute)
	server := s3lab.Start(t, s3lab.Options{})
	server.Bucket("audit", false)
	s := newSite(t, server, Require)
	s.proxy.Set(func(n int, _ *http.Request) s3lab.Fault {
		if n%10 == 0 { // it takes effect, and nobody hears of that
			return s3lab.Late(0, answerLimit*3/2)
		}
		return s3lab.Late(rand.N(answerLimit/4), rand.N(answerLimit/4))
	})
	recorded(t, s.log, 100)
	if err := s.copies.Secure(t.Context(), s.log); err != nil {
		t.Error(err)
	}
	if n := s.proxy.Count(); n <= 100 {
		t.Errorf("%d requests: no answer came too late", n)
	}
	stored(t, server, s.log)
}

// A server refuses what is signed by a clock that is too far off. Nothing goes ahead
// then, the error and doctor name the clock, and once it is set everything is there.
func TestClockSkew(t *testing.T) {
	hasty(t, time.Minute)
	server := s3lab.Start(t, s3lab.Options{})
	server.Bucket("audit", false)
	var logs []*audit.Log
	const most = "the clocks of this machine and of the store differ by "
	for by, want := range map[time.Duration]string{
		0: "ok the clocks of this machine and of the store agree", -630 * time.Second: "warn " + most + "10m", 630 * time.Second: "warn " + most + "10m",
		-1230 * time.Second: "fail " + most + "20m", 1230 * time.Second: "fail " + most + "20m",
	} {
		refused := strings.HasPrefix(want, "fail")
		s := newSite(t, server, Require)
		logs = append(logs, s.log)
		recorded(t, s.log, 2)
		s.proxy.Set(func(int, *http.Request) s3lab.Fault { return s3lab.Skewed(server.Root, by) })
		err := s.copies.Secure(t.Context(), s.log)
		if (err != nil) != refused || err != nil && !strings.Contains(err.Error(), "RequestTimeTooSkewed") {
			t.Errorf("off by %s: %v", by, err)
		}
		told := ""
		for _, c := range s.copies.To[0].Sink.(Objects).Bucket.(*S3).Examine(t.Context()) {
			told += c.State + " " + c.Text + "\n"
		}
		if !strings.Contains(told, want) {
			t.Errorf("off by %s: no %q in\n%s", by, want, told)
		}
		s.proxy.Set(nil)
		if err := s.copies.Secure(t.Context(), s.log); err != nil {
			t.Errorf("off by %s, and set: %v", by, err)
		}
	}
	stored(t, server, logs...)
}
