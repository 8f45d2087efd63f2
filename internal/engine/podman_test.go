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

// answering is a client of an engine that calls itself by the ids, one an answer,
// and speaks this version of the API.
func answering(t *testing.T, version string, ids ...string) *Client {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", version)
		if strings.HasSuffix(r.URL.Path, "/info") {
			fmt.Fprintf(w, `{"ID":%q,"Name":"lap","DockerRootDir":"/storage"}`, ids[0])
			ids = ids[1:]
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

// Podman makes up an id for every answer, and has one all the same; a Docker
// Engine's is its own.
func TestPodmanID(t *testing.T) {
	const uuid, another, letters = "a3c1e7a4-7a6e-4a43-9a60-3f1f9b5d2c11", "0d5c2f8e-54d0-4f0c-8d0c-9f3be1f0a7b2", "7TRN:IPZB:QYBB:VPBQ:UMPP:KARE:6ZNR:XE6T:7EWV:PKF4:ZOJD:TPYS"
	for _, c := range []struct {
		version, said, then string
		podman, stable      bool
	}{
		{"1.41", uuid, another, true, true},
		{"1.41", letters, letters, false, false},
		{"1.52", uuid, uuid, false, true},
		{"1.52", letters, letters, false, true}, // it was installed as an older one
	} {
		cl := answering(t, c.version, c.said, c.then)
		e, err := cl.Describe(t.Context())
		if err != nil || e.StableCreated != c.stable || cl.podman != c.podman || (e.ID == c.said) == c.podman {
			t.Fatalf("%s, %s: %+v, Podman %t, %v", c.version, c.said, e, cl.podman, err)
		}
		if again, err := cl.info(t.Context()); err != nil || again.ID != e.ID {
			t.Errorf("%s, %s: then %s, %v", c.version, c.said, again.ID, err)
		}
	}
}

// An engine that a client asks in the words of an old one, as DOCKER_API_VERSION has
// it, is not Podman for that.
func TestPodmanPinned(t *testing.T) {
	const uuid = "a3c1e7a4-7a6e-4a43-9a60-3f1f9b5d2c11"
	cl := answering(t, "1.51", uuid, uuid)
	if err := client.WithVersion("1.41")(cl.api); err != nil {
		t.Fatal(err)
	}
	if e, err := cl.Describe(t.Context()); err != nil || e.ID != uuid || e.APIVersion != "1.41" || e.StableCreated || cl.podman {
		t.Errorf("%+v, Podman %t, %v", e, cl.podman, err)
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
