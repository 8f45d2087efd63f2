package e2e

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/client"
)

// Reads are answered without a look, and leave nothing. What they cost is told:
// the same reads of the same engine with a guard and without.
func TestGuardReads(t *testing.T) {
	t.Parallel()
	reads := 10_000
	if testing.Short() {
		reads = 400
	}
	g := newGuarded(t, nil)
	with := readAll(t, g.e.host(), reads)
	if n := len(g.recorded()); n != 0 {
		t.Errorf("%d events", n)
	}
	g.e.stop()
	g.e.flags = nil
	g.e.start()
	without := readAll(t, g.e.host(), reads)
	each := (with - without) / time.Duration(reads)
	t.Logf("%d reads, 8 at a time: %.0f/s with the guard, %.0f/s without; %s more for each", reads,
		float64(reads)/with.Seconds(), float64(reads)/without.Seconds(), each.Round(time.Microsecond))
}

// readAll makes reads of an engine, eight at a time.
func readAll(t *testing.T, host string, reads int) time.Duration {
	t.Helper()
	const atOnce = 8
	api, err := client.NewClientWithOpts(client.WithHost(host), client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	began := time.Now()
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for range reads / atOnce {
				if _, err := api.VolumeInspect(context.Background(), "none"); !errdefs.IsNotFound(err) {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(began)
}
