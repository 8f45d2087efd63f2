package teardown

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// How long the engine may take to come to rest after the child has ended, how
// long it must have been at rest, and how long an engine that does not answer
// is asked again.
const (
	settlePoll  = 100 * time.Millisecond
	settleQuiet = time.Second
	settleLimit = 30 * time.Second
	answerLimit = 5 * time.Second
)

// conclude looks again, classifies, and records the outcome. It does not stop
// for signals.
func (r *Run) conclude(exit Exit) Ending {
	after, err := r.settle(exit)
	end := Ending{ID: r.id, Inventory: r.details.Inventory, Exit: exit, Duration: r.Now().Sub(r.began), Saved: r.saved}
	r.details.StartedAt = stamp(r.began, time.RFC3339Nano)
	r.details.DurationMS = end.Duration.Milliseconds()
	r.details.ExitCode = &exit.Code
	if exit.Signal != nil {
		r.details.Signal = SignalName(exit.Signal)
	}
	if exit.Code != 0 {
		r.details.Stderr = exit.Stderr
	}
	if err != nil {
		// Nothing is invented: what is known is recorded, and the operation
		// stays unfinished until reconcile can look.
		r.details.Error = fmt.Sprintf("cannot tell what was destroyed: %v", err)
		end.Unknown, end.Code = true, ExitFailed
		end.Unrecorded = headless(r.record(context.Background(), r.event(audit.Pending, r.details.Going()), 0))
		return end
	}
	end.Verdict = Classify(r.details.Inventory, r.before.Volumes, after)
	r.details.Settle(end.Verdict)
	if nothingWent(end.Verdict) {
		r.resume()
	}
	if end.Verdict.Outcome != audit.Success && exit.Code == 0 && exit.Signal == nil {
		r.details.Error = "Compose exited 0, but not everything is gone"
	}
	end.Unrecorded = headless(r.record(context.Background(), r.event(end.Verdict.Outcome, end.Verdict.Lost), 0))
	end.Code = ExitOf(end.Verdict.Outcome, SignalNumber(exit.Signal))
	if end.Unrecorded != nil {
		end.Code = ExitFailed
	}
	return end
}

func headless(err error) error {
	if errors.Is(err, audit.ErrHead) {
		return nil
	}
	return err
}

// Settle puts what the evidence says into the details.
func (d *Details) Settle(v Verdict) {
	d.Resources, d.LostBytes, d.Unforeseen = v.Resources, v.LostBytes, v.Unforeseen
	d.Remaining = nil
	for _, r := range v.Remaining {
		d.Remaining = append(d.Remaining, r.String())
	}
}

// settle looks at the engine until it is at rest. After a clean end one look is
// enough; after a signal or an error it may still be deleting.
func (r *Run) settle(exit Exit) (After, error) {
	ctx, cancel := context.WithTimeout(context.Background(), settleLimit)
	defer cancel()
	clean := exit.Code == 0 && exit.Signal == nil
	var last []string
	var since, failing time.Time
	told := false
	for {
		snap, err := r.Daemon.Snapshot(ctx, r.Options.Images != "")
		now := time.Now()
		switch {
		case err != nil && failing.IsZero():
			failing = now
		case err != nil && now.Sub(failing) > answerLimit:
			return After{}, err
		case err == nil:
			failing = time.Time{}
			left, busy := r.left(snap)
			if !slices.Equal(left, last) || since.IsZero() {
				last, since = left, now
			}
			rested := now.Sub(since) >= settleQuiet || len(left) == 0
			if !busy && (clean || rested) || ctx.Err() != nil {
				return r.after(snap, exit), nil
			}
		}
		if !told {
			r.Screen.Settling()
			told = true
		}
		select {
		case <-ctx.Done():
			if err != nil {
				return After{}, err
			}
			return r.after(snap, exit), nil
		case <-time.After(settlePoll):
		}
	}
}

func (r *Run) after(s Snapshot, exit Exit) After {
	stop := r.watch
	r.watch = nil
	return After{Snapshot: s, Destroyed: stop(), StableCreated: r.Daemon.StableCreated(), Interrupted: exit.Signal != nil}
}

// left names the asked resources that are still there; busy says that the
// engine is removing one of the containers right now.
func (r *Run) left(s Snapshot) (left []string, busy bool) {
	e := evidence{After: After{Snapshot: s}}
	for _, res := range r.details.Resources {
		if res.Asked && e.result(res) != Gone {
			left = append(left, string(res.Kind)+" "+res.Name)
		}
	}
	for _, c := range s.Containers {
		busy = busy || c.State == "removing" && c.Labels[LabelProject] == r.details.Project
	}
	return left, busy
}

// SignalNumber is the number of a signal, 0 of none.
func SignalNumber(sig os.Signal) int {
	if n, ok := sig.(syscall.Signal); ok {
		return int(n)
	}
	return 0
}

// SignalName is INT, TERM, HUP or QUIT; other signals are never passed on.
func SignalName(sig os.Signal) string {
	names := map[os.Signal]string{syscall.SIGINT: "INT", syscall.SIGTERM: "TERM", syscall.SIGHUP: "HUP", syscall.SIGQUIT: "QUIT"}
	if name, ok := names[sig]; ok {
		return name
	}
	return sig.String()
}
