package record

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// looks is a deed whose look ends it.
type looks func() error

func (l looks) Look(context.Context) (inventory.Inventory, error) {
	return inventory.Inventory{}, l()
}

func (looks) Agree(context.Context, *Operation, []inventory.Change) (bool, error) { return true, nil }

// script is a deed that does what it is told, and notes what it is asked.
type script struct {
	look    func(round int) (inventory.Inventory, error)
	agree   func(round int) (bool, error)
	act     func(*Operation) Ended
	log     []string
	rounds  int
	changes []inventory.Change
	undone  int // how often it was abandoned
}

func (s *script) Look(context.Context) (inv inventory.Inventory, err error) {
	s.log = append(s.log, "look")
	if s.look != nil {
		inv, err = s.look(s.rounds)
	}
	s.rounds++
	return inv, err
}

func (s *script) Agree(_ context.Context, o *Operation, changes []inventory.Change) (bool, error) {
	s.log, s.changes = append(s.log, "agree"), changes
	o.Abandoned = func() { s.undone++ }
	if s.agree != nil {
		return s.agree(s.rounds)
	}
	return true, nil
}

func (s *script) Act(_ context.Context, o *Operation, _ <-chan os.Signal) Ended {
	s.log = append(s.log, "act")
	if s.act != nil {
		return s.act(o)
	}
	return Ended{Outcome: audit.Success, Affected: []string{"data"}}
}

// goes is an inventory of volumes that go.
func goes(names ...string) (inv inventory.Inventory) {
	for _, name := range names {
		inv.Resources = append(inv.Resources, inventory.Resource{Kind: inventory.KindVolume, Name: name, Asked: true, Fate: inventory.Removed})
	}
	return inv
}

// live runs a script, and returns the log's events.
func (d *desk) live(s *script, signals chan os.Signal) (events []audit.Event, end Ended, unrecorded, err error) {
	d.t.Helper()
	l := Life{Book: d.Book, Operation: audit.Destroy, EngineID: "e1", Project: "shop", Signals: signals, Details: func(d *Details) { d.Why = "because" }}
	_, end, unrecorded, err = l.Run(context.Background(), s)
	_, _ = d.Log.Events(audit.Query{}, func(r audit.Record, _ []byte) error {
		events = append(events, r.Event)
		return nil
	})
	slices.Reverse(events)
	for _, e := range events {
		if details, err := ParseDetails(e); err != nil || details.Why != "because" || details.Tool != "test" || e.User != "ana" {
			d.t.Errorf("%+v, %v", e, err)
		}
	}
	return events, end, unrecorded, err
}

func outcomesOf(events []audit.Event) (out string) {
	for _, e := range events {
		out += " " + string(e.Outcome)
	}
	return strings.TrimSpace(out)
}

// One life: what is asked, in which order, and what is then in the log.
func TestLife(t *testing.T) {
	refused := fault.Refused("", "protected")
	for name, c := range map[string]struct {
		script   script
		order    string
		outcomes string
		code     int
		undone   int
	}{
		"ready at once":         {script{}, "look agree act", "pending success", 0, 0},
		"looks again":           {script{agree: func(round int) (bool, error) { return round == 2, nil }}, "look agree look agree act", "pending success", 0, 0},
		"nothing to do":         {script{agree: func(int) (bool, error) { return false, ErrNothing }}, "look agree", "", 0, 0},
		"declined":              {script{agree: func(int) (bool, error) { return false, fault.Declined("nothing was destroyed") }}, "look agree", "cancelled", 4, 1},
		"refused":               {script{agree: func(int) (bool, error) { return false, refused }}, "look agree", "failed", 5, 1},
		"the look fails":        {script{look: func(int) (inventory.Inventory, error) { return inventory.Inventory{}, errors.New("no engine") }}, "look", "failed", 1, 0},
		"the second look fails": {script{agree: func(int) (bool, error) { return false, nil }, look: func(round int) (inventory.Inventory, error) { return goes("data"), errorIn(round, 1) }}, "look agree look", "failed", 1, 1},
		"it fails":              {script{act: func(*Operation) Ended { return Ended{Outcome: audit.Failed, Err: errors.New("no")} }}, "look agree act", "pending failed", 0, 0},
		"it cannot be told":     {script{act: func(*Operation) Ended { return Ended{Outcome: audit.Pending, Err: errors.New("gone")} }}, "look agree act", "pending pending", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			s := c.script
			events, _, unrecorded, err := d.live(&s, nil)
			code := 0
			if err != nil && !errors.Is(err, ErrNothing) {
				code = fault.AsFault(err).Code
			}
			if got := strings.Join(s.log, " "); got != c.order || outcomesOf(events) != c.outcomes || code != c.code || unrecorded != nil || s.undone != c.undone {
				t.Errorf("%s; %s; exit %d, %v; undone %d", got, outcomesOf(events), code, err, s.undone)
			}
			if left := d.files(); (strings.HasSuffix(c.outcomes, "pending")) != (len(left) == 1) || len(left) > 1 {
				t.Errorf("left %q", left)
			}
		})
	}
}

