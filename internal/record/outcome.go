package record

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Ended is how an operation ended, as far as is known.
type Ended struct {
	Outcome  audit.Outcome // Pending: that is unknown, and the operation stays unfinished
	Affected []string      // volumes that are verified gone
	Again    []string      // names of containers that settling started again
	Err      error         // what stopped it, or nil
}

// Why is what to tell the user of an operation that ended like this: what stopped it, and
// unrecorded, why its outcome is not in the log. Either may be nil, and both is nil. What
// a Fault says to try, and its exit code, stay.
func (e Ended) Why(unrecorded error) error {
	if unrecorded == nil {
		return e.Err
	}
	err := errors.Join(e.Err, fmt.Errorf("the outcome could not be recorded: %w", unrecorded))
	f := fault.AsFault(err)
	return &fault.Fault{Err: err, Try: f.Try, Code: f.Code}
}

// Code is the exit code of an operation that ended like this, after a signal or none (0).
// Where its outcome is not in the log, it is no success.
func (e Ended) Code(signal int, unrecorded error) int {
	switch {
	case e.Outcome == audit.Success && unrecorded != nil:
		return fault.ExitFailed
	case e.Outcome == audit.Success:
		return fault.ExitOK
	case signal != 0:
		return 128 + signal
	case e.Outcome == audit.Partial:
		return fault.ExitPartial
	}
	return fault.ExitFailed
}

// Ending is how a teardown ended, for the screen and the exit code.
type Ending struct {
	ID         string
	Outcome    audit.Outcome // Pending: it is unknown what happened
	Verdict    inventory.Verdict
	Inventory  inventory.Inventory
	Exit       fault.Exit
	Unrecorded error // why the outcome is not in the log, or nil
	Unknown    error // why it is pending: nothing tells how it ended; nil otherwise
	Duration   time.Duration
	Kept       []Kept   // what is set aside now
	Saved      string   // where the volumes were exported to, or ""
	Program    []string // how the user called this program
	Args       []string // with what
	Code       int
}

// OutcomeOf says what the evidence means.
//
//	it is unknown for a volume                                 pending
//	every asked resource is gone, or none was asked            success
//	some remain, or a provider's part is in doubt, some went   partial
//	the same, and nothing went                                 failed, or cancelled after a signal
func OutcomeOf(v inventory.Verdict) audit.Outcome {
	switch {
	case len(v.Unsure) > 0:
		return audit.Pending
	case len(v.Remaining) == 0 && len(v.Providers) == 0:
		return audit.Success
	case v.Went:
		return audit.Partial
	case v.Interrupted:
		return audit.Cancelled
	}
	return audit.Failed
}

// Settle puts what the evidence says into the details, and returns how the
// operation ended.
func (d *Details) Settle(v inventory.Verdict) Ended {
	d.Resources, d.LostBytes = v.Resources, v.LostBytes
	if v.Unforeseen != nil { // what an earlier attempt to find out has seen stays
		d.Unforeseen = v.Unforeseen
	}
	d.Remaining = nil
	for _, r := range v.Remaining {
		d.Remaining = append(d.Remaining, r.String())
	}
	for _, name := range v.Providers {
		d.Remaining = append(d.Remaining, inDoubt(name, d.ExitCode != nil))
	}
	end := Ended{Outcome: OutcomeOf(v), Affected: v.Lost}
	if end.Outcome == audit.Pending {
		end.Err = Unsure(v.Unsure)
		end.Affected = d.Going()
	}
	return end
}

// Unsure is why an operation stays unfinished: it is unknown what happened to
// these volumes.
func Unsure(volumes []string) error {
	return fmt.Errorf("cannot tell whether volume %s was destroyed and made again", strings.Join(volumes, ", "))
}

// inDoubt says why a service's provider may still hold something.
func inDoubt(service string, seen bool) string {
	how := "Compose failed"
	if !seen {
		how = "nobody saw how Compose ended"
	}
	return fmt.Sprintf("provider of service %s: %s, and what it holds cannot be seen", service, how)
}
