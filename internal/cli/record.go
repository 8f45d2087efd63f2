package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/record"
)

type recordCmd struct {
	Operation  string            `fixed:"" placeholder:"NAME" completion-predictor:"operation" help:"What was done, in lower_snake: destroy, export, prune, delete_dashboard, restore, or your own."`
	Outcome    string            `fixed:"" placeholder:"WORD" completion-predictor:"outcome" help:"How it ended: success, failed, partial, cancelled; or pending, before it begins."`
	ID         string            `fixed:"" placeholder:"ID" completion-predictor:"event" help:"Id of the pending operation that this completes, or a unique prefix."`
	Affects    []string          `fixed:"" sep:"none" placeholder:"NAME" help:"Data that is destroyed. Repeatable."`
	Detail     map[string]string `fixed:"" mapsep:"none" placeholder:"KEY=TEXT" help:"Further detail. Repeatable."`
	ExportPath string            `fixed:"" placeholder:"PATH" help:"Where the data was exported."`
	Reason     string            `fixed:"" placeholder:"TEXT" help:"Reason, kept in the record."`
	JSON       bool              `fixed:"" name:"json" help:"Read events from standard input instead: JSON objects with the seven keys of the log, one or several, or an array."`
	recordFlags
}

// Help says how the two halves of an operation go together.
func (recordCmd) Help() string {
	return `The id of the operation is printed. For a script: id=$(ccdestroy record --operation delete_dashboard --outcome pending --affects overview), then do the work, then ccdestroy record --id "$id" --outcome success.`
}

// Run records.
func (c recordCmd) Run(ctx context.Context, p Process) error {
	const nothing = "nothing was recorded"
	var claims []record.Claim
	sig, err := p.untilSignal(ctx, func(context.Context) error {
		read, err := c.claims(p)
		claims = read
		return err
	})
	if sig != nil {
		return fault.StoppedBy(sig, nothing)
	}
	if err != nil {
		return &fault.Fault{Err: err, Try: "ccdestroy record --help", Code: fault.ExitUsage}
	}
	book, err := p.bookHere(c.recordFlags, nil, 0)
	if err != nil {
		return err
	}
	told := 0
	sig, err = fault.Guard(ctx, p.Signals, func(ctx context.Context) error {
		return book.Tell(ctx, claims, func(id string) error {
			told++
			_, err := fmt.Fprintln(p.Stdout, id)
			return err
		})
	})
	switch {
	case sig != nil && told == 0:
		return fault.StoppedBy(sig, nothing)
	case sig != nil:
		return fault.StoppedBy(sig, fmt.Sprintf("%d of %d events were recorded", told, len(claims)))
	}
	return err
}

// claims are what the command line or standard input says.
func (c recordCmd) claims(p Process) ([]record.Claim, error) {
	if !c.JSON {
		one := record.Claim{Operation: c.Operation, Outcome: c.Outcome, DataAffected: c.Affects, ID: c.ID, Details: map[string]json.RawMessage{}}
		if c.ExportPath != "" {
			one.ExportPath = &c.ExportPath
		}
		details := maps.Clone(c.Detail)
		if c.Reason != "" {
			if _, twice := details["reason"]; twice {
				return nil, errors.New("--reason and --detail reason=… exclude each other")
			}
			one.Details["reason"] = record.Quoted(c.Reason)
		}
		for key, text := range details {
			one.Details[key] = record.Quoted(text)
		}
		return []record.Claim{one}, nil
	}
	if c.Operation != "" || c.Outcome != "" || c.ID != "" || len(c.Affects)+len(c.Detail) > 0 || c.ExportPath != "" || c.Reason != "" {
		return nil, errors.New("--json reads all from standard input: no other flag but --log goes with it")
	}
	return record.ReadClaims(p.Stdin)
}
