package record

import (
	"context"
	"errors"
	"fmt"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// halfway is a recorder that fails; written says whether the event is in the log
// all the same.
type halfway struct {
	log     *audit.Log
	written bool
}

func (h halfway) Begin(ctx context.Context, e audit.Event, _ int64) (audit.Head, error) {
	if h.written {
		if _, err := h.log.Begin(ctx, e, 0); err != nil {
			return audit.Head{}, err
		}
	}
	return audit.Head{}, errors.New("sync: input/output error")
}

func (h halfway) Append(ctx context.Context, e audit.Event, room int64) (audit.Head, error) {
	return h.Begin(ctx, e, room)
}

func (h halfway) Check(context.Context) error { return nil }

// afterwards is a recorder after whose first events something happens.
type afterwards struct {
	*audit.Log
	then func()
}

func (a afterwards) Begin(ctx context.Context, e audit.Event, _ int64) (audit.Head, error) {
	defer a.then()
	return a.Log.Begin(ctx, e, 0)
}

// limited is a recorder whose disk is full after so many events.
type limited struct {
	*audit.Log
	left int
}

func (l *limited) Begin(ctx context.Context, e audit.Event, _ int64) (audit.Head, error) {
	if l.left--; l.left < 0 {
		return audit.Head{}, errors.New("disk full")
	}
	return l.Log.Begin(ctx, e, 0)
}

// headless is a recorder that writes, and cannot note the head.
type headless struct{ *audit.Log }

func (h headless) Begin(ctx context.Context, e audit.Event, _ int64) (audit.Head, error) {
	head, err := h.Log.Begin(ctx, e, 0)
	if err == nil {
		err = fmt.Errorf("%w: no home", audit.ErrHead)
	}
	return head, err
}
