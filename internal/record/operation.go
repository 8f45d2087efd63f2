package record

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Operation is one operation in progress. It writes all its events: any
// number of pending ones, then the outcome. It is owned by one goroutine at a time.
type Operation struct {
	ID, Name   string
	Details    Details
	ExportPath string
	About      []string // what the pending event names; nil is the volumes that are going
	// Abandoned, where it is set, puts back what was changed before the deed,
	// when the deed is not done after all.
	Abandoned func()

	book    *Book
	user    string
	lock    *durable.Locked // of the operation; nil where nobody else may settle it
	project *durable.Locked // of its project, or nil
	begun   bool            // an event of it is in the log
	unsure  bool            // one may be in the log: recording it failed
	ended   bool            // its outcome is in the log
	opened  time.Time
	pended  time.Time // when the newest pending event was durable
}

// Open begins an operation: from now on it counts as running. Nothing is in the
// log yet. A crash before the first event leaves a lock file, which whoever
// settles next removes.
func (b *Book) Open(name string) (*Operation, error) {
	now := b.Now()
	o := &Operation{ID: b.NewID(now), Name: name, book: b, user: b.User, opened: now}
	o.Details = Details{Tool: b.Tool, Actor: b.Actor, Command: slices.Concat(b.Program, b.Args)}
	var err error
	if o.lock, err = b.lockOperation(o); err != nil {
		return nil, noRecord(o.Name, err)
	}
	return o, nil
}

// Told is an operation that is over, or that something else performs: it is only
// recorded here, and holds no lock.
func (b *Book) Told(name, user string) *Operation {
	now := b.Now()
	o := &Operation{ID: b.NewID(now), Name: name, book: b, user: user, opened: now}
	o.Details = Details{Tool: b.Tool, Actor: b.Actor}
	return o
}

// Held are the open files of its locks. A child that inherits them keeps the
// operation running after this process was killed.
func (o *Operation) Held() (files []*os.File) {
	for _, l := range []*durable.Locked{o.lock, o.project} {
		if l != nil {
			files = append(files, l.File)
		}
	}
	return files
}

// LockPath is where its lock lies: free when it is dead.
func (o *Operation) LockPath() string {
	if o.lock == nil {
		return ""
	}
	return o.lock.Path()
}

// Pend makes a pending event durable, with the volumes that are about to go, here
// and wherever else it must be before the deed. An error is a *fault.Fault: what the
// event announces must not be done then.
func (o *Operation) Pend(ctx context.Context) error {
	about := o.About
	if about == nil {
		about = o.Details.Going()
	}
	e := o.event(audit.Pending, about)
	err := o.append(ctx, e, outcomeRoom(e))
	if err != nil {
		return noRecord(o.Name, err)
	}
	if err := o.book.secure(ctx, o.Name); err != nil {
		return err
	}
	o.pended = o.book.Now()
	return nil
}

// PendMore makes a further pending event durable, which names these too, while the
// operation is doing its deed. Nothing else about it changes.
func (o *Operation) PendMore(ctx context.Context, more []inventory.Resource) error {
	was := o.Details.Resources
	o.Details.Resources = slices.Concat(was, more)
	defer func() { o.Details.Resources = was }()
	e := o.event(audit.Pending, o.Details.Going())
	return o.append(ctx, e, outcomeRoom(e))
}

// End records the outcome, whatever happened to ctx. With a pending outcome
// the operation stays unfinished, and what is known is recorded nevertheless.
func (o *Operation) End(ctx context.Context, end Ended) error {
	began := o.opened
	if !o.pended.IsZero() {
		began = o.pended
		o.Details.DurationMS = o.book.Now().Sub(began).Milliseconds()
	}
	if o.Details.StartedAt == "" {
		o.Details.StartedAt = began.UTC().Format(time.RFC3339Nano)
	}
	o.Details.Error = "" // what an earlier attempt to find out failed on
	if end.Err != nil {
		o.Details.Error = end.Err.Error()
	}
	if err := o.append(context.WithoutCancel(ctx), o.event(end.Outcome, end.Affected), 0); err != nil {
		return err
	}
	o.ended = end.Outcome != audit.Pending
	if o.lock == nil { // else Close copies it, when nobody waits any more
		o.book.Follow(ctx)
	}
	return nil
}

