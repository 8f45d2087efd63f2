package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// ErrNotKey says that the seals of a store are those of another key.
var ErrNotKey = errors.New("sealed with another key")

// Sealer packs finished days and seals the packs. Many may run at once, one after the
// other wins: what decides is that each object can be created once.
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

// mostLost is how often another one may be faster with the same day. A server that
// says that a key is taken and does not have it would have us try for ever.
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
		if strings.HasPrefix(seal.Pack, PacksDir+dayDir(day)) {
			found[seal.Pack] = seal
		}
	}
	return found
}

// state reads the seals. It goes on from nothing that is not whole: each seal must
// be there, signed, and name the one before.
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

// BrokenError says why the seals of a store cannot be gone on with.
type BrokenError struct{ audit.Finding }

func (e *BrokenError) Error() string { return fmt.Sprintf("%s: %s: %s", e.File, e.Class, e.Text) }

// days are the finished days that have events, the oldest first.
func (s *Sealer) days(ctx context.Context) (days []time.Time, err error) {
	dirs, err := s.Bucket.Dirs(ctx, EventsDir)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		day, ok := DayOf(dir)
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

// open are the lines of a day that no seal holds, in the order of their keys: as many
// as fit a pack, and whether there are more.
func (s *Sealer) open(ctx context.Context, state *state, day time.Time, done *Sealed) (open []sealed, more bool, err error) {
	var keys []Key
	var size int64
	had, err := s.had(ctx, state, day)
	if err != nil {
		return nil, false, err
	}
	for _, w := range done.Wrong {
		had[w.File] = true
	}
	for o, err := range s.Bucket.List(ctx, EventsDir+dayDir(day), "") {
		if err != nil {
			return nil, false, err
		}
		if had[o.Key] {
			continue
		}
		key, err := ParseKey(o.Key)
		if err != nil || o.Size > maxLine {
			done.Wrong = append(done.Wrong, audit.Finding{Class: ObjectAdded, Problem: true, File: o.Key, Text: "its name is not one that an event has"})
			continue
		}
		if more = size > packBytes; more {
			break
		}
		keys, size = append(keys, key), size+o.Size
	}
	lines, wrong, err := fetch(ctx, s.Bucket, keys)
	done.Wrong = append(done.Wrong, wrong...)
	return lines, more, err
}

// had are the keys of the lines of a day that are sealed.
func (s *Sealer) had(ctx context.Context, state *state, day time.Time) (map[string]bool, error) {
	had := map[string]bool{}
	for key, seal := range state.packs(day) {
		data, err := readAll(ctx, s.Bucket, key, packLimit)
		if err != nil {
			return nil, err
		}
		if audit.Sum(data) != seal.PackSum {
			return nil, &BrokenError{audit.Finding{Class: PackRewritten, Problem: true, File: key, Text: "it is not the one that was sealed"}}
		}
		lines, err := decodeSealed(data, day)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			had[l.Key.String()] = true
		}
	}
	return had, nil
}

// fetching is how many lines are read at once: each takes a round trip.
const fetching = 32

