package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"syscall"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// The exit codes of a command that cannot be started, as shells have them.
const (
	exitNotFound     = 127
	exitNotStartable = 126
)

// Run is one audited command.
type Run struct {
	Book       *record.Book
	Operation  string
	Argv       []string
	Affects    []string // what it destroys, known only by name
	Targets    Targets
	ExportPath string
	Reason     string

	Engine Engine // nil when no target needs it
	Dir    string
	Env    []string
	Stdin  *os.File
	Stdout *os.File
	Stderr *os.File
	// Signals are passed on to the command, but for those in Shared: the
	// terminal has sent them to the command as well.
	Signals <-chan os.Signal
	Shared  func(os.Signal) bool

	engine inventory.Engine
	before seen
	code   int
}

// Do records, runs and records. It returns the command's own exit code, or
// 128+n when signal n ended it. An error is a *fault.Fault, and says why the
// command was not run.
func (r *Run) Do(ctx context.Context) (int, error) {
	o, end, unrecorded, err := record.Life{Book: r.Book, Operation: r.Operation, Signals: r.Signals, Details: r.describe}.Run(ctx, r)
	if err != nil {
		return fault.AsFault(err).Code, err
	}
	if unrecorded != nil {
		r.Book.Note(fmt.Sprintf("the outcome could not be recorded: %v. To make up for it: %s", unrecorded, r.Book.Command("record", "--id", o.ID, "--outcome", string(end.Outcome))))
	}
	var unstarted *startError
	if errors.As(end.Err, &unstarted) {
		return r.code, &fault.Fault{Err: end.Err, Code: r.code}
	}
	if unrecorded == nil && r.code == 0 && (end.Outcome == audit.Failed || end.Outcome == audit.Partial) {
		r.Book.Note(fmt.Sprintf("the command exits with 0, but what it was to destroy is not all gone, and so it is recorded as %s: %s",
			end.Outcome, r.Book.Command("audit", "show", o.ID)))
	}
	return r.code, nil
}

func (r *Run) describe(d *record.Details) {
	d.Command, d.RecordedBy, d.Dir, d.Why = r.Argv, "run", r.Dir, r.Reason
}

// Look finds out what of the targets is there.
func (r *Run) Look(ctx context.Context) (inv inventory.Inventory, err error) {
	inv.Dir = r.Dir
	if r.Engine != nil {
		if r.engine, err = r.Engine.Describe(ctx); err != nil {
			return inv, err
		}
		inv.Engine = r.engine
	}
	r.before, err = look(ctx, r.Targets, r.Engine)
	inv.Resources = r.before.resources
	return inv, err
}

// Agree says what is about to go. Nobody is asked: the command may do so.
func (r *Run) Agree(_ context.Context, o *record.Operation, _ []inventory.Change) (ready bool, err error) {
	o.ExportPath = r.ExportPath
	o.About = slices.Clone(r.Affects)
	for _, res := range r.before.resources {
		if res.Kind == inventory.KindPath || res.Kind == inventory.KindVolume {
			o.About = append(o.About, res.Name)
		}
	}
	return true, nil
}

// Act runs the command. A crash in it leaves a pending event without an outcome.
func (r *Run) Act(_ context.Context, o *record.Operation, signals <-chan os.Signal) record.Ended {
	code, signal, err := r.child(o.Held(), signals)
	r.code, o.Details.ExitCode = code, &code
	if signal != 0 {
		o.Details.Signal = fault.SignalName(signal)
	}
	end := r.judge(o, code, signal)
	if err != nil {
		end.Err = err
	}
	return end
}

// startError is why the command could not be started.
type startError struct {
	name  string
	cause error
}

func (e *startError) Error() string { return fmt.Sprintf("start %q: %v", e.name, e.cause) }

// child runs the command with our terminal. signal is the one that ended it, or
// that reached us first and that it did not survive successfully.
func (r *Run) child(held []*os.File, signals <-chan os.Signal) (code int, signal syscall.Signal, err error) {
	cmd := exec.Command(r.Argv[0], r.Argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = r.Dir, r.Env, r.Stdin, r.Stdout, r.Stderr
	durable.Inherit(cmd, held)
	if err := cmd.Start(); err != nil {
		code := exitNotStartable
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			code = exitNotFound
		}
		return code, 0, &startError{r.Argv[0], err}
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var first syscall.Signal
	for {
		select {
		case sig := <-signals:
			if n, ok := sig.(syscall.Signal); ok && first == 0 {
				first = n
			}
			if !r.Shared(sig) {
				passOn(cmd.Process, sig)
			}
		case <-ended:
			if by := endedBy(cmd.ProcessState); by != 0 {
				return 128 + int(by), by, nil
			}
			code := cmd.ProcessState.ExitCode()
			if code == 0 {
				first = 0 // it survived the signal and succeeded
			}
			return code, first, nil
		}
	}
}

// destroys reports whether the operation means to remove its targets, so that
// what is left of them decides on the outcome.
func destroys(operation string) bool { return operation == audit.Destroy || operation == audit.Prune }

// judge looks again and says how it ended.
func (r *Run) judge(o *record.Operation, code int, signal syscall.Signal) record.Ended {
	d, outcome := &o.Details, audit.Success
	switch {
	case signal != 0:
		outcome = audit.Cancelled
	case code != 0:
		outcome = audit.Failed
	}
	after, err := look(context.Background(), r.Targets, r.Engine)
	if err != nil {
		return record.Ended{Outcome: audit.Pending, Affected: o.About, Err: fmt.Errorf("cannot tell what was destroyed: %w", err)}
	}
	d.Resources = compare(r.before, after, r.engine)
	lost, gone, left := []string{}, 0, 0
	for _, res := range d.Resources {
		if res.Result == inventory.Remained || res.Result == inventory.Unknown {
			left++
			d.Remaining = append(d.Remaining, res.String())
			continue
		}
		gone++
		if res.Size != nil {
			d.LostBytes += res.Size.Bytes
		}
		if res.Kind == inventory.KindPath || res.Kind == inventory.KindVolume {
			lost = append(lost, res.Name)
		}
	}
	switch {
	case !destroys(r.Operation) || gone+left == 0:
		d.Remaining = nil
	case left == 0:
		outcome = audit.Success
	case gone > 0:
		outcome = audit.Partial
	case outcome == audit.Success:
		outcome = audit.Failed
	}
	if outcome == audit.Success {
		lost = append(slices.Clone(r.Affects), lost...)
	}
	return record.Ended{Outcome: outcome, Affected: lost}
}
