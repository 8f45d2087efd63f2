package record

import (
	"errors"
	"fmt"
	"testing"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

func TestOutcomeOf(t *testing.T) {
	left := []inventory.Resource{{Name: "x"}}
	for want, cases := range map[audit.Outcome][]inventory.Verdict{
		audit.Success:   {{}, {Went: true}, {Went: true, Interrupted: true}},
		audit.Partial:   {{Went: true, Remaining: left}, {Went: true, Remaining: left, Interrupted: true}, {Went: true, Providers: []string{"db"}}},
		audit.Failed:    {{Remaining: left}, {Providers: []string{"db"}}},
		audit.Cancelled: {{Remaining: left, Interrupted: true}},
		audit.Pending:   {{Unsure: []string{"x"}}, {Went: true, Remaining: left, Unsure: []string{"x"}}},
	} {
		for _, v := range cases {
			if got := OutcomeOf(v); got != want {
				t.Errorf("%+v: %s, want %s", v, got, want)
			}
		}
	}
}

// Whoever is told why an operation ended hears of what stopped it and of a missing
// record, also where the first is a Fault, whose text alone is shown.
func TestWhy(t *testing.T) {
	full, stopped := errors.New("disk full"), &fault.Fault{Err: errors.New("stopped"), Try: "again", Code: fault.ExitDeclined}
	for _, c := range []struct {
		end        error
		unrecorded error
		want       string
	}{
		{nil, nil, ""},
		{stopped, nil, "stopped|again|4"},
		{nil, full, "the outcome could not be recorded: disk full||1"},
		{errors.New("half of it"), full, "half of it\nthe outcome could not be recorded: disk full||1"},
		{stopped, full, "stopped\nthe outcome could not be recorded: disk full|again|4"},
	} {
		got := ""
		if err := (Ended{Err: c.end}).Why(c.unrecorded); err != nil {
			f := fault.AsFault(err)
			got = fmt.Sprintf("%v|%s|%d", f, f.Try, f.Code)
		}
		if got != c.want {
			t.Errorf("%v, %v: %q, want %q", c.end, c.unrecorded, got, c.want)
		}
	}
}

// A success that is not in the log is none for whoever goes by the exit code.
func TestCodeUnrecorded(t *testing.T) {
	full := errors.New("disk full")
	for _, c := range []struct {
		outcome    audit.Outcome
		signal     int
		unrecorded error
		want       int
	}{
		{audit.Success, 0, nil, 0}, {audit.Success, 2, nil, 0}, {audit.Success, 0, full, 1}, {audit.Success, 2, full, 1},
		{audit.Partial, 0, nil, 3}, {audit.Partial, 15, nil, 143}, {audit.Partial, 0, full, 3}, {audit.Partial, 2, full, 130},
		{audit.Failed, 0, nil, 1}, {audit.Failed, 2, nil, 130}, {audit.Cancelled, 2, nil, 130}, {audit.Pending, 0, nil, 1}, {audit.Pending, 15, nil, 143},
	} {
		if got := (Ended{Outcome: c.outcome}).Code(c.signal, c.unrecorded); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
