package engine

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/client"
)

// A new version of the program replaces the image of the one before, and no image
// of somebody else's.
func TestLoadDropsOlder(t *testing.T) {
	var mu sync.Mutex
	tags := []string{"ccdestroy-self:old", "somebody/ccdestroy-self:1", "ccdestroy-selfie:1"}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/") // behind the version
		switch {
		case path == "version":
			fmt.Fprint(w, `{"Os":"linux","Arch":"amd64"}`)
		case path == "images/load":
			_, _ = io.Copy(io.Discard, r.Body)
			tags = append(tags, "ccdestroy-self:new")
		case path == "images/json":
			fmt.Fprintf(w, `[{"RepoTags":["%s"]}]`, strings.Join(tags, `","`))
		case r.Method == http.MethodDelete:
			tags = slices.DeleteFunc(tags, func(tag string) bool { return path == "images/"+tag })
			fmt.Fprint(w, "[]")
		case slices.Contains(tags, strings.TrimSuffix(strings.TrimPrefix(path, "images/"), "/json")):
			fmt.Fprint(w, "{}")
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer s.Close()
	api, err := client.NewClientWithOpts(client.WithHost("tcp://"+s.Listener.Addr().String()), client.WithVersion("1.41"))
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	c := &Client{api: api}
	if err := c.load(t.Context(), localImage{tag: "ccdestroy-self:new", file: []byte("x"), arch: "amd64"}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"somebody/ccdestroy-self:1", "ccdestroy-selfie:1", "ccdestroy-self:new"}; !slices.Equal(tags, want) {
		t.Errorf("%q are left, want %q", tags, want)
	}
}
