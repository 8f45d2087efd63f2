package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/trash"
	"github.com/contextcore/ccdestroy/internal/undo"
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

// decide leaves what other operations record to them, refuses what the policy forbids, and
// records the rest.
func (g *Guard) decide(ctx context.Context, a *allowed, is inventory.Engine, s sight) error {
	theirs := g.announced(is.ID, slices.Concat(s.going, s.held))
	if why := g.Policy.refuses(a.call, theirs, true, g.Now()); why != "" {
		return fault.Refused("", "nothing was destroyed: %s", why)
	}
	other := func(v inventory.Volume) bool {
		return !slices.ContainsFunc(theirs, func(t inventory.Volume) bool { return t.Name == v.Name })
	}
	s.going, s.held = only(s.going, other), only(s.held, other)
	if len(s.going)+len(s.held) == 0 {
		if why := g.Policy.refusesPrune(a.call); why != "" {
			return fault.Refused("", "nothing was destroyed: %s", why)
		}
		a.unseen = len(theirs) == 0
		return nil
	}
	o, err := g.begin(a, is, s)
	if err != nil {
		return err
	}
	if why := g.Policy.refuses(a.call, s.going, false, g.Now()); why != "" {
		defer g.close(o)
		return o.Stop(ctx, nil, fault.Refused("", "nothing was destroyed: %s", why))
	}
	a.o, a.keeper = o, &trash.Keeper{Open: g.Open, For: g.Keep, Now: g.Now}
	undo.PlanKeep(ctx, a.keeper, o, s.snapshot)
	err = o.Pend(ctx)
	if err == nil {
		if end, told := undo.SetAside(ctx, a.keeper, o, g.Book, s.snapshot); told != nil {
			err = told
			if wrong := o.End(ctx, end); wrong != nil {
				g.Note("not recorded: " + wrong.Error())
			}
		}
	}
	if err != nil {
		g.close(o)
		return err
	}
	return nil
}

func only(volumes []inventory.Volume, which func(inventory.Volume) bool) (out []inventory.Volume) {
	for _, v := range volumes {
		if which(v) {
			out = append(out, v)
		}
	}
	return out
}

// begin opens the operation of a call.
func (g *Guard) begin(a *allowed, is inventory.Engine, s sight) (*record.Operation, error) {
	b := *g.Book
	b.User = userOf(a.request)
	o, err := b.Open(operation(a.call))
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	if g.mine == nil {
		g.mine = map[string]bool{}
	}
	g.mine[o.ID] = true
	g.mu.Unlock()
	g.describe(&o.Details, a, is, s)
	return o, nil
}

func operation(c call) string {
	if c.kind == volumePrune {
		return audit.Prune
	}
	return audit.Destroy
}

// userOf is for the user field: the engine does not know who calls on a Unix socket.
func userOf(r Request) string {
	if r.User == "" {
		return "unknown"
	}
	return r.User
}

func (g *Guard) describe(d *record.Details, a *allowed, is inventory.Engine, s sight) {
	r := a.request
	d.RecordedBy, d.Engine, d.Command = record.ByGuard, is, []string{short(r.Method), short(r.URI)}
	d.Request = &record.Request{Method: short(r.Method), URI: short(r.URI), User: r.User, Auth: r.Auth}
	for key, value := range r.Headers {
		if strings.EqualFold(key, "User-Agent") {
			d.Request.Agent = short(value)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), sizesLimit)
	defer cancel()
	sizes := g.Engine.Measure(ctx, s.going)
	projects := map[string]bool{}
	for _, v := range slices.Concat(s.going, s.held) {
		res := g.Policy.Protect.Resource(v)
		res.Anonymous = inventory.LooksAnonymous(v)
		for _, c := range s.snapshot.Users(v.Name) {
			res.UsedBy = append(res.UsedBy, c.Name)
		}
		res.Asked, res.Fate = true, inventory.Removed
		if slices.ContainsFunc(s.held, func(h inventory.Volume) bool { return h.Name == v.Name }) {
			res.Asked, res.Fate, res.Reason = a.call.kind == volumeRm, inventory.Kept, "in use by "+strings.Join(res.UsedBy, ", ")
		}
		if size, known := sizes[v.Name]; known {
			res.Size = &size
		}
		d.Resources = append(d.Resources, res)
		projects[v.Labels[inventory.LabelProject]] = true
	}
	if len(projects) == 1 {
		for project := range projects {
			d.Project = project
		}
	}
}

// shortLimit is how much of a text that a client chooses is recorded.
const shortLimit = 1 << 10

func short(text string) string {
	if len(text) <= shortLimit {
		return text
	}
	return strings.ToValidUTF8(text[:shortLimit], "") + "…"
}

// announced are those of the volumes that operations of ours are about to destroy:
// those record it.
func (g *Guard) announced(engine string, volumes []inventory.Volume) (theirs []inventory.Volume) {
	if len(volumes) == 0 {
		return nil
	}
	g.mu.Lock()
	mine := make(map[string]bool, len(g.mine))
	for id := range g.mine {
		mine[id] = true
	}
	g.mu.Unlock()
	for _, l := range slices.Concat([]*audit.Log{g.Book.Log}, g.Others()) {
		for _, id := range record.Locks(l) {
			if mine[id] {
				continue
			}
			names := record.Announced(l, id, engine)
			for _, v := range volumes {
				if slices.Contains(names, v.Name) {
					theirs = append(theirs, v)
				}
			}
		}
	}
	return theirs
}

func (g *Guard) close(o *record.Operation) {
	o.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.mine, o.ID)
}
