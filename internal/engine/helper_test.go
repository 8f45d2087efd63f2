package engine

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docker/docker/client"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// A helper is a leftover when the lock of its operation is free, or gone from where
// it lay on this host; of another host's nothing is known but its age.
func TestLeftover(t *testing.T) {
	dir := t.TempDir()
	free, held := filepath.Join(dir, "free"), filepath.Join(dir, "held")
	if err := os.WriteFile(free, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, ok, err := durable.Sharing{}.TryLock(held)
	if err != nil || !ok {
		t.Fatal(err)
	}
	defer l.Remove()
	old := time.Now().Add(-2 * helperLife)
	for name, c := range map[string]struct {
		lock, host string
		created    time.Time
		want       bool
	}{
		"dead":                            {free, hostname(), time.Now(), true},
		"dead, of an older version":       {free, "", time.Now(), true},
		"at work":                         {held, hostname(), old, false},
		"over":                            {filepath.Join(dir, "gone"), hostname(), time.Now(), true},
		"gone, of an older version":       {filepath.Join(dir, "gone"), "", time.Now(), false},
		"of another host":                 {filepath.Join(dir, "gone"), "elsewhere", time.Now(), false},
		"of a directory that is not here": {filepath.Join(dir, "no", "gone"), hostname(), time.Now(), false},
		"of another host, long ago":       {filepath.Join(dir, "gone"), "elsewhere", old, true},
		"without a lock":                  {"", hostname(), time.Now(), false},
	} {
		labels := map[string]string{inventory.LabelHelper: "true", inventory.LabelHelperLock: c.lock, inventory.LabelHelperHost: c.host}
		for _, image := range []string{helperImage, "localhost/" + helperImage, "docker.io/library/" + helperImage, selfImage + "0123456789abcdef"} {
			if got := leftover(inventory.Container{Labels: labels, Created: c.created, Image: image}); got != c.want {
				t.Errorf("%s, %s: %t, want %t", name, image, got, c.want)
			}
		}
		for _, image := range []string{"", "postgres:17", "evil.example/" + helperImage, "evil.example/" + selfImage + "0", "ccdestroy-helper"} {
			if leftover(inventory.Container{Labels: labels, Created: c.created, Image: image}) {
				t.Errorf("%s: somebody gave a container of the image %q our labels", name, image)
			}
		}
		delete(labels, inventory.LabelHelper)
		if leftover(inventory.Container{Labels: labels, Created: c.created, Image: helperImage}) {
			t.Errorf("%s: it is no helper", name)
		}
	}
}

// Whatever a helper is for, its labels say whose it is: left behind by an operation that
// is over, it is a leftover.
func TestHelpersSayWhoseTheyAre(t *testing.T) {
	_, err := executable()
	need.That(t, "a static program", err == nil)
	lock := filepath.Join(t.TempDir(), "gone")
	var made []inventory.Container
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/containers/create") {
			fmt.Fprint(w, "{}")
			return
		}
		c := inventory.Container{Created: time.Now()}
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil { // it has Image and Labels too
			t.Error(err)
		}
		made = append(made, c)
		http.Error(w, "{}", http.StatusInsufficientStorage)
	}))
	defer s.Close()
	api, err := client.NewClientWithOpts(client.WithHost("tcp://"+s.Listener.Addr().String()), client.WithVersion("1.41"))
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	c := &Client{api: api, greeted: true}
	_, _ = c.Helper(t.Context(), "x", lock, nil, true) // the engine refuses both
	_, _ = Self{client: c, lock: lock, dir: "/"}.start(t.Context())
	if len(made) != 2 {
		t.Fatalf("%+v", made)
	}
	for _, one := range made {
		if !leftover(one) {
			t.Errorf("it is no leftover: %+v", one)
		}
	}
}

// removing is an engine at which another process removes a container, until so
// many requests have come.
type removing int

func (n *removing) RoundTrip(r *http.Request) (*http.Response, error) {
	code, text := http.StatusConflict, `{"message":"removal of container x is already in progress"}`
	if *n--; *n < 0 {
		code, text = http.StatusNotFound, `{"message":"no such container: x"}`
	}
	return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

// A helper that another process removes is waited for, but not for ever.
func TestHelperIsRemovedByAnother(t *testing.T) {
	for n, gone := range map[removing]bool{0: true, 3: true, 1 << 20: false} {
		synctest.Test(t, func(t *testing.T) {
			api, err := client.NewClientWithOpts(client.WithHost("tcp://engine:1"), client.WithVersion("1.41"), client.WithHTTPClient(&http.Client{Transport: &n}))
			if err != nil {
				t.Fatal(err)
			}
			if err := removeContainer(t.Context(), api, "x"); (err == nil) != gone {
				t.Errorf("%v", err)
			}
		})
	}
}
