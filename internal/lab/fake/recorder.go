package fake

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Recorder appends to the world's log.
type Recorder struct{ *Process }

// Recorder is the process's own.
func (p *Process) Recorder() Recorder { return Recorder{p} }

// Begin records the first event of an operation.
func (r Recorder) Begin(ctx context.Context, e audit.Event, _ int64) (audit.Head, error) {
	return r.write(ctx, "begin", e)
}

// Append records a later one.
func (r Recorder) Append(ctx context.Context, e audit.Event, _ int64) (audit.Head, error) {
	return r.write(ctx, "append", e)
}

// Check finds out whether an event would be refused.
func (r Recorder) Check(ctx context.Context) error {
	return r.Do(ctx, "check", func() error { return nil })
}

func (r Recorder) write(ctx context.Context, how string, e audit.Event) (h audit.Head, err error) {
	err = r.Do(ctx, how, func() (err error) {
		r.T.Helper()
		switch {
		case r.over(e.ID):
			r.T.Errorf("an event of %s %s follows its outcome: %s", e.Operation, e.ID, e.Outcome)
		case how == "begin" && r.operations[e.ID] != nil:
			r.T.Errorf("%s of %s %s, and begun is %t", how, e.Operation, e.ID, r.operations[e.ID] != nil)
		}
		append := r.Log.Append
		if how == "begin" {
			append = r.Log.Begin
		}
		if h, err = append(context.WithoutCancel(ctx), e, 0); err != nil {
			return err
		}
		r.note(how, e)
		return nil
	})
	r.World.mu.Lock()
	defer r.World.mu.Unlock()
	if err != nil {
		r.tried[e.ID], r.mute = true, true
		r.unsure = r.unsure || h != audit.Head{}
	}
	if r.op != nil && r.op.id == e.ID && err == nil {
		r.op.durable = true
	}
	return h, err
}

// note remembers what an operation has said.
func (r Recorder) note(how string, e audit.Event) {
	if r.operations[e.ID] == nil {
		r.op = &operation{id: e.ID, by: r.Process, from: r.began}
		r.operations[e.ID] = r.op
	}
	o := r.operations[e.ID] // of this process, or one that it settles
	if e.Outcome == audit.Pending {
		for _, id := range details(e).Stopped {
			if !r.running[id] && !slices.Contains(details(o.pending).Stopped, id) {
				r.T.Errorf("container %s is said to run, and did not at the last look", id)
			}
		}
		o.pending, o.look = e, r.look
		return
	}
	o.outcome, o.to = &e, r.next()
}

// detailed is what is read of an event's details.
type detailed struct {
	Unprotected []string             `json:"unprotected"`
	Resources   []inventory.Resource `json:"resources"`
	Stopped     []string             `json:"stopped"`
	Signal      string               `json:"signal"`
	Kept        []kept               `json:"kept"`
}

type kept struct {
	Name string `json:"name"`
}

func (d detailed) keeps(volume string) bool { return slices.Contains(d.Kept, kept{volume}) }

func details(e audit.Event) (d detailed) {
	_ = json.Unmarshal(e.Details, &d) // the flow made it
	return d
}

// asks reports whether the command means to remove a volume.
func (d detailed) asks(volume string) bool {
	return slices.ContainsFunc(d.Resources, func(r inventory.Resource) bool {
		return r.Kind == inventory.KindVolume && r.Name == volume && r.Asked
	})
}
