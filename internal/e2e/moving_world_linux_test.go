package e2e

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	worldOperations = flag.Int("operations", 200, "how many operations TestMovingWorld runs")
	worldSeed       = flag.Uint64("seed", 0, "what the choices of TestMovingWorld come from; 0 takes a new one")
)

// unsteady is a project whose volumes an adversary changes; it also makes the
// labelled PROJ_extra and the unlabelled PROJ_loose.
const unsteady = `
name: PROJ
services:
  db:
    image: IMAGE
    volumes: [data:/data, wal:/wal, /anonymous]
  web:
    image: IMAGE
    depends_on: [db]
    volumes: [uploads:/uploads]
volumes:
  data:
  wal:
  uploads:
  spare:
`

// world is one unsteady project, and all that happens to it.
type world struct {
	*stack
	seed   uint64
	rand   *rand.Rand
	engine *heard
	foe    *adversary

	mu  sync.Mutex // guards ran
	ran []ran
}

// ran is one run of ccdestroy.
type ran struct {
	args     []string
	from, to time.Time
	killed   string // the phase in which it was killed, or ""
	code     int
}

// perWorld is how many operations one project sees.
const perWorld = 10

// TestMovingWorld lets an adversary create, remove, remake, protect and mount the
// volumes of projects while they are torn down, exported, restored and pruned, at
// times by two at once, and killed in any phase. Afterwards the engine's own
// events say whether the records are true.
func TestMovingWorld(t *testing.T) {
	t.Parallel()
	operations, seed := *worldOperations, *worldSeed
	if testing.Short() {
		operations = min(operations, 20)
	}
	if seed == 0 {
		seed = rand.Uint64N(1_000_000)
	}
	e := newEngine(t)
	e.start()
	engine := listen(t, e.stack(nil).api, "")
	var sum summary
	t.Run("worlds", func(t *testing.T) {
		for part := range 4 {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(seed, uint64(part)))
				for left := operations / 4; left > 0; left -= perWorld {
					w := &world{stack: e.stackOf(t, one(unsteady)), seed: seed, rand: r, engine: engine}
					w.live(min(left, perWorld))
					w.judge(&sum)
				}
			})
		}
	})
	t.Logf("seed %d: %s", seed, &sum)
	if sum.unseen > operations/50 || sum.silent > operations/50 {
		t.Errorf("%d volumes went unseen, %d silently", sum.unseen, sum.silent)
	}
	if sum.destroyed-sum.byFoe < operations/4 || len(sum.phases) < min(3, operations/20) {
		t.Error("hardly anything was destroyed by us, or killed")
	}
}

// live runs so many operations while the adversary is at work, and settles what
// is unfinished in the end.
func (w *world) live(operations int) {
	w.t.Helper()
	w.foe = w.against()
	for range operations {
		args := w.choose()
		if w.rand.IntN(8) == 0 {
			w.twice(args)
		} else {
			w.one(args, w.rand.IntN(4) == 0)
		}
	}
	w.foe.stop()
	waitFor(w.t, "orphans to end", func() bool { return !worksIn(w.dir) })
	if r := w.ccdestroy("reconcile"); r.code != 0 {
		w.t.Errorf("seed %d, project %s: reconcile: exit %d\n%s", w.seed, w.name, r.code, r.stderr)
	}
	w.hearOut(w.engine)
}

// choose brings the project into some state, as far as the adversary lets it, and
// returns what is done to it.
func (w *world) choose() []string {
	if w.rand.IntN(5) < 3 {
		w.compose("up", "--detach")
	} else {
		w.compose("down")
	}
	exports, _ := filepath.Glob(filepath.Join(w.dir, "saved", "*Z"))
	switch n := w.rand.IntN(10); {
	case n < 6:
		args := append([]string{"--yes"}, w.unprotecting()...)
		if w.rand.IntN(2) == 0 {
			args = append(args, "-p", w.name)
		}
		if w.rand.IntN(3) == 0 {
			args = append(args, "--export", "saved", "--quiet")
		}
		return args
	case n < 8 && len(exports) > 0:
		return []string{"restore", exports[w.rand.IntN(len(exports))], "--overwrite", "--yes", "--quiet"}
	case n < 9:
		return []string{"export", "--stop", "--output", "saved", "--quiet"}
	default:
		return append([]string{"prune", "--all", "--yes", "--filter", "label=com.docker.compose.project=" + w.name}, w.unprotecting()...)
	}
}

// unprotecting names the project's volumes that are protected by now, or none: a
// name that is not among what an operation looks at is an error.
func (w *world) unprotecting() (flags []string) {
	if w.rand.IntN(3) == 0 {
		return nil
	}
	for _, key := range keys {
		v, err := w.api.VolumeInspect(context.Background(), w.name+"_"+key)
		if err == nil && v.Labels["ccdestroy.protect"] == "true" && v.Labels["com.docker.compose.project"] != "" {
			flags = append(flags, "--unprotect", v.Name)
		}
	}
	return flags
}

func (w *world) twice(args []string) {
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { w.one(args, false) })
	}
	both.Wait()
}

// one runs one operation, and kills it in some phase. What is unfinished then
// reconcile settles at once, or the next operation.
func (w *world) one(args []string, kill bool) {
	w.t.Helper()
	phases := []phase{begun, childRuns, containerDied, containerGone, volumeGone, volumeMade, ended}
	p := ended
	if kill {
		p = phases[w.rand.IntN(len(phases))]
	}
	said, err := os.CreateTemp(w.t.TempDir(), "stderr")
	if err != nil {
		w.t.Error(err)
		return
	}
	defer said.Close()
	cmd := w.command("", binary, args...)
	cmd.Stderr = said
	r := ran{args: args, from: time.Now()}
	op := w.begin(cmd, p)
	if kill && op.killIn(p) {
		r.killed = p.name
	}
	<-op.done
	op.engine.stop()
	r.to, r.code = time.Now(), cmd.ProcessState.ExitCode()
	w.mu.Lock()
	w.ran = append(w.ran, r)
	w.mu.Unlock()
	if text, _ := os.ReadFile(said.Name()); strings.Contains(string(text), "panic: ") {
		w.t.Errorf("seed %d, project %s: %q panics:\n%s", w.seed, w.name, args, text)
	}
	if r.killed != "" && w.rand.IntN(2) == 0 {
		w.ccdestroy("reconcile")
	}
}
