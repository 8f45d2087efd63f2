package teardown

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/undo"
)

// How long the engine may take to settle down after the child has ended, how
// long it must have been quiet, and how long an engine that does not answer
// is asked again.
const (
	restPoll    = 100 * time.Millisecond
	restQuiet   = time.Second
	restLimit   = 30 * time.Second
	answerLimit = 5 * time.Second
)

// Act runs Compose to its end, looks again, and classifies. It does not stop for
// signals: they are passed on.
func (r *Run) Act(ctx context.Context, o *record.Operation, signals <-chan os.Signal) record.Ended {
	r.began = r.book.Now()
	if end, told := undo.SetAside(ctx, r.Keeper, o, r.book, r.before); told != nil {
		r.unstarted = told
		return end
	}
	noted := r.noteLate(o)
	exit, err := r.Child.Down(o.Held(), signals)
	noted()
	r.exit = exit
	if err != nil {
		r.unstarted = err
		if back := undo.PutBack(r.Keeper, o, nil); back != nil {
			return record.Ended{Outcome: audit.Pending, Affected: o.Details.Going(), Err: errors.Join(err, back)}
		}
		o.Abandon()
		return record.Ended{Outcome: audit.Failed, Err: err}
	}
	after, err := r.awaitRest(o.Details.Inventory, exit)
	o.Details.ExitCode = &exit.Code
	if exit.Signal != nil {
		o.Details.Signal = fault.SignalName(exit.Signal)
	}
	if exit.Code != 0 {
		o.Details.Stderr = exit.Stderr
	}
	if err == nil {
		err = undo.PutBack(r.Keeper, o, &after)
	}
	if err != nil {
		// Nothing is invented: what is known is recorded, and the operation stays
		// unfinished until reconcile can look.
		late := inventory.Late(o.Details.Inventory, r.before, r.watch.Stop(), r.asks)
		o.Details.Resources = append(slices.Clone(o.Details.Resources), late...)
		return record.Ended{Outcome: audit.Pending, Affected: o.Details.Going(), Err: fmt.Errorf("cannot tell what was destroyed: %w", err)}
	}
	return r.judge(o, after)
}

func (r *Run) judge(o *record.Operation, after inventory.After) record.Ended {
	inv := o.Details.Inventory
	r.verdict = inventory.Classify(inv, r.before, after, r.asks)
	end := o.Details.Settle(r.verdict)
	if !r.verdict.Went && end.Outcome != audit.Pending {
		o.Abandon()
	}
	if end.Outcome != audit.Success && end.Err == nil && r.exit.Code == 0 && r.exit.Signal == nil {
		end.Err = errStayed
	}
	return end
}

// asks is what the command asks for, given another snapshot.
func (r *Run) asks(s inventory.Snapshot) inventory.Inventory {
	return inventory.Plan(r.project.Model, s, r.Options)
}

// awaitRest looks at the engine until it is at rest. After a clean end one look
// is enough; after a signal or an error it may still be deleting.
func (r *Run) awaitRest(inv inventory.Inventory, exit fault.Exit) (inventory.After, error) {
	// A look that began in time is not cut short: it is the evidence.
	ctx, cancel := context.WithTimeout(context.Background(), restLimit+answerLimit)
	defer cancel()
	began := time.Now()
	clean := exit.Code == 0 && exit.Signal == nil
	var last []string
	var since, failing time.Time
	told := false
	for {
		seen := r.watch.Seen()
		snap, err := r.Engine.Snapshot(ctx, inventory.Scope{Images: r.Options.Images != ""})
		now := time.Now()
		switch {
		case err != nil && failing.IsZero():
			failing = now
		case err != nil && now.Sub(failing) > answerLimit:
			return inventory.After{}, err
		case err == nil:
			failing = time.Time{}
			left := inv.Left(snap)
			if !slices.Equal(left, last) || since.IsZero() {
				last, since = left, now
			}
			rested := now.Sub(since) >= restQuiet || len(left) == 0
			if !removing(snap, inv.Project) && (clean || rested) || now.Sub(began) >= restLimit {
				return r.after(snap, seen, exit), nil
			}
		}
		if !told {
			r.book.Note("waiting for the engine to come to rest …")
			told = true
		}
		select {
		case <-ctx.Done():
			return inventory.After{}, cmp.Or(err, ctx.Err())
		case <-time.After(restPoll):
		}
	}
}

// after is the evidence: a look, and the events before it. What comes later
// is not missing from it.
func (r *Run) after(s inventory.Snapshot, seen inventory.Seen, exit fault.Exit) inventory.After {
	return inventory.After{
		Snapshot: s, Seen: r.watch.Stop().Until(seen), Interrupted: exit.Signal != nil, ChildFailed: exit.Code != 0 && exit.Signal == nil,
	}
}

// removing reports whether the engine is removing a container of the project
// right now.
func removing(s inventory.Snapshot, project string) bool {
	return slices.ContainsFunc(s.Containers, func(c inventory.Container) bool {
		return c.State == "removing" && c.Labels[inventory.LabelProject] == project
	})
}
