package cli

import (
	"context"
	"encoding/json"
	"time"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/engine"
	"github.com/contextcore/ccdestroy/internal/export"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// daemon adds what to try to the engine's errors, and clears away what runs that
// are dead have left on it.
type daemon struct{ *engine.Client }

var (
	_ teardown.Daemon = daemon{}
	_ export.Engine   = daemon{}
)

// Describe says which engine it is.
func (d daemon) Describe(ctx context.Context) (teardown.Engine, error) {
	e, err := d.Client.Describe(ctx)
	return e, engineFault(err)
}

// Snapshot lists what the engine has. Helpers of dead runs are removed and left
// out.
func (d daemon) Snapshot(ctx context.Context, images bool) (teardown.Snapshot, error) {
	s, err := d.Client.Snapshot(ctx, images)
	if err != nil {
		return s, engineFault(err)
	}
	kept := s.Containers[:0]
	for _, c := range s.Containers {
		if dead(c) && d.RemoveHelper(ctx, c.ID) == nil {
			continue
		}
		kept = append(kept, c)
	}
	s.Containers = kept
	return s, nil
}

// Helper makes a helper.
func (d daemon) Helper(ctx context.Context, name, run string, volumes []string, readOnly bool) (export.Helper, error) {
	h, err := d.Client.Helper(ctx, name, run, volumes, readOnly)
	if err != nil {
		return nil, engineFault(err)
	}
	return h, nil
}

// helperLife is after how long a helper of another machine is taken for dead.
const helperLife = 7 * 24 * time.Hour

// dead reports whether the container is a helper whose process has ended.
func dead(c teardown.Container) bool {
	if c.Labels[teardown.LabelHelper] != "true" {
		return false
	}
	var a actor.Actor
	if json.Unmarshal([]byte(c.Labels[teardown.LabelHelperRun]), &a) != nil {
		return false
	}
	here := actor.ThisMachine(func(string) string { return "" })
	if a.Host == here.Hostname && a.Started != "" {
		return !alive(a)
	}
	return time.Since(c.Created) > helperLife
}

// thisRun says in a label of a helper whose it is: where this process is and
// which one, nothing about who.
func (p Process) thisRun() string {
	a := actor.Identify(actor.ThisMachine(p.Getenv))
	run, err := json.Marshal(actor.Actor{Host: a.Host, BootID: a.BootID, PID: a.PID, Started: a.Started})
	if err != nil {
		panic(err) // strings and numbers only
	}
	return string(run)
}

// setting is how volumes are exported and restored.
func (p Process) setting(d daemon, quiet bool) export.Setting {
	return export.Setting{
		Engine: d, Run: p.thisRun(), Tool: "ccdestroy " + version(), Now: p.Now,
		Note: func(text string) { p.say("ccdestroy: %s", text) },
		Progress: func() export.Progress {
			if quiet {
				return render.NoProgress{}
			}
			return render.NewProgress(p.Stderr, p.style(p.Stderr))
		},
	}
}
