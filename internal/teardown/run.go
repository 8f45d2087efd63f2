package teardown

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Confirmation is whether and how the user is asked.
type Confirmation string

// The ways. Interactive becomes typed in the record.
const (
	Interactive Confirmation = "typed"
	ByFlag      Confirmation = "flag"
	Unattended  Confirmation = "unattended"
)

// Run is one teardown. All fields are needed but Save, Unprotect and Reason.
type Run struct {
	Compose Composer
	Daemon  Daemon
	Saver   Saver
	Log     func(dir string) Recorder // the log of a project directory
	Screen  Screen
	Signals <-chan os.Signal

	Options   Options
	Confirm   Confirmation
	Save      bool // export the volumes first
	Unprotect []string
	Reason    string
	User      string
	Actor     json.RawMessage
	Tool      string
	Now       func() time.Time
	NewID     func(time.Time) string

	// LastExports, where it is set, finds the newest exports of volumes in the log
	// of a project directory. Of a volume that it leaves out nothing is known.
	LastExports func(dir string, volumes []string) map[string]LastExport

	// FailedIn, where it is set, is the log for a teardown that failed before
	// its project directory was known.
	FailedIn func() Recorder

	id      string
	started time.Time
	began   time.Time // when the pending event was durable
	log     Recorder
	begun   bool // an event of it is in the log
	before  Snapshot
	details Details
	watch   func() []string
	saved   string // where the export lies
	stopped bool   // the services may have been stopped
}

// Ending is how a teardown ended, for the screen and the exit code.
type Ending struct {
	ID         string
	Verdict    Verdict
	Inventory  Inventory
	Exit       Exit
	Unknown    bool  // it cannot be told what happened: the operation stays unfinished
	Unrecorded error // why the outcome is not in the log, or nil
	Duration   time.Duration
	Saved      string // where the volumes were exported to, or ""
	Code       int
}

// Do runs the teardown and returns the exit code. A returned error is always a
// *Fault and says why nothing was destroyed.
func (r *Run) Do(ctx context.Context) (int, error) {
	r.started = r.Now()
	r.id = r.NewID(r.started)
	defer func() {
		if r.watch != nil {
			r.watch()
		}
	}()
	sig, err := Guard(ctx, r.Signals, r.prepare)
	if err != nil {
		return r.stop(ctx, sig, err)
	}
	if err := r.pend(ctx); err != nil {
		return ExitNoRecord, err
	}
	if r.saving() {
		if sig, err := Guard(ctx, r.Signals, r.export); err != nil {
			return r.stop(ctx, sig, err)
		}
		if err := r.pend(ctx); err != nil {
			r.resume()
			return ExitNoRecord, err
		}
	}
	// A crash from here on leaves a pending event without an outcome, which
	// reconcile settles by looking at the engine.
	select {
	case sig := <-r.Signals:
		return r.stop(ctx, sig, context.Canceled)
	default:
	}
	r.began = r.Now()
	exit, err := r.Compose.Down(r.Signals)
	if err != nil {
		return r.stop(ctx, nil, &Fault{Err: err, Code: ExitFailed})
	}
	ending := r.conclude(exit)
	r.Screen.Done(ending)
	return ending.Code, nil
}

// Guard runs do until it ends or a signal comes, which ends the context of do.
func Guard(ctx context.Context, signals <-chan os.Signal, do func(context.Context) error) (os.Signal, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	select {
	case err := <-done:
		return nil, err
	case sig := <-signals:
		cancel()
		<-done
		return sig, context.Canceled
	}
}

// stop ends a teardown before the child has run: nothing was destroyed. It is
// recorded when there is a project to record it for.
func (r *Run) stop(ctx context.Context, sig os.Signal, err error) (int, error) {
	fault := AsFault(err)
	outcome := audit.Failed
	switch {
	case sig != nil:
		fault = StoppedBy(sig, "nothing was destroyed")
		outcome = audit.Cancelled
		r.details.Signal = SignalName(sig)
	case fault.Code == ExitDeclined:
		outcome = audit.Cancelled
	}
	r.resume()
	if r.log == nil && r.FailedIn != nil {
		r.log = r.FailedIn()
	}
	if fault.Code == ExitNoRecord || r.log == nil {
		return fault.Code, fault
	}
	r.details.Error = fault.Error()
	r.details.StartedAt = stamp(r.started, time.RFC3339Nano)
	if err := r.record(context.WithoutCancel(ctx), r.event(outcome, nil), 0); headless(err) != nil {
		r.Screen.Note("not recorded: " + err.Error())
	}
	return fault.Code, fault
}

func (r *Run) record(ctx context.Context, e audit.Event, room int64) error {
	write := r.log.Append
	if !r.begun {
		write = r.log.Begin
	}
	_, err := write(ctx, e, room)
	r.begun = r.begun || headless(err) == nil
	return err
}

func (r *Run) event(outcome audit.Outcome, affected []string) audit.Event {
	return audit.Event{
		ID: r.id, Timestamp: r.Now(), Operation: audit.Destroy, Outcome: outcome,
		User: r.User, Details: r.details.Encode(), DataAffected: affected, ExportPath: r.saved,
	}
}

// outcomeRoom is what an outcome event may take beyond twice its pending one: 8 KiB of
// error output, escaped six-fold at worst, and the results.
const outcomeRoom = 64 << 10

// OutcomeRoom is how many bytes the outcome of a pending event may take.
func OutcomeRoom(pending audit.Event) int64 { return int64(2*len(pending.Details) + outcomeRoom) }

// pend makes the pending event durable. Nothing has been destroyed before it
// returns nil.
func (r *Run) pend(ctx context.Context) error {
	e := r.event(audit.Pending, r.details.Going())
	err := r.record(ctx, e, OutcomeRoom(e))
	if errors.Is(err, audit.ErrHead) {
		r.Screen.Note(err.Error())
		return nil
	}
	if err != nil {
		return noRecord(err)
	}
	return nil
}

func noRecord(err error) *Fault {
	return &Fault{
		Err:  fmt.Errorf("the audit record could not be written first, so nothing was destroyed: %w", err),
		Try:  "make the log writable, or name another with --log FILE",
		Code: ExitNoRecord,
	}
}
