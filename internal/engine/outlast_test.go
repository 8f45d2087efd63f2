package engine

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docker/docker/client"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// slow is an engine that answers every request after a while, with 204.
type slow time.Duration

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-time.After(time.Duration(s)):
		return &http.Response{StatusCode: http.StatusNoContent, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
	}
}

// A removal that a signal meets is waited for, but not for ever; none is begun
// after it.
func TestRemovalOutlastsASignal(t *testing.T) {
	for name, c := range map[string]struct {
		answer, signal time.Duration
		want           error
	}{
		"no signal":             {time.Hour, 2 * time.Hour, nil},
		"an answer soon after":  {10 * time.Second, 5 * time.Second, nil},
		"none for a long while": {time.Hour, time.Second, inventory.ErrUnanswered},
		"a signal before it":    {time.Second, 0, context.Canceled},
	} {
		synctest.Test(t, func(t *testing.T) {
			api, err := client.NewClientWithOpts(client.WithHost("tcp://engine:1"), client.WithVersion("1.41"), client.WithHTTPClient(&http.Client{Transport: slow(c.answer)}))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.signal == 0 {
				cancel()
			}
			time.AfterFunc(c.signal, cancel)
			if err := (&Client{api: api}).RemoveVolume(ctx, "data"); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		})
	}
}
