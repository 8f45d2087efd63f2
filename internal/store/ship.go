package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Line is a chained line of a log.
type Line struct {
	Event audit.Event
	Bytes []byte // exactly, without the LF
}

// Sink is a place that lines are copied to.
type Sink interface {
	// Name tells it from other sinks in messages and in the name of its cursor, and
	// holds no secret.
	Name() string
	// Send copies lines of one log, in their order. The first sent of them are
	// durable there, also when err says why the others are not. A line that is there
	// already counts as sent. It tries again, where that can help, until ctx ends.
	Send(ctx context.Context, lines []Line) (sent int, err error)
}

// Shipper copies the lines of a log to a sink, each after those before it.
type Shipper struct {
	Log   *audit.Log
	Sink  Sink
	State string // directory of the cursors; "" keeps none: all is sent each time
	Alone bool   // wait until no other process of this account ships the log to the sink
}

// Shipped is what a call has done.
type Shipped struct {
	Lines  int // sent now
	Passed int // lines that are not chained, and are only in the log
}

// batch is how many lines are sent at once, and how many bytes at most, if more than
// one.
const (
	batchLines = 256
	batchBytes = 4 << 20
)

// Ship sends what the cursor has not passed, in all segments of the log that are
// there. The cursor moves behind what is sent, after it was sent: a crash repeats
// the last batch at most. Without a log there is nothing to send.
func (s *Shipper) Ship(ctx context.Context) (done Shipped, err error) {
	cursor := s.cursor()
	if s.Alone {
		unlock, err := cursor.lock(ctx)
		if err != nil {
			return done, fmt.Errorf("ship to %s: %w", s.Sink.Name(), err)
		}
		defer unlock()
	}
	var lines []Line
	var marks []audit.Mark // behind each of them
	var size int
	var failed error // of the sink: whatever it is, it is not about the log
	flush := func() error {
		if len(lines) == 0 {
			return nil
		}
		var sent int
		sent, failed = s.Sink.Send(ctx, lines)
		done.Lines += sent
		if sent > 0 {
			cursor.set(marks[sent-1])
		}
		lines, marks, size = nil, nil, 0
		return failed
	}
	passed, err := s.Log.After(cursor.get(), func(e audit.Event, line []byte, mark audit.Mark) error {
		lines, marks, size = append(lines, Line{e, line}), append(marks, mark), size+len(line)
		if len(lines) < batchLines && size < batchBytes {
			return nil
		}
		return flush()
	})
	done.Passed = passed
	if err == nil {
		err = flush()
	}
	switch {
	case failed != nil:
		return done, fmt.Errorf("ship to %s: %w", s.Sink.Name(), failed)
	case errors.Is(err, fs.ErrNotExist): // there is no log
		return done, nil
	}
	return done, err
}
