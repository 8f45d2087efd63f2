package store

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// hasty makes an attempt short for a test, and what Secure may take what it says; the
// rest has all the time that a busy machine needs.
func hasty(t *testing.T, secure time.Duration) {
	was := []time.Duration{secureBudget, followBudget, answerLimit}
	secureBudget, followBudget, answerLimit = secure, time.Minute, time.Second
	t.Cleanup(func() { secureBudget, followBudget, answerLimit = was[0], was[1], was[2] })
}

// site is a log that is copied to a store behind a proxy.
type site struct {
	t      *testing.T
	log    *audit.Log
	server *s3lab.Server
	proxy  *s3lab.Proxy
	copies *Copies
}

func newSite(t *testing.T, server *s3lab.Server, mode Mode) *site {
	t.Helper()
	s := &site{t: t, server: server, log: &audit.Log{Path: filepath.Join(t.TempDir(), "audit.jsonl")}}
	s.proxy = s3lab.Before(t, server.URL, nil)
	b, err := OpenS3("s3://audit/team?endpoint="+s.proxy.URL, server.Getenv(server.Root))
	if err != nil {
		t.Fatal(err)
	}
	s.copies = &Copies{To: []*Copy{{Sink: Objects{b}, Mode: mode}}, State: filepath.Join(t.TempDir(), "state")}
	return s
}

// stored makes sure that the store has the lines of the logs, each once and exactly.
func stored(t *testing.T, server *s3lab.Server, logs ...*audit.Log) {
	t.Helper()
	var want, got []string
	for _, l := range logs {
		want = append(want, chained(t, l)...)
	}
	for key, data := range server.Objects("audit", "team/v1/events") {
		k, err := parseKey(strings.TrimPrefix(key, "team/"))
		if err != nil || k.Sum != audit.Sum(data) {
			t.Errorf("%s: %v, %s", key, err, data)
		}
		got = append(got, string(data))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("there are %d objects of %d lines, or others", len(got), len(want))
	}
}

func first(n int, fault s3lab.Fault) func(int, *http.Request) s3lab.Fault {
	return func(i int, _ *http.Request) s3lab.Fault {
		if i <= n {
			return fault
		}
		return nil
	}
}

// What passes is waited for; a write whose answer is lost is told to be there.
func TestPassingFaults(t *testing.T) {
	hasty(t, time.Minute)
	server := s3lab.Start(t, s3lab.Options{})
	server.Bucket("audit", false)
	var logs []*audit.Log
	for name, fault := range map[string]s3lab.Fault{
		"slow down": s3lab.Refuse(503, "SlowDown"), "internal": s3lab.Refuse(500, "InternalError"), "conflict": s3lab.Refuse(409, "ConditionalRequestConflict"),
		"reset after the write": s3lab.Reset, "cut before it": s3lab.Cut, "hung": nil,
	} {
		s := newSite(t, server, Require)
		logs = append(logs, s.log)
		if fault == nil {
			fault = s.proxy.Hang
		}
		recorded(t, s.log, 2)
		s.proxy.Set(first(2, fault))
		if err := s.copies.Secure(t.Context(), s.log); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if s.proxy.Count() < 4 {
			t.Errorf("%s: %d requests", name, s.proxy.Count())
		}
	}
	stored(t, server, logs...)
}

// What does not pass is an error that names it, and nothing is lost: the next call
// goes on.
func TestLastingFaults(t *testing.T) {
	hasty(t, 3*time.Second)
	server := s3lab.Start(t, s3lab.Options{})
	server.Bucket("audit", false)
	var logs []*audit.Log
	for want, fault := range map[string]s3lab.Fault{
		"SlowDown": s3lab.Refuse(503, "SlowDown"), "ExpiredToken": s3lab.Refuse(400, "ExpiredToken"), "access denied": s3lab.Refuse(403, "AccessDenied"),
		"RequestTimeTooSkewed": s3lab.Refuse(403, "RequestTimeTooSkewed"), "InvalidAccessKeyId": s3lab.Refuse(403, "InvalidAccessKeyId"), "NoSuchBucket": s3lab.Refuse(404, "NoSuchBucket"),
		"connection reset": s3lab.Cut, "not within 3s": nil,
	} {
		s := newSite(t, server, Require)
		logs = append(logs, s.log)
		if fault == nil {
			fault = s.proxy.Hang
		}
		recorded(t, s.log, 40)
		s.proxy.Set(func(n int, _ *http.Request) s3lab.Fault { // in mid-run
			if n > 20 {
				return fault
			}
			return nil
		})
		if err := s.copies.Secure(t.Context(), s.log); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "ship to s3://audit/team") {
			t.Errorf("%q, want %s", err, want)
		}
		if err := s.copies.Follow(t.Context(), s.log); err != nil { // it rests
			t.Errorf("%s: %v", want, err)
		}
		s.copies.To[0].failed = time.Time{}
		s.proxy.Set(nil)
		if err := s.copies.Follow(t.Context(), s.log); err != nil {
			t.Errorf("%s: %v", want, err)
		}
	}
	stored(t, server, logs...)
}

