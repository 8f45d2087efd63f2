package record

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// copier notes what was in the log at each call.
type copier struct {
	d       *desk
	secured []string // outcomes in the log, newest first
	follows []string
	secure  func(context.Context) error
	follow  error
}

func (c *copier) Secure(ctx context.Context, l *audit.Log) error {
	c.secured = append(c.secured, c.d.outcomes())
	if l.Path != c.d.Log.Path {
		c.d.t.Errorf("another log: %s", l.Path)
	}
	if c.secure != nil {
		return c.secure(ctx)
	}
	return nil
}

func (c *copier) Follow(ctx context.Context, l *audit.Log) error {
	if err := ctx.Err(); err != nil {
		c.d.t.Errorf("no time to copy: %v", err)
	}
	c.follows = append(c.follows, c.d.outcomes())
	return c.follow
}

func copying(t *testing.T) (*desk, *copier) {
	d := newDesk(t)
	c := &copier{d: d}
	d.Copier = c
	return d, c
}

// The deed begins when the pending event is copied; the outcome follows when all
// locks are free.
func TestCopied(t *testing.T) {
	d, c := copying(t)
	act := func(o *Operation) Ended {
		if len(c.secured) != 1 || c.secured[0] != " pending" || len(c.follows) != 0 {
			t.Errorf("at the deed: %q, %q", c.secured, c.follows)
		}
		return Ended{Outcome: audit.Success}
	}
	if _, _, unrecorded, err := (Life{Book: d.Book, Operation: audit.Destroy, Project: "shop", EngineID: "e1"}).Run(t.Context(), &script{act: act}); err != nil || unrecorded != nil {
		t.Fatal(err, unrecorded)
	}
	if len(c.follows) != 1 || c.follows[0] != " success pending" || len(d.files()) != 0 || d.noted() != "" {
		t.Errorf("%q, %q, %s", c.follows, d.files(), d.noted())
	}
	c.follow = errors.New("no way")
	o := d.Told(audit.Destroy, "bob")
	if err := o.End(t.Context(), Ended{Outcome: audit.Success}); err != nil || len(c.follows) != 2 || !strings.Contains(d.noted(), "recorded, and not copied yet: no way") {
		t.Errorf("%v, %q, %s", err, c.follows, d.noted())
	}
}

// Without the copy there is no deed, and the log says that nothing was done.
func TestNotCopied(t *testing.T) {
	signals := make(chan os.Signal, 1)
	for name, c := range map[string]struct {
		secure func(context.Context) error
		code   int
		text   string
		last   audit.Outcome
	}{
		"down": {func(context.Context) error { return errors.New("the store is down") }, fault.ExitNoRecord, "the audit record could not be copied to its store first, so nothing was destroyed: the store is down", audit.Failed},
		"stopped": {func(ctx context.Context) error {
			signals <- syscall.SIGTERM
			<-ctx.Done()
			return ctx.Err()
		}, 128 + 15, "nothing was destroyed", audit.Cancelled},
	} {
		d, copies := copying(t)
		copies.secure = c.secure
		s := &script{act: func(*Operation) Ended { t.Errorf("%s: it was done", name); return Ended{} }}
		o, _, _, err := (Life{Book: d.Book, Operation: audit.Destroy, Project: "shop", EngineID: "e1", Signals: signals}).Run(t.Context(), s)
		if f := fault.AsFault(err); f.Code != c.code || !strings.Contains(f.Error(), c.text) {
			t.Errorf("%s: %+v", name, f)
		}
		if got := d.outcome(o.ID); got != c.last || s.undone != 1 || len(d.files()) != 0 || len(copies.follows) != 1 {
			t.Errorf("%s: %s, abandoned %d times, locks %q, %q", name, got, s.undone, d.files(), copies.follows)
		}
	}
}

// A script is not told to go ahead when its pending event is not copied.
func TestClaimNotCopied(t *testing.T) {
	d, c := copying(t)
	if ids, err := d.tell(Claim{Operation: "drop", Outcome: "pending"}, Claim{Operation: "drop", Outcome: "success"}); err != nil || len(ids) != 2 || len(c.secured) != 1 || len(c.follows) != 1 {
		t.Errorf("%q, %v, %q, %q", ids, err, c.secured, c.follows)
	}
	c.secure = func(context.Context) error { return errors.New("the store is down") }
	ids, err := d.tell(Claim{Operation: "drop", Outcome: "pending", DataAffected: []string{"a"}})
	if f := fault.AsFault(err); f.Code != fault.ExitNoRecord || len(ids) != 0 {
		t.Errorf("%q, %+v", ids, f)
	}
	if got := d.outcomes(); got != " failed pending success pending" {
		t.Error(got)
	}
}

// After a long wait for the store the world is looked at again, and a deed that is
// not the one that was agreed on is refused.
func TestSlowCopy(t *testing.T) {
	was := longPend
	longPend = 0
	t.Cleanup(func() { longPend = was })
	volumes := func(names ...string) (inv inventory.Inventory) {
		for _, name := range names {
			inv.Resources = append(inv.Resources, inventory.Resource{Kind: inventory.KindVolume, Name: name, Asked: true, Fate: inventory.Removed})
		}
		return inv
	}
	for name, c := range map[string]struct {
		second inventory.Inventory
		code   int
	}{"as it was": {volumes("a"), 0}, "one more": {volumes("a", "b"), fault.ExitRefused}} {
		d, _ := copying(t)
		s := &script{look: func(round int) (inventory.Inventory, error) {
			if round == 0 {
				return volumes("a"), nil
			}
			return c.second, nil
		}, act: func(*Operation) Ended { return Ended{Outcome: audit.Success} }}
		o, _, _, err := (Life{Book: d.Book, Operation: audit.Destroy, Project: "shop", EngineID: "e1"}).Run(t.Context(), s)
		want := audit.Success
		if c.code != 0 {
			want = audit.Failed
		}
		if got := d.outcome(o.ID); got != want || (err != nil) != (c.code != 0) || err != nil && fault.AsFault(err).Code != c.code || s.rounds != 2 {
			t.Errorf("%s: %s, %v, looked %d times", name, got, err, s.rounds)
		}
	}
}
