package record

import (
	"testing"

	"github.com/contextcore/ccdestroy/internal/audit"
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

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		outcome audit.Outcome
		signal  int
		want    int
	}{{audit.Success, 0, 0}, {audit.Success, 2, 0}, {audit.Partial, 0, 3}, {audit.Partial, 15, 143}, {audit.Failed, 0, 1}, {audit.Cancelled, 2, 130}} {
		if got := ExitOf(c.outcome, c.signal); got != c.want {
			t.Errorf("%s, signal %d: %d, want %d", c.outcome, c.signal, got, c.want)
		}
	}
}
