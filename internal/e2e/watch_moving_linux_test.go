package e2e

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"
)

// While teardowns run, some of them killed, somebody else makes and removes
// volumes of the project at random. Each volume that the engine destroyed is in
// one record; where a teardown was killed there may be a second one, and the
// watch's names the operation then.
func TestWatchMovingWorld(t *testing.T) {
	t.Parallel()
	const teardowns, names = 30, 6
	s := newStack(t, nil)
	engine := listen(t, s.api, s.name+"_v")
	w := s.watcher()
	name := func(n int) string { return fmt.Sprintf("%s_v%d", s.name, n) }
	remake := func(n int) {
		s.createVolume(name(n), map[string]string{"com.docker.compose.project": s.name, "com.docker.compose.volume": fmt.Sprint(n)})
	}
	ctx, over := context.WithCancel(t.Context())
	var adversary sync.WaitGroup
	for range 2 {
		adversary.Go(func() {
			for ctx.Err() == nil {
				if n := rand.IntN(names); rand.IntN(2) == 0 {
					remake(n)
				} else {
					_ = s.api.VolumeRemove(context.Background(), name(n), false) // it may be gone
				}
				time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
			}
		})
	}
	for i := range teardowns {
		for n := range names / 2 {
			remake(n)
		}
		down := s.start(s.command("", binary, "-p", s.name, "--yes"))
		if i%5 == 4 {
			n := len(s.events())
			waitFor(t, "the pending event", func() bool { return len(s.events()) > n || down.over() })
			_ = down.cmd.Process.Kill()
		}
		down.wait()
	}
	over()
	adversary.Wait()
	waitFor(t, "all to be settled", func() bool {
		s.ccdestroy("reconcile")
		return len(s.operations()) == 0
	})
	w.none("PROJ_sync")
	engine.stop()

	destroyed, records, claimed := map[string]int{}, map[string]int{}, map[string]int{}
	for _, m := range engine.all() {
		if m.Action == events.ActionDestroy {
			destroyed[m.Actor.ID]++
		}
	}
	last := map[string]account{} // events of the teardowns
	for _, a := range s.accounts(s.logPath()) {
		last[a.ID] = a
	}
	for _, a := range slices.Concat(slices.Collect(maps.Values(last)), s.accounts(w.log)) {
		for _, volume := range a.DataAffected {
			records[volume]++
			if len(a.Details.Claims) > 0 {
				claimed[volume]++
			}
		}
		for _, id := range a.Details.Claims {
			if how := last[id].Details; strings.HasPrefix(a.DataAffected[0], s.name+"_v") && how.Settled == "" && len(how.Unforeseen) == 0 {
				t.Errorf("%s is claimed by %s, which ended by itself", a.DataAffected, id)
			}
		}
	}
	for volume, n := range destroyed {
		if got := records[volume]; got < n || got > n+claimed[volume] {
			t.Errorf("%s was destroyed %d times, and recorded %d times, of these %d with claims", volume, n, got, claimed[volume])
		}
	}
}
