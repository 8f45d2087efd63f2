package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"
)

// parallel is how many requests are under way at once.
const parallel = 16

// errFork says that the store holds something else under the key of a line.
var errFork = errors.New("the store holds something else in the place of this line")

// Objects is the Sink that makes an object of each line.
type Objects struct{ Bucket Putter }

// Name is part of Sink: the address of the store, and of a server that is not
// Amazon's.
func (o Objects) Name() string { return fmt.Sprint(o.Bucket) }

// Send is part of Sink. The lines are written in parallel and in no order: a crash can
// leave a gap before some of them, until they are sent again.
func (o Objects) Send(ctx context.Context, lines []Line) (sent int, err error) {
	done := make([]bool, len(lines))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(parallel)
	for i, line := range lines {
		work.Go(func() error {
			err := o.put(ctx, line)
			done[i] = err == nil
			return err
		})
	}
	err = work.Wait()
	for sent < len(done) && done[sent] {
		sent++
	}
	return sent, err
}

func (o Objects) put(ctx context.Context, line Line) error {
	key, err := KeyOf(line.Event, line.Bytes)
	if err != nil {
		return err
	}
	// A server can refuse a key for a write that is still under way, and not have the
	// object yet: then it is asked again.
	for {
		err := o.Bucket.Put(ctx, key.String(), line.Bytes)
		if errors.Is(err, ErrExists) {
			err = o.same(ctx, key.String(), line.Bytes)
		}
		if !errors.Is(err, ErrNotThere) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(firstWait):
		}
	}
}

// same makes sure that an object that is there is the line, as far as we may read
// it. Its key has the sum of the line: it is the same unless somebody put something
// else there on purpose, which whoever verifies the store finds as well.
func (o Objects) same(ctx context.Context, key string, line []byte) error {
	reader, may := o.Bucket.(Getter)
	if !may {
		return nil
	}
	body, err := reader.Get(ctx, key)
	if errors.Is(err, ErrDenied) {
		return nil
	}
	if err != nil {
		return err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, int64(len(line))+1))
	if err != nil {
		return err
	}
	if !bytes.Equal(data, line) {
		return fmt.Errorf("%s: %w", key, errFork)
	}
	return nil
}
