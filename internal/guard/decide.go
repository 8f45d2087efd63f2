package guard

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/trash"
	"github.com/contextcore/ccdestroy/internal/undo"
)

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
	if err := g.pend(ctx, a, s.snapshot); err != nil {
		g.close(o)
		g.unsettled() // an outcome that could not be recorded is settled before the next call
		return err
	}
	return nil
}

// pend makes the pending event durable, and sets aside what is to be kept. After an error
// the call is refused, and its outcome is recorded if that is possible: an operation that
// stays unfinished would be settled as a success once a later call has destroyed the volume.
func (g *Guard) pend(ctx context.Context, a *allowed, before inventory.Snapshot) error {
	if err := a.o.Pend(ctx); err != nil {
		return a.o.Stop(ctx, nil, err)
	}
	end, told := undo.SetAside(ctx, a.keeper, a.o, g.Book, before)
	if told == nil {
		return nil
	}
	if err := a.o.End(ctx, end); err != nil {
		g.Note("not recorded: " + err.Error())
	}
	return told
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
func userOf(r Request) string { return cmp.Or(r.User, "unknown") }

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
