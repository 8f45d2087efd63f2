package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// Claim is an event as a script reports it: the Python module's keys, and an id.
type Claim struct {
	Timestamp    *string                    `json:"timestamp"`
	Operation    string                     `json:"operation"`
	Outcome      string                     `json:"outcome"`
	User         string                     `json:"user"`
	Details      map[string]json.RawMessage `json:"details"`
	DataAffected []string                   `json:"data_affected"`
	ExportPath   *string                    `json:"export_path"`
	ID           string                     `json:"id"`
}

// reserved are details that this program alone writes.
var reserved = []string{"actor", "tool", "recorded_by", "recorded_at", "recovered", "unchained", "closes", "continues", "accepted"}

// Tell records what a script claims, and returns the ids. If there are many, all are
// checked before the first is written.
func (b *Book) Tell(ctx context.Context, claims []Claim, told func(id string) error) error {
	var all []audit.Event
	ended := map[string]bool{}
	for i, c := range claims {
		e, err := b.eventOf(c)
		if err == nil && ended[e.ID] {
			err = fmt.Errorf("operation %s has ended already", e.ID)
		}
		ended[e.ID] = e.Outcome != audit.Pending
		if err != nil && len(claims) > 1 {
			err = fmt.Errorf("event %d: %w", i+1, err)
		}
		if err != nil {
			return claimFault(err)
		}
		all = append(all, e)
	}
	for i, e := range all {
		err := b.tell(ctx, e, claims[i].ID == "")
		if errors.Is(err, audit.ErrEnded) { // by another process, or by an event before this one
			return &fault.Fault{Err: fmt.Errorf("recorded %d of %d events: %w", i, len(all), err), Try: b.Command("audit", "show", e.ID), Code: fault.ExitFailed}
		}
		if err != nil {
			return &fault.Fault{Err: fmt.Errorf("recorded %d of %d events: %w", i, len(all), err), Try: "make the log writable, or name another with --log FILE", Code: fault.ExitNoRecord}
		}
		if e.Outcome == audit.Pending { // the deed follows
			if err := b.secure(ctx, e.Operation); err != nil {
				return b.takeBack(ctx, e, err)
			}
		}
		if err := told(e.ID); err != nil {
			return err
		}
	}
	b.Follow(ctx)
	return nil
}

// takeBack ends an operation whose deed must not follow, and returns why.
func (b *Book) takeBack(ctx context.Context, e audit.Event, why error) error {
	var details map[string]json.RawMessage
	if json.Unmarshal(e.Details, &details) != nil {
		return why // we made them
	}
	details["error"] = Quoted(why.Error())
	e.Outcome, e.DataAffected, e.Timestamp = audit.Failed, nil, b.Now()
	var err error
	if e.Details, err = json.Marshal(details); err == nil {
		err = b.tell(context.WithoutCancel(ctx), e, false)
	}
	if err != nil {
		b.Note("not recorded: " + err.Error())
	}
	return why
}

func (b *Book) tell(ctx context.Context, e audit.Event, first bool) (err error) {
	if first {
		_, err = b.recorder().Begin(ctx, e, 0)
	} else {
		_, err = b.recorder().Append(ctx, e, 0)
	}
	if errors.Is(err, audit.ErrHead) {
		b.Note(err.Error())
		return nil
	}
	return err
}

func claimFault(err error) error {
	f := fault.AsFault(err)
	if f.Try == "" {
		f = &fault.Fault{Err: err, Try: "ccdestroy record --help", Code: fault.ExitUsage}
	}
	return f
}

// Quoted is a text as JSON.
func Quoted(text string) json.RawMessage {
	data, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string
	}
	return data
}

// claimsLimit is how much of standard input is read.
const claimsLimit = 64 << 20

