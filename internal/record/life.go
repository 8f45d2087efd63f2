package record

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Preparation is what comes before an operation does something.
type Preparation interface {
	// Look finds what is there now and what will become of it.
	Look(context.Context) (inventory.Inventory, error)
	// Agree refuses, shows or asks, and makes ready. changes are what differs
	// from the inventory of the call before; none the first time. It is ready
	// when everything is agreed on and nothing can have changed since Look; else it looks
	// and is called again. ErrNothing says that there is nothing to do, nor to
	// record.
	Agree(ctx context.Context, o *Operation, changes []inventory.Change) (ready bool, err error)
}

// Deed is what an operation does.
type Deed interface {
	Preparation
	// Act does it, looks again, and says how it ended. The pending event is
	// durable. It takes the signals itself.
	Act(ctx context.Context, o *Operation, signals <-chan os.Signal) Ended
}

// ErrNothing says that an operation has nothing to do.
var ErrNothing = errors.New("nothing to do")

// maxRounds is how often a deed looks again while things keep changing.
const maxRounds = 20

// Life is one operation from its beginning to its outcome.
type Life struct {
	Book      *Book
	Operation string
	EngineID  string
	Project   string           // that it changes; "" changes none
	Details   func(*Details)   // fills in what is known from the start
	Opened    func(*Operation) // is told of the operation before the first look; or nil
	Signals   <-chan os.Signal
}

// Run runs it to its end. The error is a *fault.Fault and says why the deed was not done;
// ErrNothing that there was none. unrecorded is why the outcome is not in the
// log.
func (l Life) Run(ctx context.Context, d Deed) (o *Operation, end Ended, unrecorded, err error) {
	o, err = l.Begin(ctx, d)
	if err != nil {
		return o, end, nil, err
	}
	defer o.Close()
	select {
	case sig := <-l.Signals:
		return o, end, nil, o.Stop(ctx, sig, context.Canceled)
	default:
	}
	end = d.Act(ctx, o, l.Signals)
	return o, end, o.End(ctx, end), nil
}

// Begin runs it up to the durable pending event. After an error the operation
// is over.
//
// A crash after it leaves a pending event without an outcome: whoever comes next
// takes its lock, looks, and settles it.
func (l Life) Begin(ctx context.Context, d Preparation) (*Operation, error) {
	o, err := l.Book.Open(l.Operation)
	if err != nil {
		return nil, err
	}
	if l.Details != nil {
		l.Details(&o.Details)
	}
	if l.Opened != nil {
		l.Opened(o)
	}
	sig, err := fault.Guard(ctx, l.Signals, func(ctx context.Context) error { return l.prepare(ctx, o, d) })
	if err == nil {
		sig, err = fault.Guard(ctx, l.Signals, func(ctx context.Context) error { return l.pend(ctx, o, d) })
	}
	if err == nil {
		return o, nil
	}
	defer o.Close()
	if errors.Is(err, ErrNothing) {
		return o, err
	}
	return o, o.Stop(ctx, sig, err)
}

// longPend is how long making the pending event durable may take before things
// count as changed in the meantime. Only tests change it.
var longPend = time.Second

// pend makes the pending event durable. With a store that can take long: then it
// looks again, and what is no longer as agreed on is not touched.
func (l Life) pend(ctx context.Context, o *Operation, d Preparation) error {
	begun := time.Now()
	if err := o.Pend(ctx); err != nil || time.Since(begun) < longPend {
		return err
	}
	seen, err := d.Look(ctx)
	if err != nil {
		return err
	}
	if changes := inventory.Changes(o.Details.Inventory, seen); len(changes) > 0 {
		return Changed(changes)
	}
	return nil
}

// prepare does everything up to the pending event. Nothing has been destroyed
// when it returns.
func (l Life) prepare(ctx context.Context, o *Operation, d Preparation) error {
	if err := o.LockProject(ctx, l.EngineID, l.Project); err != nil {
		return err
	}
	l.Book.warnHead()
	// The lock comes first: an operation that was waited for may have died, and
	// is settled before anything is looked at.
	if err := l.Book.settleDead(ctx, o); err != nil {
		return err
	}
	if err := l.Book.Check(ctx, o.Name); err != nil {
		return err
	}
	for round := 0; ; round++ {
		seen, err := d.Look(ctx)
		if err != nil {
			return err
		}
		var changes []inventory.Change
		if round > 0 {
			changes = inventory.Changes(o.Details.Inventory, seen)
		}
		o.Details.Inventory = seen
		if round == maxRounds && len(changes) > 0 {
			return Changed(changes)
		}
		ready, err := d.Agree(ctx, o, changes)
		if ready || err != nil || round >= maxRounds {
			return err
		}
	}
}

func list(changes []inventory.Change) string {
	var text []string
	for _, c := range changes {
		text = append(text, c.String())
	}
	return strings.Join(text, ", ")
}

// Changed is the refusal of a deed that nobody can be asked about again.
func Changed(changes []inventory.Change) *fault.Fault {
	return fault.Refused("run the same command again", "nothing was destroyed: what was shown has changed: %s", list(changes))
}

// Fail records an operation that failed before it could begin, and returns the
// error as the user is told it.
func (l Life) Fail(ctx context.Context, sig os.Signal, err error) error {
	o, opening := l.Book.Open(l.Operation)
	if opening != nil && sig != nil {
		return fault.StoppedBy(sig, "nothing was destroyed")
	}
	if opening != nil {
		return fault.AsFault(err)
	}
	defer o.Close()
	if l.Details != nil {
		l.Details(&o.Details)
	}
	return o.Stop(ctx, sig, err)
}

// describe is a settled operation in words.
func describe(o *Operation, end Ended) string {
	text := fmt.Sprintf("Settled %s of %s, which was cut off: %s, %d volumes gone", o.Name, o.ID, end.Outcome, len(end.Affected))
	if len(end.Again) > 0 {
		text += "; started again: " + strings.Join(end.Again, ", ")
	}
	if end.Outcome != audit.Success && end.Err != nil {
		text += ": " + end.Err.Error()
	}
	return text
}
