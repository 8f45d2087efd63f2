package provider

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/record"
)

// Leave starts a process that outlives Compose and records the outcome of an
// operation. It inherits the held files: the locks of the operation.
type Leave func(id, log string, call Caller, held []*os.File) error

// LeaveFinisher starts this program again, in a session of its own.
func LeaveFinisher(dir string, env []string) Leave {
	return func(id, log string, call Caller, held []*os.File) error {
		args := []string{"compose", "finish", "--id", id, "--log", log, "--pid", strconv.Itoa(call.PID), "--started", actor.StartOf(call.PID)}
		if call.Args.Host != "" {
			args = append(args, "--host", call.Args.Host)
		}
		if call.Args.Context != "" {
			args = append(args, "--context", call.Args.Context)
		}
		return Start(dir, env, held, args...)
	}
}

// How often the finisher looks for Compose's end, how often it tries an engine that
// does not answer, and how long it goes on after a signal. Compose may have got that too,
// and ends; or Compose has ended, and a CI runner sweeps up while the finisher looks.
const (
	finishPoll  = 50 * time.Millisecond
	finishTries = 12
	lastMoment  = 5 * time.Second
)

// Finish is the part of the process that was left behind.
type Finish struct {
	Book    *record.Book
	ID      string
	PID     int    // of Compose
	Started string // when it was; "" where that cannot be seen
	Signals <-chan os.Signal
}

// Do waits for Compose's end, looks, and records the outcome. Where it cannot, or a
// signal ends it first, the operation stays unfinished, and whoever comes next settles it:
// not before Compose's end.
func (f Finish) Do(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f.finish(ctx) }()
	select {
	case err := <-done:
		return err
	case sig := <-f.Signals:
		defer time.AfterFunc(lastMoment, cancel).Stop()
		if err := <-done; err != nil {
			return fault.StoppedBy(sig, f.ID+" stays unfinished: "+err.Error())
		}
		return nil
	}
}

func (f Finish) finish(ctx context.Context) error {
	for !f.gone() {
		if err := pause(ctx, finishPoll); err != nil {
			return err
		}
	}
	o, err := f.Book.Adopt(f.ID)
	if err != nil || o == nil {
		return err
	}
	defer o.Close()
	for try := range finishTries {
		if err = f.Book.SettleBeside(ctx, o); err == nil || pause(ctx, time.Duration(try)*time.Second) != nil {
			break
		}
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (f Finish) gone() bool {
	if f.Started != "" {
		return actor.StartOf(f.PID) != f.Started
	}
	return !actor.Runs(f.PID)
}
