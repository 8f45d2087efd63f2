package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Sealer packs finished days and seals the packs. Several may run at once: each object
// can be created only once, and whoever loses that race starts again from what is there.
type Sealer struct {
	Bucket Bucket
	Key    Signer
	Old    Keys      // former keys, whose seals count as well
	Now    time.Time // a day is finished an hour after its end
	Days   int       // how many days back to look for what came late; 0 is all of them
	Memory Memory    // of the newest seal seen here
}

// finishedAfter is how long after its end a day is packed. What comes later still
// goes into a pack of its own.
const finishedAfter = time.Hour

// mostLost is how often another sealer may win the race for the same day. A server that
// says that a key is taken, and does not have the object, would otherwise keep us trying
// for ever.
const mostLost = 20

// Sealed is what a call has done.
type Sealed struct {
	Packs, Lines int
	Seal         int64 // number of the newest seal; 0 is none
	// Wrong are objects that were not sealed since they are not what they should be.
	Wrong []audit.Finding
}

// Seal seals all finished days.
//
// For each pack it creates the pack, its index and then the seal, which is what
// counts. A crash before that leaves a pack, or both, that nothing names, and the
// next call goes on with them.
func (s *Sealer) Seal(ctx context.Context) (done Sealed, err error) {
	state, err := s.state(ctx)
	if err != nil {
		return done, err
	}
	defer func() {
		if last := state.last(); last != nil {
			done.Seal = last.Seal
		}
	}()
	days, err := s.days(ctx)
	if err != nil {
		return done, err
	}
	for _, day := range days {
		if err := s.day(ctx, state, day, &done); err != nil {
			return done, fmt.Errorf("seal %s: %w", day.Format(dayLayout), err)
		}
	}
	return done, s.Memory.note(s.Bucket, state.last())
}

// state are all seals of a store.
type state struct{ seals []*Seal }

func (s *state) last() *Seal {
	if len(s.seals) == 0 {
		return nil
	}
	return s.seals[len(s.seals)-1]
}

// packs are the packs of a day that are sealed, by key.
func (s *state) packs(day time.Time) map[string]*Seal {
	found := map[string]*Seal{}
	for _, seal := range s.seals {
		if strings.HasPrefix(seal.Pack, packsDir+dayDir(day)) {
			found[seal.Pack] = seal
		}
	}
	return found
}

// state reads the seals. Nothing is built on a chain that is not whole: each seal must be
// there, be signed, and name the one before. Otherwise the error is a *BrokenError.
func (s *Sealer) state(ctx context.Context) (*state, error) {
	keys := append(Keys{s.Key.Verifier}, s.Old...)
	seals, findings, err := readSeals(ctx, s.Bucket, keys)
	if err != nil {
		return nil, err
	}
	remembered, err := s.Memory.check(s.Bucket, seals)
	if err != nil {
		return nil, err
	}
	for _, f := range append(findings, remembered...) {
		return nil, &BrokenError{f}
	}
	return &state{seals}, nil
}

// days are the finished days that have events, the oldest first.
func (s *Sealer) days(ctx context.Context) (days []time.Time, err error) {
	dirs, err := s.Bucket.Dirs(ctx, EventsDir)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		day, ok := dayOf(dir)
		end := day.AddDate(0, 0, 1)
		if ok && !s.Now.Before(end.Add(finishedAfter)) && (s.Days == 0 || s.Now.Before(end.AddDate(0, 0, s.Days))) {
			days = append(days, day)
		}
	}
	return days, nil
}

// day packs and seals what is not sealed yet of one day.
func (s *Sealer) day(ctx context.Context, state *state, day time.Time, done *Sealed) error {
	for lost := 0; ; {
		open, more, err := s.open(ctx, state, day, done)
		if err != nil || len(open) == 0 {
			return err
		}
		n := done.Lines
		err = s.pack(ctx, state, day, open, done)
		if errors.Is(err, ErrExists) && lost < mostLost { // another one was faster: go on from where it is
			lost++
			again, err := s.state(ctx)
			if err != nil {
				return err
			}
			*state = *again
			continue
		}
		if err != nil {
			return err
		}
		if all := done.Lines-n == len(open); all && !more { // else it was a pack that was left behind
			return nil
		}
	}
}
