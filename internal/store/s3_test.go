package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

func open(t testing.TB, s *s3lab.Server, a s3lab.Account, url string) *S3 {
	t.Helper()
	b, err := OpenS3(url, s.Getenv(a))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBucket(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	b := open(t, server, server.Root, server.Bucket("audit", false)+"/team/a")
	ctx := t.Context()
	for i := range 5 {
		if err := b.Put(ctx, fmt.Sprintf("v1/x/day=%d/%d.json", i%2, i), []byte{byte('a' + i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Put(ctx, "v1/x/day=0/0.json", []byte("other")); !errors.Is(err, ErrExists) {
		t.Errorf("put again: %v", err)
	}
	body, err := b.Get(ctx, "v1/x/day=0/2.json")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if data, err := io.ReadAll(body); err != nil || string(data) != "c" {
		t.Errorf("%v: %q", err, data)
	}
	if _, err := b.Get(ctx, "v1/x/none"); !errors.Is(err, ErrNotThere) {
		t.Errorf("get: %v", err)
	}
	var keys string
	for o, err := range b.List(ctx, "v1/x/", "v1/x/day=0/2.json") {
		keys += fmt.Sprint(o.Key, o.Size, err, " ")
	}
	if keys != "v1/x/day=0/4.json1 <nil> v1/x/day=1/1.json1 <nil> v1/x/day=1/3.json1 <nil> " {
		t.Error(keys)
	}
	if dirs, err := b.Dirs(ctx, "v1/x/"); err != nil || fmt.Sprint(dirs) != "[v1/x/day=0/ v1/x/day=1/]" {
		t.Errorf("%v: %v", dirs, err)
	}
	stranger := open(t, server, server.User("stranger"), "s3://audit/team/a")
	if err := stranger.Put(ctx, "v1/x/y.json", nil); !errors.Is(err, ErrDenied) {
		t.Errorf("put by a stranger: %v", err)
	}
	for _, err := range stranger.List(ctx, "v1/", "") {
		if !errors.Is(err, ErrDenied) {
			t.Errorf("list by a stranger: %v", err)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := b.Put(cancelled, "v1/z.json", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("put without time: %v", err)
	}
}