// Abandon puts back what was changed before the deed.
func (o *Operation) Abandon() {
	if o.Abandoned != nil {
		o.Abandoned()
	}
}

// Stop records that an operation ended before its deed: nothing was destroyed.
// sig is the signal that stopped it, or nil. It returns err as the user is told
// it, a *fault.Fault.
func (o *Operation) Stop(ctx context.Context, sig os.Signal, err error) error {
	o.Abandon()
	stopped := fault.AsFault(err)
	outcome := audit.Failed
	switch {
	case sig != nil:
		stopped = fault.StoppedBy(sig, "nothing was destroyed")
		outcome = audit.Cancelled
		o.Details.Signal = fault.SignalName(sig)
	case stopped.Code == fault.ExitDeclined:
		outcome = audit.Cancelled
	}
	if stopped.Code == fault.ExitNoRecord && !o.begun {
		return stopped
	}
	o.untouched(outcome)
	if err := o.End(ctx, Ended{Outcome: outcome, Err: stopped}); err != nil {
		o.book.Note("not recorded: " + err.Error())
	}
	return stopped
}

// untouched marks everything as untouched.
func (o *Operation) untouched(outcome audit.Outcome) {
	o.Details.Kept, o.Details.Undone, o.Details.Purged = nil, nil, nil
	o.Details.Resources = slices.Clone(o.Details.Resources)
	for i := range o.Details.Resources {
		o.Details.Resources[i].Result = inventory.Untouched
		if o.Details.Resources[i].Asked {
			o.Details.Resources[i].Reason = string(outcome) + " before anything was removed"
		}
	}
}

// Close ends the work on an operation. Its lock file is removed if certainly no event of
// it is in the log, or its outcome is; otherwise it stays, for whoever settles it. What
// was recorded is then copied.
func (o *Operation) Close() {
	if o.project != nil {
		_ = o.project.Remove() // one that stays blocks nobody
		o.project = nil
	}
	if o.lock == nil {
		return
	}
	if (o.begun || o.unsure) && !o.ended {
		_ = o.lock.Unlock()
	} else {
		_ = o.lock.Remove() // one that stays is removed by whoever settles next
	}
	o.lock = nil
	if o.begun {
		o.book.Follow(context.Background())
	}
}

// Leave ends this process's part in an operation that children continue: they
// inherited its locks.
func (o *Operation) Leave() {
	for _, l := range []*durable.Locked{o.lock, o.project} {
		if l != nil {
			_ = l.Leave()
		}
	}
	o.lock, o.project = nil, nil
}

func (o *Operation) append(ctx context.Context, e audit.Event, room int64) (err error) {
	if o.begun || o.unsure {
		_, err = o.book.recorder().Append(ctx, e, room)
	}
	if !o.begun && (!o.unsure || errors.Is(err, audit.ErrNotFound)) {
		_, err = o.book.recorder().Begin(ctx, e, room)
	}
	if errors.Is(err, audit.ErrHead) { // the event itself is durable
		o.book.Note(err.Error())
		err = nil
	}
	o.begun, o.unsure = o.begun || err == nil, o.unsure || err != nil
	return err
}

func (o *Operation) event(outcome audit.Outcome, affected []string) audit.Event {
	return audit.Event{
		ID: o.ID, Timestamp: o.book.Now(), Operation: o.Name, Outcome: outcome, User: o.user,
		Details: o.Details.Encode(), DataAffected: affected, ExportPath: o.ExportPath,
	}
}

// outcomeRoom is how many bytes the outcome of a pending event may take: twice
// its details, 8 KiB of error output, escaped six-fold at worst, and the results.
func outcomeRoom(pending audit.Event) int64 { return int64(2*len(pending.Details) + 64<<10) }
