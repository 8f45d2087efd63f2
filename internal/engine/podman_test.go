package engine

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/client"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// answering is a client of an engine that calls itself by a name, and makes up an
// id for each answer as Podman does.
func answering(t *testing.T, component string) *Client {
	t.Helper()
	ids := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		switch {
		case strings.HasSuffix(r.URL.Path, "/version"):
			fmt.Fprintf(w, `{"Components":[{"Name":%q}]}`, component)
		case strings.HasSuffix(r.URL.Path, "/info"):
			ids++
			fmt.Fprintf(w, `{"ID":"%d","Name":"lap","DockerRootDir":"/storage"}`, ids)
		}
	}))
	t.Cleanup(s.Close)
	api, err := client.NewClientWithOpts(client.WithHost("tcp://" + s.Listener.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Close() })
	return &Client{api: api, host: s.URL}
}

// The id of a Podman is the same in every answer; a Docker Engine's is its own.
func TestPodmanID(t *testing.T) {
	for component, stable := range map[string]bool{"Podman Engine": true, "Engine": false} {
		c := answering(t, component)
		var ids []string
		for range 2 {
			e, err := c.Describe(t.Context())
			if err != nil || e.StableCreated != stable {
				t.Fatalf("%s: %+v, %v", component, e, err)
			}
			ids = append(ids, e.ID)
		}
		if (ids[0] == ids[1]) != stable {
			t.Errorf("%s: ids %q", component, ids)
		}
	}
}

func TestPodmanEvents(t *testing.T) {
	m := events.Message{Type: events.VolumeEventType, Action: events.ActionRemove, Actor: events.Actor{Attributes: map[string]string{"name": "data"}}}
	if got := dockerEvent(m); got.Action != events.ActionDestroy || got.Actor.ID != "data" {
		t.Errorf("%+v", got)
	}
	m = events.Message{Type: events.ContainerEventType, Action: events.ActionRemove, Actor: events.Actor{ID: "c"}}
	if got := dockerEvent(m); got.Action != events.ActionRemove || got.Actor.ID != "c" {
		t.Errorf("%+v", got)
	}
}

func TestPodmanNames(t *testing.T) {
	s := inventory.Snapshot{
		Containers: []inventory.Container{{Networks: []string{"shop_default", "gone"}}},
		Networks:   []inventory.Network{{ID: "4711", Name: "shop_default"}},
	}
	if identify(&s); !slices.Equal(s.Containers[0].Networks, []string{"4711", "gone"}) {
		t.Errorf("%q", s.Containers[0].Networks)
	}
	for tag, want := range map[string]string{"docker.io/library/shop-web:1": "shop-web:1", "docker.io/ana/web:1": "ana/web:1", "ghcr.io/library/x:1": "ghcr.io/library/x:1"} {
		if got := shortTag(tag); got != want {
			t.Errorf("%q is %q, want %q", tag, got, want)
		}
	}
}
