package cli

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
	"github.com/contextcore/ccdestroy/internal/teardown"
)

type recordCmd struct {
	Operation  string            `fixed:"" placeholder:"NAME" completion-predictor:"operation" help:"What was done, in lower_snake: destroy, export, prune, delete_dashboard, restore, or your own."`
	Outcome    string            `fixed:"" placeholder:"WORD" completion-predictor:"outcome" help:"How it ended: success, failed, partial, cancelled; or pending, when it is about to begin."`
	ID         string            `fixed:"" placeholder:"ID" completion-predictor:"event" help:"The pending operation that this is the outcome of, or the beginning of its id."`
	Affects    []string          `fixed:"" sep:"none" placeholder:"NAME" help:"Data that is about to go or is gone. Repeatable."`
	Detail     map[string]string `fixed:"" mapsep:"none" placeholder:"KEY=TEXT" help:"More about it. Repeatable."`
	ExportPath string            `fixed:"" placeholder:"PATH" help:"Where the data was exported to."`
	Reason     string            `fixed:"" placeholder:"TEXT" help:"Why; kept in the record."`
	JSON       bool              `fixed:"" name:"json" help:"Read events from standard input instead: JSON objects with the seven keys of the log, one or many, or an array of them."`
	logFlag
}

// Help says how the two halves of an operation go together.
func (recordCmd) Help() string {
	return `The id of the operation is printed. For a script: id=$(ccdestroy record --operation delete_dashboard --outcome pending --affects overview), then the deed, then ccdestroy record --id "$id" --outcome success.`
}

// claim is an event as a script tells it: the seed's keys, and an id.
type claim struct {
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

// Run records. Of many events all are checked before the first is written.
func (c recordCmd) Run(ctx context.Context, p Process) error {
	claims, err := c.claims(p)
	if err != nil {
		return recordFault(err)
	}
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		return err
	}
	p.warnHead(l)
	var all []audit.Event
	for i, cl := range claims {
		e, err := p.eventOf(cl, l)
		if err != nil && len(claims) > 1 {
			err = fmt.Errorf("event %d: %w", i+1, err)
		}
		if err != nil {
			return recordFault(err)
		}
		all = append(all, e)
	}
	for i, e := range all {
		write := l.Begin
		if claims[i].ID != "" {
			write = l.Append
		}
		if _, err := write(ctx, e, 0); errors.Is(err, audit.ErrHead) {
			p.say("ccdestroy: %v", err)
		} else if errors.Is(err, audit.ErrEnded) { // by another process, or by an event before this one
			return &teardown.Fault{Err: fmt.Errorf("recorded %d of %d events: %w", i, len(all), err), Try: "ccdestroy audit show " + e.ID, Code: teardown.ExitFailed}
		} else if err != nil {
			return &teardown.Fault{Err: fmt.Errorf("recorded %d of %d events: %w", i, len(all), err), Try: "make the log writable, or name another with --log FILE", Code: teardown.ExitNoRecord}
		}
		if _, err := fmt.Fprintln(p.Stdout, e.ID); err != nil {
			return err
		}
	}
	return nil
}

func recordFault(err error) error {
	f := teardown.AsFault(err)
	if f.Try == "" {
		f = &teardown.Fault{Err: err, Try: "ccdestroy record --help", Code: teardown.ExitUsage}
	}
	return f
}

// claims are what the command line or standard input says.
func (c recordCmd) claims(p Process) ([]claim, error) {
	if !c.JSON {
		one := claim{Operation: c.Operation, Outcome: c.Outcome, DataAffected: c.Affects, ID: c.ID, Details: map[string]json.RawMessage{}}
		if c.ExportPath != "" {
			one.ExportPath = &c.ExportPath
		}
		details := maps.Clone(c.Detail)
		if c.Reason != "" {
			if _, twice := details["reason"]; twice {
				return nil, errors.New("--reason and --detail reason=… exclude each other")
			}
			one.Details["reason"] = quoted(c.Reason)
		}
		for key, text := range details {
			one.Details[key] = quoted(text)
		}
		return []claim{one}, nil
	}
	if c.Operation != "" || c.Outcome != "" || c.ID != "" || len(c.Affects)+len(c.Detail) > 0 || c.ExportPath != "" || c.Reason != "" {
		return nil, errors.New("--json reads all from standard input: no other flag but --log goes with it")
	}
	return readClaims(p.Stdin)
}

func quoted(text string) json.RawMessage {
	data, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string
	}
	return data
}

// claimsLimit is how much of standard input is read.
const claimsLimit = 64 << 20

func readClaims(in io.Reader) (all []claim, err error) {
	dec := json.NewDecoder(io.LimitReader(in, claimsLimit))
	for {
		var raw json.RawMessage
		if err := dec.Decode(&raw); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		var some []claim
		strict := json.NewDecoder(strings.NewReader(string(raw)))
		strict.DisallowUnknownFields()
		if raw[0] == '[' {
			err = strict.Decode(&some)
		} else {
			some = make([]claim, 1)
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
func (p Process) eventOf(c claim, l *audit.Log) (audit.Event, error) {
	now := p.Now()
	user, actor, _ := p.who()
	e := audit.Event{ID: newID(now), Timestamp: now, Operation: c.Operation, Outcome: audit.Outcome(c.Outcome), User: user, DataAffected: c.DataAffected}
	if c.ExportPath != nil {
		e.ExportPath = *c.ExportPath
	}
	if c.User != "" {
		e.User = c.User
	}
	if c.ID != "" {
		if err := continues(&e, c, l); err != nil {
			return e, err
		}
	}
	switch {
	case e.Operation == "":
		return e, errors.New("--operation is missing: what was done")
	case !audit.ValidOperation(e.Operation):
		return e, badOperation(e.Operation)
	case c.Outcome == "":
		return e, errors.New("--outcome is missing: " + outcomes())
	case !e.Outcome.Valid():
		return e, fmt.Errorf("unknown outcome %q: it is one of %s", c.Outcome, outcomes())
	}
	return e, p.describe(&e, c, actor)
}

// continues takes over what the pending operation said.
func continues(e *audit.Event, c claim, l *audit.Log) error {
	events, _, err := l.Show(c.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return noLog(l)
	}
	if err != nil {
		return readFault(err, l)
	}
	last := events[len(events)-1]
	switch {
	case last.Outcome != audit.Pending:
		return &teardown.Fault{Err: fmt.Errorf("operation %s has ended already: %s", last.ID, last.Outcome), Try: "ccdestroy audit --outcome pending", Code: teardown.ExitFailed}
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
func (p Process) describe(e *audit.Event, c claim, actor json.RawMessage) error {
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
		details["recorded_at"] = quoted(p.Now().UTC().Format(time.RFC3339Nano))
	}
	details["tool"], details["actor"], details["recorded_by"] = quoted("ccdestroy "+version()), actor, quoted("record")
	var err error
	e.Details, err = json.Marshal(details)
	return err
}
