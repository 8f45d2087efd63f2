// Package s3lab starts S3 servers for tests: versitygw, built from its source by Go,
// with its files in a temporary directory. A proxy of faults can stand before one.
package s3lab

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/contextcore/ccdestroy/internal/lab/built"
	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// patience bounds the wait for a server; no test asserts how long it took.
const patience = 2 * time.Minute

// Server is one server that runs until the test ends.
type Server struct {
	URL  string // http://127.0.0.1:PORT, or https
	Dir  string // where its files are: Dir/data/BUCKET/KEY
	Root Account

	t    testing.TB
	run  *exec.Cmd
	args []string
	out  *bytes.Buffer
	own  bool // Dir is this server's alone
}

// Account is who calls.
type Account struct{ Key, Secret string }

// Options say what is not as usual.
type Options struct {
	Dir     string   // of another server, to share its files; "" is a new one
	Address string   // host:port to listen at; "" is a free port of the loopback
	Args    []string // further ones before "posix"
	In      []string // a command that the server is run by, as in nsenter
	Unready bool     // do not wait until it answers
	// Attributes keeps what the server notes of an object in extended attributes of its
	// file, so that both come at once. Beside the files, which works everywhere, one that
	// is killed in between notes an object that is not there: it says that it exists when
	// it is to be made, and that it does not when it is read.
	Attributes bool
}

// Start starts a server.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{t: t, Root: Account{"root-of-the-lab", "secret-of-the-lab"}, Dir: o.Dir, own: o.Dir == "", out: &bytes.Buffer{}}
	if s.own {
		s.Dir = t.TempDir()
	}
	for _, name := range []string{"data", "meta", "iam", "versions"} {
		if err := os.MkdirAll(filepath.Join(s.Dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if o.Address == "" {
		o.Address = built.FreeAddress(t)
	}
	s.URL = "http://" + o.Address
	if strings.Contains(strings.Join(o.Args, " "), "--cert") {
		s.URL = "https://" + o.Address
	}
	command := append(append([]string{}, o.In...), Binary(t), "--port", o.Address, "--access", s.Root.Key, "--secret", s.Root.Secret,
		"--iam-dir", filepath.Join(s.Dir, "iam"), "--iam-cache-disable", "--quiet", "--keep-alive")
	s.args = append(append(command, o.Args...), "posix", "--versioning-dir", filepath.Join(s.Dir, "versions"))
	if !o.Attributes {
		s.args = append(s.args, "--sidecar", filepath.Join(s.Dir, "meta"))
	}
	s.args = append(s.args, filepath.Join(s.Dir, "data"))
	s.Run()
	t.Cleanup(s.Stop)
	if !o.Unready {
		s.Ready()
	}
	return s
}

// Run starts the process, again after Stop.
func (s *Server) Run() {
	s.t.Helper()
	s.run = exec.Command(s.args[0], s.args[1:]...)
	s.run.Stdout, s.run.Stderr = s.out, s.out
	if err := s.run.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// Stop kills it.
func (s *Server) Stop() {
	if s.run != nil && s.run.Process != nil {
		_ = s.run.Process.Kill()
		_ = s.run.Wait()
		s.run = nil
	}
}

// Process is what runs.
func (s *Server) Process() *os.Process { return s.run.Process }

// Ready waits until it answers.
func (s *Server) Ready() {
	s.t.Helper()
	client := s.client()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_, err = client.ListBuckets(ctx)
		cancel()
		if err == nil {
			return
		}
	}
	s.Stop()
	s.t.Fatalf("the S3 server does not answer: %v\n%s", err, s.out)
}

// Bucket makes a bucket, with Object Lock if locked, and returns s3://NAME.
func (s *Server) Bucket(name string, locked bool) string {
	s.t.Helper()
	if err := s.client().MakeBucket(context.Background(), name, minio.MakeBucketOptions{ObjectLocking: locked}); err != nil {
		s.t.Fatalf("make bucket %s: %v\n%s", name, err, s.out)
	}
	return "s3://" + name
}

// Policy sets the policy of a bucket, as JSON.
func (s *Server) Policy(bucket, policy string) {
	s.t.Helper()
	if err := s.client().SetBucketPolicy(context.Background(), bucket, policy); err != nil {
		s.t.Fatalf("policy of %s: %v\n%s", bucket, err, policy)
	}
}

// Retain sets the default retention of a bucket with Object Lock.
func (s *Server) Retain(bucket, mode string, days uint) {
	s.t.Helper()
	how, unit := minio.RetentionMode(mode), minio.Days
	if err := s.client().SetObjectLockConfig(context.Background(), bucket, &how, &days, &unit); err != nil {
		s.t.Fatal(err)
	}
}

// User makes an account without any rights.
func (s *Server) User(name string) Account {
	s.t.Helper()
	a := Account{name, "secret-of-" + name}
	need.Run(s.t, Binary(s.t), "admin", "--access", s.Root.Key, "--secret", s.Root.Secret, "--endpoint-url", s.URL,
		"create-user", "--access", a.Key, "--secret", a.Secret, "--role", "user")
	return a
}

// Environ is how an account of the server is told to a program.
func (s *Server) Environ(a Account) []string {
	return []string{
		"AWS_ACCESS_KEY_ID=" + a.Key, "AWS_SECRET_ACCESS_KEY=" + a.Secret, "AWS_ENDPOINT_URL=" + s.URL, "AWS_REGION=us-east-1",
		"AWS_CONFIG_FILE=/nonexistent", "AWS_SHARED_CREDENTIALS_FILE=/nonexistent", "AWS_EC2_METADATA_DISABLED=true",
	}
}

// Getenv is Environ as a function.
func (s *Server) Getenv(a Account) func(string) string { return Getenv(s.Environ(a)) }

// Getenv looks a variable up in a list of them.
func Getenv(environ []string) func(string) string {
	return func(name string) string {
		for i := len(environ) - 1; i >= 0; i-- {
			if value, ok := strings.CutPrefix(environ[i], name+"="); ok {
				return value
			}
		}
		return ""
	}
}

// Objects are the files of a bucket below a prefix, by key, as the server has them
// on its disk.
func (s *Server) Objects(bucket, prefix string) map[string][]byte {
	s.t.Helper()
	found := map[string][]byte{}
	root := filepath.Join(s.Dir, "data", bucket)
	err := filepath.WalkDir(filepath.Join(root, filepath.FromSlash(prefix)), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if os.IsNotExist(err) {
				return nil
			}
			return err
		}
		key, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		found[filepath.ToSlash(key)] = data
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}

func (s *Server) client() *minio.Client {
	client, err := minio.New(strings.TrimPrefix(strings.TrimPrefix(s.URL, "http://"), "https://"), &minio.Options{
		Creds: credentials.NewStaticV4(s.Root.Key, s.Root.Secret, ""), Secure: strings.HasPrefix(s.URL, "https"), Region: "us-east-1", MaxRetries: 1,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

// versitygw is the server.
var versitygw = built.Server{What: "an S3 server", Module: "versitygw", Package: "github.com/versity/versitygw/cmd/versitygw"}

// Binary is versitygw. Where CCDESTROY_UNIT is set, the test is skipped.
func Binary(t testing.TB) string {
	t.Helper()
	return versitygw.Binary(t)
}