// A signal ends the wait at once.
func TestShipStopped(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	server.Bucket("audit", false)
	s := newSite(t, server, Require)
	recorded(t, s.log, 1)
	ctx, cancel := context.WithCancel(t.Context())
	s.proxy.Set(func(int, *http.Request) s3lab.Fault { cancel(); return s.proxy.Hang })
	if err := s.copies.Secure(ctx, s.log); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// In later mode nothing has to be there before the deed.
func TestLater(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	server.Bucket("audit", false)
	s := newSite(t, server, Later)
	recorded(t, s.log, 1)
	if err := s.copies.Secure(t.Context(), s.log); err != nil || s.proxy.Count() != 0 {
		t.Errorf("%v, %d requests", err, s.proxy.Count())
	}
	if err := s.copies.Follow(t.Context(), s.log); err != nil || s.proxy.Count() != 1 {
		t.Errorf("%v, %d requests", err, s.proxy.Count())
	}
	stored(t, server, s.log)
}

// An object that somebody put in the place of a line is an alarm.
func TestSquatted(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	server.Bucket("audit", false)
	s := newSite(t, server, Require)
	recorded(t, s.log, 1)
	var key Key
	if _, err := s.log.After(audit.Mark{}, func(e audit.Event, line []byte, _ audit.Mark) (err error) {
		key, err = KeyOf(e, line)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	b := open(t, server, server.Root, "s3://audit/team")
	if err := b.Put(t.Context(), key.String(), []byte("other")); err != nil {
		t.Fatal(err)
	}
	if err := s.copies.Secure(t.Context(), s.log); !errors.Is(err, errFork) {
		t.Error(err)
	}
}

// Examine tells what credentials can do that they should not.
func TestExamine(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	server.Bucket("audit", true)
	runner := server.User("runner")
	server.Policy("audit", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["runner"]},"Action":"s3:PutObject","Resource":"arn:aws:s3:::audit/team/v1/events/*"}]}`)
	told := func(all []Check) (text string) {
		for _, c := range all {
			text += c.State + " " + c.Text + "\n"
		}
		return text
	}
	s := newSite(t, server, Require)
	late := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	s.proxy.Set(func(int, *http.Request) s3lab.Fault { return s3lab.Dated(late) })
	got := told(s.copies.To[0].Sink.(Objects).Bucket.(*S3).Examine(t.Context()))
	for _, want := range []string{"ok s3://audit/team at ", "ok conditional writes", "warn these credentials can replace", "warn these credentials can remove", "can list events", "warn Object Lock is on, without a default", "fail the clocks of this machine and of the store differ by 1h0m"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	got = told(open(t, server, runner, "s3://audit/team").Examine(t.Context()))
	for _, want := range []string{"ok s3://audit/team at ", "ok conditional writes", "ok these credentials cannot remove", "cannot list events: fine", "cannot tell whether Object Lock is on", "ok the clocks"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	got = told(open(t, server, runner, "s3://audit/other").Examine(t.Context()))
	if !strings.HasPrefix(got, "fail put s3://audit/other") || !strings.Contains(got, "access denied") {
		t.Error(got)
	}
	server.Stop()
	if got = told(open(t, server, runner, "s3://audit/team").Examine(t.Context())); !strings.Contains(got, "connection refused") {
		t.Error(got)
	}
}

// One who may only put ships, and tells a repeat, without a right to read.
func TestOnlyPut(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	server.Bucket("audit", false)
	runner := server.User("runner")
	server.Policy("audit", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["runner"]},"Action":"s3:PutObject","Resource":"arn:aws:s3:::audit/team/v1/events/*"}]}`)
	l := &audit.Log{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	recorded(t, l, 20)
	for range 2 { // without a cursor: all again
		done, err := (&Shipper{Log: l, Sink: Objects{open(t, server, runner, "s3://audit/team")}}).Ship(t.Context())
		if err != nil || done.Lines != 20 {
			t.Errorf("%+v, %v", done, err)
		}
	}
	stored(t, server, l)
	if name := (Objects{open(t, server, runner, "s3://audit/team")}).Name(); name != "s3://audit/team at "+strings.TrimPrefix(server.URL, "http://") {
		t.Error(name)
	}
}
