package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/docker/docker/api/types/volume"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// Every volume that somebody destroys is recorded once, by whoever sees it
// first.
func TestWatch(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	e.start()
	s := e.stack(one(audited))
	s.env = append(withoutVariables(s.env, "PATH"), "PATH="+filepath.Dir(binary)+":"+pathOf(s.env))
	s.docker("volume", "create", "--label", "com.docker.compose.project=other", "PROJ_old")
	events, signal, stop := s.watching()
	lost := func() (names []string) {
		for _, e := range events() {
			names = append(names, e.DataAffected...)
		}
		return names
	}
	byHand := func(name string) {
		t.Helper()
		before := len(lost())
		s.docker("volume", "rm", name)
		waitFor(t, "the record of "+name, func() bool { return slices.Contains(lost(), s.expand(name)) })
		if n := len(lost()) - before; n != 1 {
			t.Errorf("%s: %d records: %q", name, n, lost())
		}
	}
	byHand("PROJ_old")
	if first := events()[0]; first.Operation != "destroy" || first.Outcome != "success" || first.User != "unknown" || first.Details.Project != "other" || first.Details.Resources[0].Result != "gone" {
		t.Errorf("%+v", first)
	}
	s.docker("volume", "create", "PROJ_new")
	byHand("PROJ_new")

	// Ours, and a plain one that the provider records: the watch sees them, and
	// is silent. A further deletion by hand shows that it has.
	s.docker("compose", "up", "--detach")
	if r := s.ccdestroy(); r.code != 0 {
		t.Fatal(r.stderr)
	}
	s.docker("volume", "create", "PROJ_x")
	byHand("PROJ_x")
	s.docker("compose", "up", "--detach")
	if r := s.compose("down", "-v"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	s.ended()
	s.docker("volume", "create", "PROJ_y")
	byHand("PROJ_y")
	if want := []string{"PROJ_old", "PROJ_new", "PROJ_x", "PROJ_y"}; len(lost()) != len(want) || len(s.events()) != 4 {
		t.Errorf("recorded by the watch: %q; by the others: %d events", lost(), len(s.events()))
	}

	// What goes while the engine restarts, and the watch cannot look.
	s.docker("volume", "create", "PROJ_gap")
	s.docker("volume", "create", "PROJ_stays")
	s.docker("volume", "create", "PROJ_seen")
	byHand("PROJ_seen") // so the watch knows of the others
	signal(syscall.SIGSTOP)
	e.stop()
	e.start()
	s.docker("volume", "rm", "PROJ_gap")
	signal(syscall.SIGCONT)
	waitFor(t, "the record of the gap", func() bool { return slices.Contains(lost(), s.expand("PROJ_gap")) })
	all := events()
	if last := all[len(all)-1]; !strings.HasPrefix(last.Details.Resources[0].Reason, "between ") || all[len(all)-2].Operation != "watch_gap" {
		t.Errorf("%s, %+v", all[len(all)-2].Operation, last.Details.Resources)
	}
	byHand("PROJ_stays")
	if code := stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
	if r := s.ccdestroy("audit", "verify", "--log", "watch.jsonl"); r.code != 0 {
		t.Error(r.stdout)
	}
}

// A thousand deletions at once, each recorded once.
func TestWatchBurst(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	e.start()
	s := e.stack(nil)
	const count = 1000
	each := func(do func(ctx context.Context, name string) error) {
		t.Helper()
		work := make(chan string)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for name := range work {
					if err := do(context.Background(), name); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for i := range count {
			work <- fmt.Sprintf("%s_%04d", s.name, i)
		}
		close(work)
		wg.Wait()
	}
	each(func(ctx context.Context, name string) error {
		_, err := s.api.VolumeCreate(ctx, volume.CreateOptions{Name: name})
		return err
	})
	events, _, stop := s.watching()
	each(func(ctx context.Context, name string) error { return s.api.VolumeRemove(ctx, name, false) })
	waitFor(t, "all records", func() bool { return len(events()) >= count })
	if code := stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
	seen := map[string]int{}
	for _, e := range events() {
		for _, name := range e.DataAffected {
			seen[name]++
		}
	}
	for name, n := range seen {
		if n != 1 {
			t.Errorf("%s is recorded %d times", name, n)
		}
	}
	if len(seen) != count {
		t.Errorf("%d of %d are recorded", len(seen), count)
	}
}

// The image and the service of docs/watch.md do what the page says.
func TestWatchInContainer(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	e.start()
	s := e.stack(map[string]string{"image/Dockerfile": block(t, "watch.md", "dockerfile")})
	need.Run(t, "cp", binary, filepath.Join(s.dir, "image", "ccdestroy"))
	s.env = append(s.env, "DOCKER_BUILDKIT=0") // a builder that needs no plugin
	s.docker("build", "--quiet", "--tag", "ccdestroy", "image")
	file := strings.NewReplacer("/var/run/docker.sock:/", strings.TrimPrefix(e.host(), "unix://")+":/", "/var/log/ccdestroy:", filepath.Join(s.dir, "log")+":").Replace(block(t, "watch.md", "yaml"))
	s.write("compose.yaml", "name: PROJ\n"+file)
	s.docker("volume", "create", "PROJ_gone")
	s.docker("compose", "up", "--detach")
	waitFor(t, "the watch to begin", func() bool { return strings.Contains(s.compose("logs").stdout, "watching") })
	s.docker("volume", "rm", "PROJ_gone")
	waitFor(t, "the record", func() bool {
		all := eventsIn(t, filepath.Join(s.dir, "log", "audit.jsonl"))
		return len(all) == 1 && slices.Equal(all[0].DataAffected, []string{s.name + "_gone"})
	})
}