// ReadClaims reads JSON objects, one or many, or arrays of them.
func ReadClaims(in io.Reader) (all []Claim, err error) {
	dec := json.NewDecoder(io.LimitReader(in, claimsLimit))
	for {
		var raw json.RawMessage
		if err := dec.Decode(&raw); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		var some []Claim
		strict := json.NewDecoder(strings.NewReader(string(raw)))
		strict.DisallowUnknownFields()
		if raw[0] == '[' {
			err = strict.Decode(&some)
		} else {
			some = make([]Claim, 1)
			err = strict.Decode(&some[0])
		}
		if err != nil {
			return nil, fmt.Errorf("standard input, event %d: %w", len(all)+1, err)
		}
		all = append(all, some...)
	}
	if len(all) == 0 {
		return nil, errors.New("standard input holds no event")
	}
	return all, nil
}

// eventOf checks a claim and makes the event of it.
func (b *Book) eventOf(c Claim) (audit.Event, error) {
	now := b.Now()
	e := audit.Event{ID: b.NewID(now), Timestamp: now, Operation: c.Operation, Outcome: audit.Outcome(c.Outcome), User: b.User, DataAffected: c.DataAffected}
	if c.ExportPath != nil {
		e.ExportPath = *c.ExportPath
	}
	if c.User != "" {
		e.User = c.User
	}
	if c.ID != "" {
		if err := b.continues(&e, c); err != nil {
			return e, err
		}
	}
	switch {
	case e.Operation == "":
		return e, errors.New("--operation is missing: what was done")
	case !audit.ValidOperation(e.Operation):
		return e, BadOperation(e.Operation)
	case c.Outcome == "":
		return e, errors.New("--outcome is missing: " + outcomes())
	case !e.Outcome.Valid():
		return e, fmt.Errorf("unknown outcome %q: it is one of %s", c.Outcome, outcomes())
	}
	return e, b.describe(&e, c)
}

// continues takes over what the pending operation said.
func (b *Book) continues(e *audit.Event, c Claim) error {
	events, _, err := b.Log.Show(c.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return NoLog(b.Log)
	}
	if err != nil {
		return ReadFault(err, b.Log)
	}
	last := events[len(events)-1]
	switch {
	case last.Outcome != audit.Pending:
		return &fault.Fault{Err: fmt.Errorf("operation %s has ended already: %s", last.ID, last.Outcome), Try: b.Command("audit", "--outcome", "pending"), Code: fault.ExitFailed}
	case AtWork(b.Log, last.ID):
		return &fault.Fault{Err: fmt.Errorf("operation %s: %w", last.ID, errAtWork), Try: "ccdestroy record, when it has ended", Code: fault.ExitFailed}
	case c.Operation != "" && c.Operation != last.Operation:
		return fmt.Errorf("operation %s is %s, not %s", last.ID, last.Operation, c.Operation)
	}
	e.ID, e.Operation = last.ID, last.Operation
	if e.ExportPath == "" {
		e.ExportPath = last.ExportPath
	}
	if c.DataAffected == nil && (e.Outcome == audit.Success || e.Outcome == audit.Pending) {
		e.DataAffected = last.DataAffected
	}
	return nil
}

// describe makes the details: what the script says, and who we are.
func (b *Book) describe(e *audit.Event, c Claim) error {
	details := maps.Clone(c.Details)
	if details == nil {
		details = map[string]json.RawMessage{}
	}
	for key := range details {
		if slices.Contains(reserved, key) {
			return fmt.Errorf("the detail %q is this program's own", key)
		}
	}
	if c.Timestamp != nil {
		when, err := audit.ParseTime(*c.Timestamp)
		if err != nil {
			return err
		}
		e.Timestamp = when
		details["recorded_at"] = Quoted(b.Now().UTC().Format(time.RFC3339Nano))
	}
	details["tool"], details["actor"], details["recorded_by"] = Quoted(b.Tool), b.Actor, Quoted(ByScript)
	var err error
	e.Details, err = json.Marshal(details)
	return err
}
