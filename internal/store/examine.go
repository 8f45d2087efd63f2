package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
)

// Check is one thing that was found out about a store.
type Check struct {
	State string // ok, warn or fail
	Text  string
	Try   string // or ""
}

// probeKey is the object that Examine writes: in the place of events, where writers
// have rights, and outside of every day. It is the same each time.
const probeKey = EventsDir + "doctor.json"

var probe = []byte(`{"written by":"ccdestroy doctor"}`)

// How far the clock of this machine may be off. S3 refuses what is off by more than
// 15 minutes.
const (
	skewNoted   = 5 * time.Second
	skewRefused = 15 * time.Minute
)

// Examine finds out whether the store can be reached, and what these credentials can
// do in it: create objects, and not replace or remove them. It writes one object, and
// tries to replace it by itself and to remove it.
func (s *S3) Examine(ctx context.Context) (all []Check) {
	add := func(state, try, format string, args ...any) {
		all = append(all, Check{State: state, Text: fmt.Sprintf(format, args...), Try: try})
	}
	err := s.write(ctx, probeKey, probe, creating(asJSON))
	if errors.Is(err, ErrExists) {
		err = nil
	}
	if err != nil {
		add("fail", "docs/store.md", "%v", err)
		s.checkClock(add)
		return all
	}
	add("ok", "", "%s: objects can be created", s.Address)
	s.checkClock(add)
	switch err := s.write(ctx, probeKey, probe, creating(asJSON)); {
	case errors.Is(err, ErrExists):
		add("ok", "", "conditional writes: a key that is taken is refused")
	case err == nil:
		add("fail", "another server, or a newer version of it", "conditional writes: If-None-Match is ignored, so that an object can be replaced unnoticed")
	default:
		add("warn", "", "conditional writes: %v", err)
	}
	if err := s.write(ctx, probeKey, probe, replacing(asJSON)); err == nil {
		add("warn", "the policy for runners in docs/store.md", "these credentials can replace objects")
	} else {
		add("ok", "", "these credentials cannot replace objects")
	}
	if err := s.client.RemoveObject(ctx, s.Bucket, s.key(probeKey), minio.RemoveObjectOptions{}); err == nil {
		add("warn", "the policy for runners in docs/store.md", "these credentials can remove objects")
	} else {
		add("ok", "", "these credentials cannot remove objects")
	}
	if _, err := s.Dirs(ctx, EventsDir); err == nil {
		add("ok", "", "these credentials can list events, as audit --store needs")
	} else {
		add("ok", "", "these credentials cannot list events: fine for what only writes")
	}
	s.checkLock(ctx, add)
	return all
}

func (s *S3) checkClock(add func(state, try, format string, args ...any)) {
	skew, known := s.clock.read()
	if skew < 0 {
		skew = -skew
	}
	switch try := "set the clock: timedatectl set-ntp true"; {
	case !known:
	case skew >= skewRefused:
		add("fail", try, "the clocks of this machine and of the store differ by %s", skew)
	case skew >= skewNoted:
		add("warn", try, "the clocks of this machine and of the store differ by %s", skew)
	default:
		add("ok", "", "the clocks of this machine and of the store agree")
	}
}

func (s *S3) checkLock(ctx context.Context, add func(state, try, format string, args ...any)) {
	on, mode, validity, unit, err := s.client.GetObjectLockConfig(ctx, s.Bucket)
	const try = "Object Lock in docs/store.md"
	switch answer := minio.ToErrorResponse(err); {
	case answer.Code == "ObjectLockConfigurationNotFoundError" || err == nil && on != "Enabled":
		add("warn", try, "Object Lock is off: whoever administers the bucket can remove records")
	case err != nil:
		add("ok", "", "these credentials cannot tell whether Object Lock is on: %s", answer.Code)
	case mode == nil || validity == nil || unit == nil:
		add("warn", try, "Object Lock is on, without a default retention: records are not kept by it")
	case *mode == minio.Governance:
		add("warn", try, "Object Lock keeps records for %d %s, and whoever may bypass governance can remove them", *validity, *unit)
	default:
		add("ok", "", "Object Lock keeps records for %d %s, from everybody", *validity, *unit)
	}
}

// clock compares the clock of the server, as its answers tell it, with this one.
type clock struct {
	http.RoundTripper
	mu    sync.Mutex // guards what follows
	skew  time.Duration
	known bool
}

// RoundTrip notes the date of the answer. It has whole seconds.
func (c *clock) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(req)
	if err != nil {
		return resp, err
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		c.mu.Lock()
		c.skew, c.known = time.Since(at).Truncate(time.Second), true
		c.mu.Unlock()
	}
	return resp, nil
}

func (c *clock) read() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.skew, c.known
}
