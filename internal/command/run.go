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
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// The exit codes of a command that cannot be started, as shells have them.
const (
	exitNotFound     = 127
	exitNotStartable = 126
)

// Run is one audited command.
type Run struct {
	Argv    []string
	Affects []string // what it destroys, by name alone
	Targets Targets
	Entry   teardown.Entry

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
}

// Do records, runs and records. It returns the command's own exit code, or
// 128+n when signal n ended it. An error is a *teardown.Fault, and says why the
// command was not run.
func (r *Run) Do(ctx context.Context) (int, error) {
	before, err := look(ctx, r.Targets, r.Engine)
	if err != nil {
		return 0, &teardown.Fault{Err: err, Code: teardown.ExitFailed}
	}
	details := &r.Entry.Details
	details.Command, details.RecordedBy = r.Argv, "run"
	details.Dir, details.Resources = r.Dir, before.resources
	going := slices.Clone(r.Affects)
	for _, res := range before.resources {
		if res.Kind == teardown.KindPath || res.Kind == teardown.KindVolume {
			going = append(going, res.Name)
		}
	}
	if err := r.Entry.Pend(ctx, going); err != nil {
		return 0, err
	}
	// A crash from here on leaves a pending event without an outcome.
	code, signal, err := r.child()
	details.ExitCode = &code
	if signal != 0 {
		details.Signal = teardown.SignalName(signal)
	}
	if err != nil {
		details.Error = err.Error()
	}
	outcome, lost := r.judge(details, before, code, signal)
	if err := r.Entry.End(ctx, outcome, lost); err != nil {
		r.Entry.Note(fmt.Sprintf("the outcome could not be recorded: %v; ccdestroy record --id %s --outcome %s makes up for it", err, r.Entry.ID, outcome))
	}
	if err != nil {
		return code, &teardown.Fault{Err: err, Code: code}
	}
	return code, nil
}

// child runs the command with our terminal. signal is the one that ended it, or
// that reached us first and that it did not outlive well.
func (r *Run) child() (code int, signal syscall.Signal, err error) {
	cmd := exec.Command(r.Argv[0], r.Argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = r.Dir, r.Env, r.Stdin, r.Stdout, r.Stderr
	if err := cmd.Start(); err != nil {
		code := exitNotStartable
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			code = exitNotFound
		}
		return code, 0, fmt.Errorf("start %q: %w", r.Argv[0], err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var first syscall.Signal
	for {
		select {
		case sig := <-r.Signals:
			if n, ok := sig.(syscall.Signal); ok && first == 0 {
				first = n
			}
			if !r.Shared(sig) {
				_ = cmd.Process.Signal(sig) // already gone: nothing to signal
			}
		case <-ended:
			if by := endedBy(cmd.ProcessState); by != 0 {
				return 128 + int(by), by, nil
			}
			code := cmd.ProcessState.ExitCode()
			if code == 0 {
				first = 0 // it outlived the signal well
			}
			return code, first, nil
		}
	}
}

// destroys reports whether the operation means to remove its targets, so that
// what is left of them decides on the outcome.
func destroys(operation string) bool { return operation == audit.Destroy || operation == audit.Prune }

// judge looks again and says how it ended.
func (r *Run) judge(d *teardown.Details, before seen, code int, signal syscall.Signal) (audit.Outcome, []string) {
	outcome := audit.Success
	switch {
	case signal != 0:
		outcome = audit.Cancelled
	case code != 0:
		outcome = audit.Failed
	}
	after, err := look(context.Background(), r.Targets, r.Engine)
	if err != nil {
		d.Error = fmt.Sprintf("cannot tell what was destroyed: %v", err)
		return audit.Pending, nil
	}
	d.Resources = compare(before, after, r.Engine != nil && r.Engine.StableCreated())
	lost, gone, left := []string{}, 0, 0
	for _, res := range d.Resources {
		if res.Result == teardown.Remained {
			left++
			d.Remaining = append(d.Remaining, res.String())
			continue
		}
		gone++
		if res.Size != nil {
			d.LostBytes += res.Size.Bytes
		}
		if res.Kind == teardown.KindPath || res.Kind == teardown.KindVolume {
			lost = append(lost, res.Name)
		}
	}
	switch {
	case !destroys(r.Entry.Operation) || gone+left == 0:
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
	return outcome, lost
}