// fetch reads lines. Those that are not what their keys say are wrong, and left out.
func fetch(ctx context.Context, from Getter, keys []Key) (lines []sealed, wrong []audit.Finding, err error) {
	got := make([][]byte, len(keys))
	bad := make([]string, len(keys))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(fetching)
	for i, key := range keys {
		work.Go(func() (err error) {
			got[i], err = readAll(ctx, from, key.String(), maxLine)
			if errors.Is(err, ErrNotThere) {
				bad[i], err = "it vanished as it was read", nil
			} else if err == nil && !key.holds(got[i]) {
				bad[i] = "it does not hold the event that its name tells of"
			}
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, nil, err
	}
	for i, key := range keys {
		if bad[i] != "" {
			wrong = append(wrong, audit.Finding{Class: ObjectChanged, Problem: true, File: key.String(), Text: bad[i]})
			continue
		}
		lines = append(lines, sealed{key, got[i]})
	}
	return lines, wrong, nil
}

// holds reports whether a line is the one of the key.
func (k Key) holds(line []byte) bool {
	e, err := audit.Parse(line)
	if err != nil || bytes.IndexByte(line, '\n') >= 0 {
		return false
	}
	of, err := KeyOf(e, line)
	return err == nil && of == k
}

// readAll reads an object, and of one that is longer than limit a part, which is not
// what a key or a seal names: somebody who can create objects must not be able to keep
// others from reading.
func readAll(ctx context.Context, from Getter, key string, limit int64) ([]byte, error) {
	body, _, err := from.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	return data, nil
}

// pack creates a pack of lines, or goes on with one that was left behind, and seals
// it. ErrExists says that another one was faster.
func (s *Sealer) pack(ctx context.Context, state *state, day time.Time, lines []sealed, done *Sealed) error {
	key, left, err := s.place(ctx, state, day, lines)
	if err != nil {
		return err
	}
	if left != nil {
		lines = left
	}
	data, index, err := encodePack(lines)
	if err != nil {
		return err
	}
	if left == nil {
		if err := s.Bucket.Put(ctx, key, data); err != nil {
			return err
		}
	}
	// Crash: a pack that no seal names; place finds it.
	if err := s.Bucket.Put(ctx, IndexKey(key), index.bytes()); errors.Is(err, ErrExists) {
		was, unread := readAll(ctx, s.Bucket, IndexKey(key), packLimit)
		if unread != nil || !bytes.Equal(was, index.bytes()) {
			return cmp.Or(unread, err) // another one has come since place looked, which passes over it next time
		}
	} else if err != nil {
		return err
	}
	// Crash: the same, and its index.
	seal, _, err := state.last().next(s.Key.Name(), key, data, index.bytes(), lines)
	if err != nil {
		return err
	}
	object, err := seal.sign(s.Key)
	if err != nil {
		return err
	}
	if err := s.Bucket.Put(ctx, SealKey(seal.Seal), object); err != nil {
		return err
	}
	state.seals = append(state.seals, seal)
	done.Packs, done.Lines = done.Packs+1, done.Lines+len(lines)
	return nil
}

// place is the key of the next pack of a day. Where a pack lies there that was never
// sealed, and all of whose lines are to be, it is left: it is gone on with. Any other
// pack or index is passed over, and verifying tells of it.
func (s *Sealer) place(ctx context.Context, state *state, day time.Time, lines []sealed) (key string, left []sealed, err error) {
	known := state.packs(day)
	for n := 1; ; n++ {
		key := PackKey(day, n)
		if known[key] != nil {
			continue
		}
		// Before the pack, which comes first: another sealer's index has one.
		index, err := readAll(ctx, s.Bucket, IndexKey(key), packLimit)
		free := errors.Is(err, ErrNotThere)
		if err != nil && !free {
			return "", nil, err
		}
		data, err := readAll(ctx, s.Bucket, key, packLimit)
		switch {
		case errors.Is(err, ErrNotThere) && free:
			return key, nil, nil
		case errors.Is(err, ErrNotThere):
			continue
		case err != nil:
			return "", nil, err
		}
		left, of, ok := leftBehind(data, day, lines)
		if ok && (free || bytes.Equal(of, index)) {
			return key, left, nil
		}
	}
}

// leftBehind reports whether a pack is one that this program would make of some of
// the lines, and which they are, and their index.
func leftBehind(pack []byte, day time.Time, lines []sealed) (left []sealed, index []byte, ok bool) {
	left, err := decodeSealed(pack, day)
	if err != nil || len(left) == 0 {
		return nil, nil, false
	}
	for _, l := range left {
		if _, found := slices.BinarySearchFunc(lines, l.Key.String(), func(a sealed, b string) int { return strings.Compare(a.Key.String(), b) }); !found {
			return nil, nil, false
		}
	}
	again, x, err := encodePack(left)
	if err != nil || !bytes.Equal(again, pack) {
		return nil, nil, false
	}
	return left, x.bytes(), true
}
