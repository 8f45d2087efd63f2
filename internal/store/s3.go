package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/contextcore/ccdestroy/internal/transport"
)

// S3 is a store behind an S3 API. It is a Bucket.
type S3 struct {
	Address
	client *minio.Client
	clock  *clock
}

// How long one attempt may take to reach a server, and to be answered. A node that
// hangs is one to be left for another behind the same name. Tests alone change it.
var (
	dialLimit   = 5 * time.Second
	answerLimit = 10 * time.Second
)

// amazon is the server where no other is named; minio-go adds the region.
const amazon = "s3.amazonaws.com"

// OpenS3 makes a store of its address, without talking to it. It takes from getenv
// what the AWS tools take, and HTTPS_PROXY and its kind from this process.
func OpenS3(text string, getenv func(string) string) (*S3, error) {
	a, err := parseAddress(text, getenv)
	if err != nil {
		return nil, err
	}
	plain, err := transportOf(getenv)
	if err != nil {
		return nil, err
	}
	timed := &clock{RoundTripper: stalls{plain}}
	host, secure, lookup := amazon, true, minio.BucketLookupAuto
	if a.Endpoint != nil {
		host, secure = a.Endpoint.Host, a.Endpoint.Scheme == "https"
	}
	if a.Virtual != nil && *a.Virtual {
		lookup = minio.BucketLookupDNS
	} else if a.Virtual != nil {
		lookup = minio.BucketLookupPath
	}
	client, err := minio.New(host, &minio.Options{
		Creds: credentialsFrom(getenv, &http.Client{Transport: plain}), Secure: secure, Transport: timed, Region: a.Region, BucketLookup: lookup,
		MaxRetries: 1, // attempt does that: it keeps the error that it was about
	})
	if err != nil {
		return nil, fmt.Errorf("%q: %w", text, err)
	}
	client.SetS3EnableDualstack(getenv("AWS_USE_DUALSTACK_ENDPOINT") == "true")
	return &S3{a, client, timed}, nil
}

// transportOf is how servers are reached, trusting AWS_CA_BUNDLE instead of the system's
// authorities where that is set.
func transportOf(getenv func(string) string) (t *http.Transport, err error) {
	t = transport.New(dialLimit)
	t.ResponseHeaderTimeout, t.MaxIdleConnsPerHost, t.DisableCompression = answerLimit, parallel, true
	if file := getenv("AWS_CA_BUNDLE"); file != "" {
		t.TLSClientConfig.RootCAs, err = transport.Authorities("AWS_CA_BUNDLE", file)
	}
	return t, err
}

// asJSON is the content type of events, indexes and the probe.
const asJSON = "application/json"

// Put is part of Bucket.
//
// A crash in it leaves the whole object or none: S3 shows no half ones.
func (s *S3) Put(ctx context.Context, key string, data []byte) error {
	kind := asJSON
	if !strings.HasSuffix(key, ".json") {
		kind = "application/octet-stream"
	}
	return attempt(ctx, func() error { return s.write(ctx, key, data, creating(kind)) })
}

// write writes an object in one attempt.
func (s *S3) write(ctx context.Context, key string, data []byte, o minio.PutObjectOptions) error {
	_, err := s.client.PutObject(ctx, s.Bucket, s.key(key), bytes.NewReader(data), int64(len(data)), o)
	return s.told("put", err)
}

// creating is how to write an object that must not be there yet.
func creating(kind string) minio.PutObjectOptions {
	o := replacing(kind)
	o.SetMatchETagExcept("*")
	return o
}

// replacing is how to write an object whether or not it is there: only Examine tries it.
func replacing(kind string) minio.PutObjectOptions {
	// A bucket with Object Lock wants the MD5 of every object, and it is signed: no other
	// sum is needed.
	return minio.PutObjectOptions{ContentType: kind, SendContentMd5: true, DisableContentSha256: true, DisableMultipart: true}
}

// Get is part of Bucket.
func (s *S3) Get(ctx context.Context, key string) (body io.ReadCloser, err error) {
	err = attempt(ctx, func() (err error) {
		core := minio.Core{Client: s.client}
		body, _, _, err = core.GetObject(ctx, s.Bucket, s.key(key), minio.GetObjectOptions{})
		return s.told("get", err)
	})
	return body, err
}

// Range is part of Bucket.
func (s *S3) Range(ctx context.Context, key string, at, size int64) (data []byte, err error) {
	var o minio.GetObjectOptions
	if err := o.SetRange(at, at+size-1); err != nil {
		return nil, err
	}
	err = attempt(ctx, func() error {
		core := minio.Core{Client: s.client}
		body, _, _, err := core.GetObject(ctx, s.Bucket, s.key(key), o)
		if err != nil {
			return s.told("get", err)
		}
		defer body.Close()
		data, err = io.ReadAll(io.LimitReader(body, size))
		return s.told("get", err)
	})
	return data, err
}

// List is part of Bucket.
func (s *S3) List(ctx context.Context, prefix, after string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		wanted := true
		err := s.each(ctx, minio.ListObjectsOptions{Prefix: s.key(prefix), Recursive: true}, after, func(o minio.ObjectInfo) bool {
			wanted = yield(Object{Key: s.below(o.Key), Size: o.Size}, nil)
			return wanted
		})
		if err != nil && wanted {
			yield(Object{}, err)
		}
	}
}

// Dirs is part of Bucket.
func (s *S3) Dirs(ctx context.Context, prefix string) (dirs []string, err error) {
	err = s.each(ctx, minio.ListObjectsOptions{Prefix: s.key(prefix)}, "", func(o minio.ObjectInfo) bool {
		if strings.HasSuffix(o.Key, "/") {
			dirs = append(dirs, s.below(o.Key))
		}
		return true
	})
	slices.Sort(dirs)
	return slices.Compact(dirs), err
}

// errLoop says that a server ignores where a listing is to go on.
var errLoop = errors.New("the listing begins again and again, and never ends")

// each lists until visit returns false. An attempt goes on behind the last key that
// was seen.
func (s *S3) each(ctx context.Context, o minio.ListObjectsOptions, after string, visit func(minio.ObjectInfo) bool) error {
	if after != "" {
		o.StartAfter = s.key(after)
	}
	return attempt(ctx, func() error {
		first := ""
		for info := range s.client.ListObjectsIter(ctx, s.Bucket, o) {
			if info.Err != nil {
				return s.told("list", info.Err)
			}
			if info.Key == first {
				return s.told("list", errLoop)
			}
			first = cmp.Or(first, info.Key)
			if o.StartAfter = info.Key; !visit(info) {
				return nil
			}
		}
		return ctx.Err()
	})
}
