package transport

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestTry(t *testing.T) {
	busy, refused := errors.New("busy"), errors.New("refused")
	p := Patience{Limit: 30 * time.Second, First: time.Second, Longest: 4 * time.Second}
	for name, c := range map[string]struct {
		answers []error // the last one stays
		after   time.Duration
		want    error
		calls   int
		most    time.Duration // that it may take
	}{
		"well":            {[]error{nil}, 0, nil, 1, 0},
		"busy at first":   {[]error{busy, busy, nil}, 0, nil, 3, 3 * time.Second},
		"refused":         {[]error{refused}, 0, refused, 1, 0},
		"busy, refused":   {[]error{busy, refused}, 0, refused, 2, time.Second},
		"later":           {[]error{busy, nil}, 20 * time.Second, nil, 2, 20 * time.Second},
		"later than that": {[]error{busy, nil}, time.Minute, busy, 1, 0},
		"hung at last":    {[]error{busy, context.DeadlineExceeded}, 0, busy, 2, 30 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			begun, calls := time.Now(), 0
			err := p.Try(t.Context(), func(ctx context.Context) error {
				err := c.answers[min(calls, len(c.answers)-1)]
				calls++
				if errors.Is(err, context.DeadlineExceeded) {
					<-ctx.Done()
				}
				return err
			}, func(err error) (bool, time.Duration) { return !errors.Is(err, refused), c.after })
			if took := time.Since(begun); !errors.Is(err, c.want) || calls != c.calls || took > c.most {
				t.Errorf("%s: %v after %d calls and %s", name, err, calls, took)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // a signal
		defer cancel()
		calls := 0
		err := p.Try(ctx, func(context.Context) error { calls++; return busy }, func(error) (bool, time.Duration) { return true, 0 })
		if !errors.Is(err, busy) || calls < 2 {
			t.Errorf("%v after %d calls", err, calls)
		}
	})
}
