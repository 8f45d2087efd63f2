package store

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Bounds of what is read ahead and kept of a pack.
const (
	aheadMost = 16      // frames, of 64 events mostly
	keptBytes = 8 << 20 // decompressed, besides what was asked for last
)

// lines are those of some numbers. nil stands for one that is not what was sealed.
func (p *packed) lines(ctx context.Context, from Getter, numbers []int) ([][]byte, error) {
	var frames []int
	for _, n := range numbers {
		frames = append(frames, p.frame(n))
	}
	slices.Sort(frames)
	frames = slices.Compact(frames)
	if err := p.read(ctx, from, p.more(frames)); err != nil {
		return nil, err
	}
	lines := make([][]byte, len(numbers))
	for i, n := range numbers {
		f := p.frame(n)
		if of := p.had[f]; of != nil {
			lines[i] = bytes.Clone(of[n-p.first[f]])
		}
	}
	p.forget(frames)
	return lines, nil
}

// more adds frames to those that are asked for, where they are next to those that
// were asked for before: twice as many each time.
func (p *packed) more(frames []int) []int {
	low, high := frames[0], frames[len(frames)-1]
	first, last := p.last[0], p.last[1]
	p.last = [2]int{low, high}
	if !slices.ContainsFunc(frames, func(f int) bool { return !p.has(f) }) {
		return nil
	}
	down, up := high == first || high == first-1, low == last || low == last+1
	if !down && !up {
		p.ahead = 0
		return frames
	}
	p.ahead = min(max(2*p.ahead, 2), aheadMost)
	from, to := low, min(high+p.ahead, len(p.frames)-1)
	if down {
		from, to = max(low-p.ahead, 0), high
	}
	frames = slices.Clone(frames) // the caller's are in use
	for f := from; f <= to; f++ {
		if f < low || f > high {
			frames = append(frames, f)
		}
	}
	slices.Sort(frames)
	return frames
}

func (p *packed) has(frame int) bool {
	_, has := p.had[frame]
	return has
}

// read reads frames that are not there yet, those that lie side by side in one turn.
func (p *packed) read(ctx context.Context, from Getter, frames []int) error {
	frames = slices.DeleteFunc(slices.Clone(frames), p.has)
	got := make([][][]byte, len(frames))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(parallel)
	for start := 0; start < len(frames); {
		end := start + 1
		for end < len(frames) && frames[end] == frames[end-1]+1 {
			end++
		}
		run, into := frames[start:end], got[start:end]
		work.Go(func() error { return p.get(ctx, from, run, into) })
		start = end
	}
	if err := work.Wait(); err != nil {
		return err
	}
	for i, f := range frames {
		p.had[f], p.order = got[i], append(p.order, f)
		p.kept += size(got[i])
	}
	return nil
}

// get reads frames that lie side by side: those that are kept from the cache, and all
// from the first to the last of the others at once.
func (p *packed) get(ctx context.Context, from Getter, run []int, into [][][]byte) error {
	var missing []int // in run
	for i, f := range run {
		if data, kept := p.cache.load(p.frames[f].Sum); kept {
			into[i] = p.frames[f].unpack(data)
		} else {
			missing = append(missing, i)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	first, last := run[missing[0]], run[missing[len(missing)-1]]
	data, err := from.Range(ctx, p.key, p.at[first], p.at[last]+p.frames[last].Size-p.at[first])
	if err != nil && !errors.Is(err, ErrNotThere) {
		return err
	}
	for _, i := range missing {
		frame, at := p.frames[run[i]], p.at[run[i]]-p.at[first]
		if at+frame.Size > int64(len(data)) || audit.Sum(data[at:at+frame.Size]) != frame.Sum {
			continue
		}
		into[i] = frame.unpack(data[at : at+frame.Size])
		if p.ahead == 0 { // whoever reads all would leave room for nothing else
			p.cache.keep(frame.Sum, data[at:at+frame.Size])
		}
	}
	return nil
}

// unpack are the lines of a frame that is what was sealed; nil if even so it is none.
func (f Frame) unpack(data []byte) [][]byte {
	raw, err := unpacker().DecodeAll(data, nil)
	if err != nil {
		return nil
	}
	lines := bytes.Split(raw, []byte{'\n'})
	if len(lines) != f.Lines+1 { // an empty one behind the last LF
		return nil
	}
	return lines[:f.Lines]
}

// forget drops the frames that were read first, but for those that are in use.
func (p *packed) forget(used []int) {
	for i := 0; i < len(p.order) && p.kept > keptBytes; {
		f := p.order[i]
		if slices.Contains(used, f) {
			i++
			continue
		}
		p.kept -= size(p.had[f])
		delete(p.had, f)
		p.order = slices.Delete(p.order, i, i+1)
	}
}

func size(lines [][]byte) (n int) {
	for _, l := range lines {
		n += len(l)
	}
	return n
}
