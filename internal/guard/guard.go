package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/trash"
)

// Guard guards one engine.
type Guard struct {
	Engine Engine
	Book   *record.Book
	// Others are the logs in which operations of ours may be running, besides
	// Book's own.
	Others func() []*audit.Log
	Policy Policy
	Open   trash.Open
	Keep   time.Duration // how long volumes are kept for undo; 0 is not at all
	Expire func()        // has what has expired purged, and does not wait for it
	Now    func() time.Time
	Note   func(string)

	busy   busy
	seats  seats
	probes probes
	hurry  chan struct{} // something is to be settled soon; made by Serve

	mu   sync.Mutex            // guards what follows
	is   inventory.Engine      // that asks; without an id it is not known yet
	open map[string][]*allowed // calls that were allowed and have no response yet, by key
	mine map[string]bool       // ids of operations of this process
	// settled: nothing that was interrupted is left in the log, as far as is known.
	settled bool
	said    map[string]bool // what was told once
	expired time.Time       // when what has expired was purged last

	settling sync.Mutex // held by whoever settles
}

// allowed is a call that the engine is carrying out.
type allowed struct {
	call    call
	names   []string          // that are busy
	o       *record.Operation // nil if nothing is recorded of it
	keeper  *trash.Keeper
	before  inventory.Snapshot
	unseen  bool // nothing was there to destroy, and nothing else records it
	request Request
	late    *time.Timer // looks if no response has come for a long time
}

// How long a call waits for others, those that concern the same volume among
// them, how long a look may take, and after how long without a response it is looked
// what came of a call.
const (
	busyLimit     = 2 * time.Minute
	lookLimit     = 30 * time.Second
	responseLimit = time.Hour
	sizesLimit    = 250 * time.Millisecond
)

func (r Request) key() string { return r.Method + "\n" + r.URI + "\n" + r.User }

// Before decides on a call that destroys. An error refuses it, with the text that
// the client prints. After nil the pending event is durable.
//
// A crash before the answer leaves an unfinished operation, and the engine refuses
// the call.
func (g *Guard) Before(ctx context.Context, r Request) error {
	c := parse(r.Method, r.URI)
	c.hidden = r.hides()
	a := &allowed{call: c, request: r}
	going := false
	defer func() {
		if !going {
			g.busy.free(a.names)
		}
	}()
	if err := g.before(ctx, a); err != nil {
		return err
	}
	going = true
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == nil {
		g.open = map[string][]*allowed{}
	}
	g.open[r.key()] = append(g.open[r.key()], a)
	a.late = time.AfterFunc(responseLimit, func() {
		if g.forget(r.key(), a) {
			g.finish(context.Background(), a)
		}
	})
	return nil
}

func (g *Guard) before(ctx context.Context, a *allowed) error {
	waiting, cancel := context.WithTimeout(ctx, busyLimit)
	defer cancel()
	if err := g.take(waiting, a, a.call.names(sight{})); err != nil {
		return err
	}
	looking, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	is, err := g.engine(looking)
	if err != nil {
		return fmt.Errorf("the guard cannot look at the engine, so nothing was destroyed: %w", err)
	}
	// What an earlier guard set aside, and did not put back, is put back first.
	if err := g.settle(looking); err != nil {
		return fmt.Errorf("what was cut off before cannot be settled, so nothing was destroyed: %w", err)
	}
	for {
		s, err := g.look(waiting, is, a.call)
		if err != nil {
			return fmt.Errorf("the guard cannot look at the engine, so nothing was destroyed: %w", err)
		}
		had := len(a.names)
		if err := g.take(waiting, a, a.call.names(s)); err != nil {
			return err
		}
		if len(a.names) == had { // nobody can have changed anything of it since the look
			a.before = s.snapshot
			return g.decide(ctx, a, is, s)
		}
	}
}

// look looks at the engine when it is this call's turn.
func (g *Guard) look(ctx context.Context, is inventory.Engine, c call) (sight, error) {
	leave, err := g.seats.take(ctx)
	if err != nil {
		return sight{}, err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	return look(ctx, g.Engine, is, c)
}

// take waits for those of the names that the call does not have yet.
func (g *Guard) take(ctx context.Context, a *allowed, names []string) error {
	names = slices.DeleteFunc(names, func(n string) bool { return slices.Contains(a.names, n) })
	if err := g.busy.take(ctx, names); err != nil {
		return errors.New("another call has been destroying the same for a while: try again when it has ended")
	}
	a.names = append(a.names, names...)
	return nil
}

// engine says which engine asks. That does not change while it runs.
func (g *Guard) engine(ctx context.Context) (inventory.Engine, error) {
	g.mu.Lock()
	is := g.is
	g.mu.Unlock()
	if is.ID != "" {
		return is, nil
	}
	is, err := g.Engine.Describe(ctx)
	if err == nil {
		g.mu.Lock()
		g.is = is
		g.mu.Unlock()
	}
	return is, err
}
