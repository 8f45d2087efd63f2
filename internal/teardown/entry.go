package teardown

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Entry is the record of one operation as it comes about: a pending event, and
// later its outcome. All fields are needed but ExportPath.
type Entry struct {
	ID, Operation, User string
	Log                 Recorder
	Now                 func() time.Time
	Note                func(string) // tells something beside the main matter
	Details             Details
	ExportPath          string

	began time.Time
}

// Pend makes the pending event durable. An error is a *Fault: what it announces
// must not be done then.
func (e *Entry) Pend(ctx context.Context, affected []string) error {
	e.began = e.Now()
	event := e.event(audit.Pending, affected)
	_, err := e.Log.Begin(ctx, event, OutcomeRoom(event))
	if errors.Is(err, audit.ErrHead) {
		e.Note(err.Error())
		return nil
	}
	if err != nil {
		return &Fault{
			Err:  fmt.Errorf("the audit record could not be written first, so nothing was done: %w", err),
			Try:  "make the log writable, or name another with --log FILE",
			Code: ExitNoRecord,
		}
	}
	return nil
}

// End records the outcome, whatever has become of ctx.
func (e *Entry) End(ctx context.Context, o audit.Outcome, affected []string) error {
	e.Details.StartedAt = stamp(e.began, time.RFC3339Nano)
	e.Details.DurationMS = e.Now().Sub(e.began).Milliseconds()
	_, err := e.Log.Append(context.WithoutCancel(ctx), e.event(o, affected), 0)
	return headless(err)
}

func (e *Entry) event(o audit.Outcome, affected []string) audit.Event {
	return audit.Event{
		ID: e.ID, Timestamp: e.Now(), Operation: e.Operation, Outcome: o, User: e.User,
		Details: e.Details.Encode(), DataAffected: affected, ExportPath: e.ExportPath,
	}
}
