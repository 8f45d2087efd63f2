// Package year makes stores of sealed days, of a year for example, with realistic
// events: what benchmarks of reading take. The packs and seals are the product's own;
// the events they are made of are in memory alone, as if their objects had expired.
package year

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/logs"
	"github.com/contextcore/ccdestroy/internal/store"
)

// Options say what store to make. The same options make the same events.
type Options struct {
	Dir    string    // where its keys begin, on the disk of a server
	First  time.Time // its first day
	Days   int
	Events int // of a day, nearly: some operations are cut off
	Key    store.Signer
	Loose  bool // the objects of the events alone, which can be sealed then
}

// perLog is how many events a runner records before it is thrown away.
const perLog = 10

// Write makes the packs, the indexes and the seals, one day after the other.
func Write(ctx context.Context, o Options) error {
	days := make(chan *bucket, 1)
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error {
		defer close(days)
		for n := range o.Days {
			b, err := o.day(n)
			if err != nil {
				return err
			}
			select {
			case days <- b:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	work.Go(func() error {
		for b := range days {
			if o.Loose {
				if err := b.loose(ctx); err != nil {
					return err
				}
				continue
			}
			s := store.Sealer{Bucket: b, Key: o.Key, Now: b.day.AddDate(0, 0, 2)}
			done, err := s.Seal(ctx)
			if err != nil || len(done.Wrong) > 0 || done.Lines != len(b.keys) {
				return fmt.Errorf("seal %s: %+v, %w", b.day.Format(time.DateOnly), done, err)
			}
		}
		return nil
	})
	return work.Wait()
}

// day makes the events of the n-th day.
func (o Options) day(n int) (*bucket, error) {
	b := &bucket{dir: o.Dir, day: o.First.AddDate(0, 0, n), lines: map[string][]byte{}}
	rnd := rand.New(rand.NewPCG(uint64(n), 2))
	runners := make([]map[string][]byte, o.Events/perLog)
	work := new(errgroup.Group)
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i := range runners {
		const pace = 10 * time.Minute // the last operation ends on the same day
		from := b.day.Add(time.Duration(rnd.Int64N(int64(22 * time.Hour)))).Truncate(time.Microsecond)
		work.Go(func() (err error) {
			runners[i], err = runner(logs.Options{
				Seed: uint64(n)<<32 + uint64(i), Bytes: 1 << 30, Events: perLog, Log: fmt.Sprintf("RUNNER%010dX%09d", n, i), From: from, Pace: pace,
			})
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	for _, lines := range runners {
		for key, line := range lines {
			b.lines[key], b.keys = line, append(b.keys, key)
		}
	}
	slices.Sort(b.keys)
	return b, nil
}

// runner makes the events of one log, by key.
func runner(o logs.Options) (map[string][]byte, error) {
	var all bytes.Buffer
	if err := logs.Write(&all, o); err != nil {
		return nil, err
	}
	lines := map[string][]byte{}
	for line := range bytes.Lines(all.Bytes()) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		e, err := audit.Parse(line)
		if err != nil {
			return nil, err
		}
		k, err := store.KeyOf(e, line)
		if err != nil {
			return nil, err
		}
		lines[k.String()] = line
	}
	return lines, nil
}
