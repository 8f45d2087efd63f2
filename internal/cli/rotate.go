package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

type rotateCmd struct{ logFlag }

// Help says what becomes of the old log.
func (rotateCmd) Help() string {
	return `The log is closed and renamed to audit-<first day>-<log>.jsonl beside it, which is printed; a new one goes on from it. Leave it there: every reader of the log, and audit verify, goes on to it.`
}

// Run rotates the log.
func (c rotateCmd) Run(ctx context.Context, p Process) error {
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		return err
	}
	p.warnHead(l)
	r, err := l.Rotate(ctx, p.logEvent(audit.Rotate, ""), p.logEvent(audit.Rotate, ""))
	var open *audit.OpenError
	switch {
	case errors.Is(err, audit.ErrNothing):
		p.say("Nothing to rotate: no event was recorded in %s since it began", l.Path)
		return nil
	case errors.As(err, &open):
		try := fmt.Sprintf("ccdestroy reconcile; what a script began: ccdestroy record --id %s --outcome failed", open.Operations[0].ID)
		return &teardown.Fault{Err: fmt.Errorf("%s is not rotated: %w", l.Path, err), Try: try, Code: teardown.ExitRefused}
	case errors.Is(err, audit.ErrHead):
		p.say("ccdestroy: %v", err)
	case err != nil:
		return unwritten(err)
	}
	if r.Resumed {
		p.say("A rotation that was cut short is finished.")
	}
	p.say("Closed at event %d; %s goes on from there.", r.Closed.Seq, filepath.Base(l.Path))
	_, err = fmt.Fprintln(p.Stdout, render.Terminal(r.Segment))
	return err
}

// logEvent is an event about the log itself.
func (p Process) logEvent(operation, reason string) audit.Event {
	now := p.Now()
	user, claims, _ := p.who()
	details, err := json.Marshal(struct {
		Tool   string          `json:"tool"`
		Actor  json.RawMessage `json:"actor"`
		Reason string          `json:"reason,omitempty"`
	}{"ccdestroy " + version(), claims, reason})
	if err != nil {
		panic(err) // texts, and what was marshalled before
	}
	return audit.Event{ID: newID(now), Timestamp: now, Operation: operation, Outcome: audit.Success, User: user, Details: details}
}

// unwritten adds what to try to an error of writing the log.
func unwritten(err error) error {
	return &teardown.Fault{Err: err, Try: "make the log writable, or name another with --log FILE", Code: teardown.ExitNoRecord}
}
