package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/certs"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// A server with a certificate of an authority of one's own is trusted where
// AWS_CA_BUNDLE names that, and not tried again where it does not.
func TestOwnAuthority(t *testing.T) {
	authority := certs.New(t)
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert, key := authority.Pair(t)
	server := s3lab.Start(t, s3lab.Options{Unready: true, Args: []string{"--cert", write("cert.pem", cert), "--key", write("key.pem", key)}})
	bundle := filepath.Join(authority.Dir(t, false), "ca.pem")
	env := append(server.Environ(server.Root), "AWS_CA_BUNDLE="+bundle)
	b, err := OpenS3("s3://audit", s3lab.Getenv(env))
	if err != nil {
		t.Fatal(err)
	}
	// No bucket yet: that is the server's own answer.
	if err := b.Put(t.Context(), "v1/x.json", nil); err == nil || !strings.Contains(err.Error(), "NoSuchBucket") {
		t.Error(err)
	}
	if b, err = OpenS3("s3://audit", server.Getenv(server.Root)); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(t.Context(), "v1/x.json", nil); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
	for _, file := range []string{"/nonexistent", write("empty.pem", nil)} {
		if _, err := OpenS3("s3://audit", s3lab.Getenv(append(env, "AWS_CA_BUNDLE="+file))); err == nil || !strings.Contains(err.Error(), "AWS_CA_BUNDLE") {
			t.Error(err)
		}
	}
}
