package reap

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// Engine is what is asked of the Docker Engine.
type Engine interface {
	Snapshot(context.Context, inventory.Scope) (inventory.Snapshot, error)
}

// TearDown tears one project down, as an operation of its own that passes the
// signals on. An error says why nothing was destroyed. It is called by several
// goroutines at once. still says of the look that counts, the one under the lock of
// the project, why it is not to be torn down after all.
type TearDown func(ctx context.Context, project string, still func(inventory.Snapshot) error, signals <-chan os.Signal) (record.Ending, error)

// Run is one call.
type Run struct {
	Engine   Engine
	Rules    Rules
	AtOnce   int // projects that are torn down side by side
	TearDown TearDown
	// Agree shows what goes and asks, if there is somebody to ask. With an error
	// nothing is torn down.
	Agree   func(context.Context, []Project) error
	Done    func(Result) // is told how one ended, as soon as it has; called by one goroutine at a time
	Now     func() time.Time
	Signals <-chan os.Signal
}

// Result is what happened to a project that has expired.
type Result struct {
	Project
	Ending record.Ending // of its teardown; without an id where there was none
	Err    error         // why nothing was destroyed, or nil
}

// Remains reports whether it still exists, or a part of it.
func (r Result) Remains() bool {
	return r.Err != nil || r.Stays != "" || r.Ending.Outcome != audit.Success
}

// renewed is why a project stays that has not expired any more.
const renewed = "it was renewed meanwhile"

var errRenewed = errors.New("nothing was destroyed: the project " + renewed)

// Look finds the projects that the rules apply to.
func (r *Run) Look(ctx context.Context) ([]Project, error) {
	s, err := r.Engine.Snapshot(ctx, inventory.Scope{Images: true})
	if err != nil {
		return nil, err
	}
	return Due(s, r.Rules, r.Now()), nil
}

// Do tears down what has expired, and returns what happened to each such project, in the
// order of names, and the exit code. After a signal no further one is started.
func (r *Run) Do(ctx context.Context) ([]Result, int, error) {
	var all []Project
	sig, err := fault.Guard(ctx, r.Signals, func(ctx context.Context) (err error) {
		if all, err = r.Look(ctx); err == nil {
			err = r.Agree(ctx, all)
		}
		return err
	})
	if sig != nil {
		return nil, 0, fault.StoppedBy(sig, "nothing was torn down")
	}
	if err != nil {
		return nil, 0, err
	}
	var results []Result
	for _, p := range all {
		if p.Over || p.Stays != "" {
			results = append(results, Result{Project: p})
		}
	}
	stopped := r.each(ctx, results)
	return results, exit(results, stopped), nil
}

func exit(results []Result, stopped os.Signal) int {
	code := fault.ExitOK
	for _, res := range results {
		if res.Remains() && res.Stays != renewed {
			code = fault.ExitPartial
		}
	}
	if stopped != nil && code != fault.ExitOK {
		return 128 + fault.SignalNumber(stopped)
	}
	return code
}

// each tears down what goes, and returns the first signal that came.
func (r *Run) each(ctx context.Context, results []Result) os.Signal {
	b := newBroadcast(r.Signals)
	defer b.end()
	var told sync.Mutex
	var work errgroup.Group
	work.SetLimit(max(1, r.AtOnce))
	for i := range results {
		res := &results[i]
		work.Go(func() error {
			if res.Goes() {
				r.one(ctx, res, b)
			}
			told.Lock()
			defer told.Unlock()
			r.Done(*res)
			return nil
		})
	}
	_ = work.Wait() // errors are in the results
	return b.first()
}

// one looks once more, since its turn may have come late, and tears down.
func (r *Run) one(ctx context.Context, res *Result, b *broadcast) {
	signals, leave := b.join()
	defer leave()
	if sig := b.first(); sig != nil {
		res.Err = fault.StoppedBy(sig, "nothing was destroyed")
		return
	}
	var now []Project
	sig, err := fault.Guard(ctx, signals, func(ctx context.Context) (err error) { now, err = r.Look(ctx); return err })
	if sig != nil {
		err = fault.StoppedBy(sig, "nothing was destroyed")
	}
	if err != nil {
		res.Err = err
		return
	}
	p, there := named(now, res.Name)
	if !there {
		res.Ending.Outcome = audit.Success // something else was faster
		return
	}
	if res.Project = p; !p.Over && p.Stays == "" {
		res.Stays = renewed
	}
	if !p.Goes() {
		return
	}
	res.Ending, res.Err = r.TearDown(ctx, p.Name, r.still(p.Name), signals)
	if errors.Is(res.Err, errRenewed) {
		res.Stays, res.Err = renewed, nil
	}
}

// still refuses a project that has not expired any more: whoever had its lock may
// have brought its volumes back, or replaced them.
func (r *Run) still(project string) func(inventory.Snapshot) error {
	return func(s inventory.Snapshot) error {
		switch p, there := named(Due(s, r.Rules, r.Now()), project); {
		case !there || p.Goes():
			return nil
		case p.Stays != "":
			return fault.Refused("ccdestroy reap --dry-run", "nothing was destroyed: %s", p.Stays)
		}
		return &fault.Fault{Err: errRenewed, Try: "ccdestroy reap --dry-run", Code: fault.ExitRefused}
	}
}

func named(all []Project, name string) (Project, bool) {
	i := slices.IndexFunc(all, func(p Project) bool { return p.Name == name })
	if i < 0 {
		return Project{}, false
	}
	return all[i], true
}
