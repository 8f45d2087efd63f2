package engine

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/client"
)

// late is an engine whose clock is an hour off, and that answers a request for
// events, has a volume destroyed, and only then listens. One that asked for what
// happened since is told of it.
func late(t *testing.T) *Client {
	t.Helper()
	now := func() time.Time { return time.Now().Add(-time.Hour) }
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		switch {
		case strings.HasSuffix(r.URL.Path, "/version"):
			fmt.Fprint(w, "{}")
		case strings.HasSuffix(r.URL.Path, "/info"):
			fmt.Fprintf(w, `{"SystemTime":%q}`, now().Format(time.RFC3339Nano))
		case strings.HasSuffix(r.URL.Path, "/events"):
			asked := now()
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			happened := now()
			since, err := strconv.ParseFloat(r.URL.Query().Get("since"), 64)
			if at := time.UnixMicro(int64(since * 1e6)); err != nil || at.After(asked.Add(time.Millisecond)) || at.Before(asked.Add(-time.Minute)) {
				t.Errorf("asked at %s for events since %s, %v", asked, at, err)
			}
			if since <= float64(happened.UnixMicro())/1e6 {
				_ = json.NewEncoder(w).Encode(events.Message{
					Type: events.VolumeEventType, Action: events.ActionDestroy, Actor: events.Actor{ID: "data"}, TimeNano: happened.UnixNano(),
				})
			}
			w.(http.Flusher).Flush()
			<-r.Context().Done()
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

// Nothing falls between the engine's answer and its listening.
func TestWatchHasNoGap(t *testing.T) {
	c := late(t)
	for range 2 { // asking for the time, and going by the time that it showed
		w := c.Watch(t.Context())
		for len(w.Seen().Destroyed) == 0 && !w.Seen().Broken && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		if seen := w.Stop(); seen.Broken || len(seen.Destroyed) != 1 || seen.Destroyed[0] != "data" {
			t.Errorf("%+v", seen)
		}
	}
}

// What was over when a watcher begins, and told to the one before it, is not news.
func TestWatchTellsOnce(t *testing.T) {
	happened := time.Now().UnixNano()
	var asked atomic.Int64 // for events
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		if !strings.HasSuffix(r.URL.Path, "/events") {
			fmt.Fprintf(w, `{"SystemTime":%q}`, time.Now().Add(-time.Minute).Format(time.RFC3339Nano))
			return
		}
		for i, name := range []string{"old", "new"}[:1+asked.Add(1)/2] {
			_ = json.NewEncoder(w).Encode(events.Message{
				Type: events.VolumeEventType, Action: events.ActionDestroy, Actor: events.Actor{ID: name}, TimeNano: happened + int64(i),
			})
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	api, err := client.NewClientWithOpts(client.WithHost("tcp://" + s.Listener.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	c := &Client{api: api, host: s.URL}
	for _, want := range []string{"old", "new"} {
		w := c.Watch(t.Context())
		for len(w.Seen().Destroyed) == 0 && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		if seen := w.Stop(); len(seen.Destroyed) != 1 || seen.Destroyed[0] != want {
			t.Errorf("%q, want %q", seen.Destroyed, want)
		}
	}
}

func TestFollowHasNoGap(t *testing.T) {
	told := make(chan string, 1)
	ready := false
	go func() {
		_ = late(t).Follow(t.Context(), func() { ready = true }, func(name string, destroyed bool, _ time.Time) {
			if ready && destroyed {
				told <- name
			}
		})
	}()
	if name := <-told; name != "data" {
		t.Errorf("%q", name)
	}
}
