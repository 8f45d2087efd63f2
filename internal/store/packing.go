package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// open are the lines of a day that no seal holds, in the order of their keys: as many
// as fit a pack, and whether there are more.
func (s *Sealer) open(ctx context.Context, state *state, day time.Time, done *Sealed) (open []sealed, more bool, err error) {
	var keys []Key
	var size int64
	had, err := keysIn(ctx, s.Bucket, maps.Values(state.packs(day)))
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
		key, err := parseKey(o.Key)
		if err != nil || o.Size > maxLine {
			done.Wrong = append(done.Wrong, problem(ObjectAdded, o.Key, "its name is not one that an event has"))
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

// fetch reads lines. Those that are not what their keys say are wrong, and left out.
func fetch(ctx context.Context, from Getter, keys []Key) (lines []sealed, wrong []audit.Finding, err error) {
	got, err := readLines(ctx, from, keys)
	if err != nil {
		return nil, nil, err
	}
	for i, key := range keys {
		if got[i] == nil {
			wrong = append(wrong, problem(ObjectChanged, key.String(), "it vanished as it was read"))
		} else if _, err := key.event(got[i]); err != nil {
			wrong = append(wrong, problem(ObjectChanged, key.String(), "it does not hold the event that its name tells of"))
		} else {
			lines = append(lines, sealed{key, got[i]})
		}
	}
	return lines, wrong, nil
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
	if err := s.Bucket.Put(ctx, indexKey(key), index.bytes()); errors.Is(err, ErrExists) {
		was, unread := readAll(ctx, s.Bucket, indexKey(key), packLimit)
		if unread != nil || !bytes.Equal(was, index.bytes()) {
			return cmp.Or(unread, err) // another sealer's, created since place looked; place passes over it next time
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
	if err := s.Bucket.Put(ctx, sealKey(seal.Seal), object); err != nil {
		return err
	}
	state.seals = append(state.seals, seal)
	done.Packs, done.Lines = done.Packs+1, done.Lines+len(lines)
	return nil
}

// place is the key of the next pack of a day. If an unsealed pack is there already, and
// all of its lines are to be sealed, left is its lines, and the caller continues with it.
// Any other pack or index is passed over; VerifySeals reports it.
func (s *Sealer) place(ctx context.Context, state *state, day time.Time, lines []sealed) (key string, left []sealed, err error) {
	known := state.packs(day)
	for n := 1; ; n++ {
		key := packKey(day, n)
		if known[key] != nil {
			continue
		}
		// Before the pack, which comes first: another sealer's index has one.
		index, err := readAll(ctx, s.Bucket, indexKey(key), packLimit)
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
