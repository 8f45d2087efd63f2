package fake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Step is a moment of a process: right before it does something, or right after.
type Step struct {
	Name  string // "snapshot", "begin", "volume shop_data" …
	N     int    // the how manieth of its name, from 1
	After bool
}

// String is "before snapshot 2".
func (s Step) String() string {
	when := "before"
	if s.After {
		when = "after"
	}
	return fmt.Sprintf("%s %s %d", when, s.Name, s.N)
}

// Errors that calls return where a test wants them to.
var (
	ErrFailed = errors.New("it failed on purpose")
	errKilled = errors.New("the process was killed")
)

// Process is one run of the program. It is the engine, Compose and the recorder
// as this run sees them.
type Process struct {
	*World
	Signals chan os.Signal
	// Loose: what it records is not only volumes of the engine.
	Loose bool
	// At is called at every step, by several goroutines if need be. With an error
	// the call fails: before, it then has no effect; after, it has had it. nil
	// does nothing.
	At func(context.Context, Step) error

	step   sync.Mutex // guards the next three
	count  map[string]int
	steps  []Step
	killed bool

	// The rest is guarded by World.mu.
	began   int             // when it was started
	look    int             // when it looked at the engine last
	ran     map[string]bool // ids of containers that ran at a look
	running map[string]bool // at the last one
	op      *operation      // that it performs
	helped  bool            // a helper may be left, since a call failed
	removed int             // containers and networks
	excused bool            // a start of containers failed on purpose
	aside   map[string]bool // volumes that it set aside, and has not put back
	unsure  bool            // an event was written, and its process was told that it failed
	mute    bool            // an event could not be written
}

// operation is one that a process performs.
type operation struct {
	id      string
	pending audit.Event
	outcome *audit.Event
	durable bool // the process was told that an event is in the log
	look    int  // when was looked at what pending names
	by      *Process
	from    int // when the process began that performs it
	to      int // when the outcome was written
}

// Process begins one.
func (w *World) Process() *Process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &Process{World: w, began: w.next(), Signals: make(chan os.Signal, 1), count: map[string]int{}, ran: map[string]bool{}}
}

// Do is one step with what it does, which other hands cannot get in between.
func (p *Process) Do(ctx context.Context, name string, effect func() error) error {
	p.step.Lock()
	p.count[name]++
	s := Step{Name: name, N: p.count[name]}
	p.step.Unlock()
	if err := p.at(ctx, s); err != nil {
		return err
	}
	p.World.mu.Lock()
	err := effect()
	p.World.mu.Unlock()
	if err != nil {
		return err
	}
	s.After = true
	return p.at(ctx, s)
}

func (p *Process) at(ctx context.Context, s Step) error {
	p.step.Lock()
	p.steps = append(p.steps, s)
	killed := p.killed
	p.step.Unlock()
	if killed {
		return errKilled
	}
	var err error
	if p.At != nil {
		err = p.At(ctx, s)
	}
	switch {
	case p.Killed():
		return errKilled
	case err != nil:
		return err
	}
	return ctx.Err()
}

// Steps are those so far.
func (p *Process) Steps() []Step {
	p.step.Lock()
	defer p.step.Unlock()
	return slices.Clone(p.steps)
}

// Kill ends the process: nothing that it does from now on has any effect.
func (p *Process) Kill() {
	p.step.Lock()
	defer p.step.Unlock()
	p.killed = true
}

// Killed reports whether it was.
func (p *Process) Killed() bool {
	p.step.Lock()
	defer p.step.Unlock()
	return p.killed
}

// Signal sends a signal, and waits until it has arrived, as far as it matters to
// what is done with ctx.
func (p *Process) Signal(ctx context.Context, sig os.Signal) {
	select {
	case p.Signals <- sig:
	default: // one is enough
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Second):
	}
}

// mayDestroy fails the test when the process must not destroy a volume now.
func (p *Process) mayDestroy(v *Volume) {
	p.T.Helper()
	o := p.op
	switch {
	case o == nil || !o.durable:
		p.T.Errorf("volume %s was destroyed without a durable pending event", v.Name)
	case o.outcome != nil:
		p.T.Errorf("volume %s was destroyed after the outcome", v.Name)
	case v.Birth > o.look: // made later: it could not be seen
	case v.Labels[inventory.LabelProtect] == "true" && !slices.Contains(details(o.pending).Unprotected, v.Name):
		p.T.Errorf("volume %s was destroyed, and is protected", v.Name)
	case slices.Contains(o.pending.DataAffected, v.Name):
	case !details(o.pending).asks(v.Name):
		p.T.Errorf("volume %s was destroyed, and the pending event does not name it: %q", v.Name, o.pending.DataAffected)
	}
}

// Destroyed are the volumes that the process destroyed.
func (p *Process) Destroyed() (out []Destroyed) {
	for _, d := range p.World.Destroyed() {
		if d.By == p {
			out = append(out, d)
		}
	}
	return out
}
