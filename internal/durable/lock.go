package durable

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gofrs/flock"
)

// lockPoll is how often a waiting Lock asks again. Appends hold the lock for a
// few milliseconds, so a short interval keeps 32 writers from starving.
const lockPoll = 2 * time.Millisecond

// Lock takes the exclusive advisory lock on the file at path, which it makes
// when it is not there, and waits for at most limit. The kernel releases the
// lock when the process dies, however it dies; the file itself stays.
func Lock(ctx context.Context, path string, limit time.Duration) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	l := flock.New(path, flock.SetPermissions(0o600))
	ok, err := l.TryLockContext(ctx, lockPoll)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("lock %q: another process has held it for %s", path, limit)
	}
	if err != nil {
		return nil, fmt.Errorf("lock %q: %w", path, Cause(err))
	}
	if !ok {
		return nil, fmt.Errorf("lock %q: not granted", path)
	}
	return func() { _ = l.Close() }, nil
}