func errorIn(round, want int) error {
	if round == want {
		return errors.New("no engine")
	}
	return nil
}

// What differs from the look before is told; a world that never rests is given up.
func TestMovingWorld(t *testing.T) {
	d := newDesk(t)
	s := script{
		look:  func(round int) (inventory.Inventory, error) { return goes(fmt.Sprint("volume", round)), nil },
		agree: func(int) (bool, error) { return false, nil },
	}
	events, _, _, err := d.live(&s, nil)
	if f := fault.AsFault(err); f.Code != fault.ExitRefused || !strings.Contains(f.Error(), "volume volume20 is new") || outcomesOf(events) != "failed" || s.rounds != maxRounds+1 {
		t.Errorf("%+v, %s, %d rounds", f, outcomesOf(events), s.rounds)
	}
	if len(s.changes) != 1 || s.changes[0].String() != "volume volume19 is new" {
		t.Errorf("%v", s.changes)
	}
}

// A signal that comes between the pending event and the deed ends it.
func TestSignalBeforeTheDeed(t *testing.T) {
	d := newDesk(t)
	signals := make(chan os.Signal, 1)
	d.Recorder = afterwards{d.Log, func() {
		select {
		case signals <- syscall.SIGTERM:
		default:
		}
	}}
	s := script{look: func(int) (inventory.Inventory, error) { return goes("data"), nil }}
	events, _, _, err := d.live(&s, signals)
	details, _ := ParseDetails(events[len(events)-1])
	if fault.AsFault(err).Code != 128+15 || outcomesOf(events) != "pending cancelled" || details.Signal != "TERM" || s.undone != 1 || slices.Contains(s.log, "act") {
		t.Errorf("%v, %s, %q, undone %d, %q", err, outcomesOf(events), details.Signal, s.undone, s.log)
	}
	if len(events[1].DataAffected) != 0 || len(d.files()) != 0 {
		t.Errorf("%q, left %q", events[1].DataAffected, d.files())
	}
}

// Without a record nothing is done, and the reason is told as it is.
func TestNoRecord(t *testing.T) {
	d := newDesk(t)
	d.Recorder = halfway{d.Log, false}
	s := script{}
	events, _, _, err := d.live(&s, nil)
	f := fault.AsFault(err)
	if f.Code != fault.ExitNoRecord || !strings.Contains(f.Error(), "nothing was destroyed: sync: input/output error") || f.Try == "" || len(events) > 0 || slices.Contains(s.log, "act") || s.undone != 1 {
		t.Errorf("%+v, %s, %q, undone %d", f, outcomesOf(events), s.log, s.undone)
	}
}

// What could not even begin is recorded as failed, or cancelled by a signal.
func TestFail(t *testing.T) {
	for _, c := range []struct {
		sig     os.Signal
		code    int
		outcome audit.Outcome
	}{{nil, 1, audit.Failed}, {syscall.SIGINT, 130, audit.Cancelled}} {
		d := newDesk(t)
		l := Life{Book: d.Book, Operation: audit.Destroy}
		err := l.Fail(t.Context(), c.sig, errors.New("no such service"))
		open, _ := d.Log.Unfinished()
		if fault.AsFault(err).Code != c.code || d.outcome("01KB0000000000000000000001") != c.outcome || len(open) > 0 || len(d.files()) > 0 {
			t.Errorf("%v: %v, left %q", c.sig, err, d.files())
		}
		if err := os.RemoveAll(d.ops()); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(d.ops(), nil, 0o600); err != nil { // nothing can be recorded
			t.Fatal(err)
		}
		if err := l.Fail(t.Context(), c.sig, errors.New("no such service")); fault.AsFault(err).Code != c.code {
			t.Errorf("%v, without a record: %v", c.sig, err)
		}
	}
}
