package provider

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/contextcore/ccdestroy/internal/actor"
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

// How often the finisher looks for Compose's end, and how often it tries an
// engine that does not answer.
const (
	finishPoll  = 50 * time.Millisecond
	finishTries = 12
)

// Finish is the part of the process that was left behind.
type Finish struct {
	Book    *record.Book
	ID      string
	PID     int    // of Compose
	Started string // when it was; "" where that cannot be seen
}

// Do waits for Compose's end, looks, and records the outcome. Where it cannot,
// the operation stays unfinished, and whoever comes next settles it.
func (f Finish) Do(ctx context.Context) error {
	for !f.gone() {
		time.Sleep(finishPoll)
	}
	o, err := f.Book.Adopt(f.ID)
	if err != nil || o == nil {
		return err
	}
	for try := range finishTries {
		if err = f.Book.SettleBeside(ctx, o); err == nil {
			break
		}
		time.Sleep(time.Duration(try) * time.Second)
	}
	o.Close()
	return err
}

func (f Finish) gone() bool {
	if f.Started != "" {
		return actor.StartOf(f.PID) != f.Started
	}
	return !processRuns(f.PID)
}
