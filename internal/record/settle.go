package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Why an operation is not settled, or not yet.
var (
	// ErrOtherEngine says that an unfinished operation concerns another engine
	// than the one that answers.
	ErrOtherEngine = errors.New("it concerns another engine")

	errAtWork  = errors.New("it is at work")
	errScript  = errors.New("a script recorded it, and can end it")
	errProject = errors.New("another operation is changing its project")
	errOver    = errors.New("it is over")
	errUnsure  = errors.New("nothing shows how it ended")
	errUnknown = errors.New("nothing shows whether it is at work")
)

// On makes sure that the operation concerns this engine: ErrOtherEngine.
func (o *Operation) On(e inventory.Engine) error {
	if of := o.Details.Engine; e.ID != of.ID {
		return fmt.Errorf("%w: %s at %s", ErrOtherEngine, of.Name, of.Host)
	}
	return nil
}

// Who settles an operation that did not record its own outcome.
const (
	SettledLater  = "reconcile" // a later run
	SettledBeside = "provider"  // the process that stood beside Docker Compose
)

// settleDead settles what the lock files show to be dead, before mine, which
// holds the lock of its project, looks; nil is none. What cannot be settled is
// reported. The error is a *fault.Fault: if it is one of the same project, what that
// has destroyed could no longer be told apart from what is destroyed next.
func (b *Book) settleDead(ctx context.Context, mine *Operation) error {
	var project *durable.Locked
	if mine != nil {
		project = mine.project
	}
	for _, id := range b.locked() {
		if mine != nil && id == mine.ID {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		o, err := b.resume(id, durable.TryLockExisting)
		same := false
		if o != nil {
			same = project != nil && project.Path() == b.projectLock(o.Details.Engine.ID, o.Details.Project)
			if same {
				if err := b.awaitProcess(ctx, o); err != nil {
					o.Close()
					return err
				}
			}
			err = b.settleOne(ctx, o, project)
		}
		switch {
		case err == nil, errors.Is(err, errScript):
		case same && errors.Is(err, errAtWork):
			return fault.Refused("wait for it", "%s of this project is still at work: %s", o.Name, id)
		case errors.Is(err, errAtWork):
		case same && !errors.Is(err, errUnsure) && !errors.Is(err, ErrOtherEngine):
			return &fault.Fault{Err: fmt.Errorf("%s of %s, which was cut off, cannot be settled now: %w", o.Name, id, err), Try: b.Command("reconcile"), Code: fault.ExitFailed}
		default:
			b.Note(fmt.Sprintf("%s stays unfinished: %v", id, err))
		}
	}
	return nil
}

// settleOne settles an operation whose lock is held, and closes it. mine is the
// project lock that is held already, or nil. An error says why the operation
// stays unfinished.
func (b *Book) settleOne(ctx context.Context, o *Operation, mine *durable.Locked) error {
	defer o.Close()
	switch {
	case b.Settlers[o.Name] == nil || !o.Details.ours():
		return errScript
	case stillRuns(o.Details.Actor):
		return errAtWork
	}
	if err := o.takeProject(mine); err != nil {
		return err
	}
	return b.settle(ctx, o, SettledLater)
}

// ours reports whether this program does the deed, or stands beside it, so that
// it can be settled by looking at the engine.
func (d Details) ours() bool { return d.RecordedBy == "" || d.RecordedBy == ByGuard }

// SettleBeside settles an operation for the process that stood beside it.
func (b *Book) SettleBeside(ctx context.Context, o *Operation) error {
	return b.settle(ctx, o, SettledBeside)
}

func (b *Book) settle(ctx context.Context, o *Operation, by string) error {
	end, err := b.Settlers[o.Name](ctx, o)
	if err != nil {
		return err
	}
	if end.Outcome == audit.Pending {
		return fmt.Errorf("%w: %w", errUnsure, end.Err)
	}
	o.Details.Settled = by
	if err := o.End(ctx, end); err != nil {
		return err
	}
	if by == SettledLater {
		b.Note(describe(o, end))
	}
	return nil
}

// stillRuns reports whether the process that an event names is seen running. A
// process of another pid namespace or host is not: the lock speaks for those. A
// docker compose down whose finisher was killed holds no lock.
func stillRuns(claims json.RawMessage) bool {
	var a actor.Actor
	if json.Unmarshal(claims, &a) != nil || a.PID == 0 || a.Started == "" || a.PID == os.Getpid() {
		return false
	}
	here := actor.ThisMachine(func(string) string { return "" })
	return a.BootID == here.BootID && a.Host == here.Hostname && actor.StartOf(a.PID) == a.Started
}
