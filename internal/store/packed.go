package store

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sort"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// packed is a pack that is read by its index, some frames at a time.
type packed struct {
	key    string
	frames []Frame
	first  []int    // the number of the first line of each frame, from 0, and that behind the last one
	at     []int64  // where each frame begins
	dir    string   // of the objects of its lines
	names  []string // of these objects, in their order

	had   map[int][][]byte // lines of frames that were read; none of one that is not what was sealed
	order []int            // the frames of had, the last one read last
	kept  int              // bytes of had
	last  [2]int           // the first and the last frame that were asked for
	ahead int              // how many frames are read ahead
}

// Bounds of what is read ahead and kept of a pack.
const (
	aheadMost = 16      // frames, of 64 events mostly
	keptBytes = 8 << 20 // decompressed, besides what was asked for last
)

func newPacked(key string, day time.Time, x Index, names []string) *packed {
	p := &packed{key: key, frames: x.Frames, dir: EventsDir + dayDir(day), names: names, had: map[int][][]byte{}, last: [2]int{-2, -2}}
	line, at := 0, int64(0)
	for _, f := range x.Frames {
		p.first, p.at = append(p.first, line), append(p.at, at)
		line, at = line+f.Lines, at+f.Size
	}
	p.first = append(p.first, line)
	return p
}

// wholePacked is a pack that was read as a whole, as one frame.
func wholePacked(key string, day time.Time, all []sealed) *packed {
	p := newPacked(key, day, Index{Frames: []Frame{{Lines: len(all)}}}, nil)
	lines := make([][]byte, len(all))
	for i, l := range all {
		lines[i], p.names = l.Line, append(p.names, strings.TrimPrefix(l.Key.String(), p.dir))
	}
	p.had[0] = lines
	return p
}

// between are the numbers of the first line from a time on, and of the first one from
// another on.
func (p *packed) between(from, to time.Time) (first, end int) {
	if end = len(p.names); to.Before(from.Truncate(oneDay).Add(oneDay)) {
		end = sort.SearchStrings(p.names, to.UTC().Format(timeLayout))
	}
	return sort.SearchStrings(p.names, from.UTC().Format(timeLayout)), end
}

// parse adds the key of a line; one that is none the index does not have rightly.
func (p *packed) parse(keys []Key, line int) []Key {
	k, err := parseName(p.dir, p.names[line])
	if err != nil {
		return keys
	}
	return append(keys, k)
}

// find is the number of the line of a key, -1 where there is none.
func (p *packed) find(k Key) int {
	name, of := strings.CutPrefix(k.String(), p.dir)
	if i, found := slices.BinarySearch(p.names, name); of && found {
		return i
	}
	return -1
}

// frame is the one that has a line.
func (p *packed) frame(line int) int {
	return sort.SearchInts(p.first, line+1) - 1
}

// may reports whether a line can have one of each of the words.
func (p *packed) may(line int, words [][]string) bool {
	f := p.frames[p.frame(line)]
	return !slices.ContainsFunc(words, func(one []string) bool { return !f.May(one) })
}

// ids adds the operations of the lines, from one number to before another, that can
// have one of each of the words.
func (p *packed) ids(ids map[string]bool, first, end int, words [][]string) {
	for line := first; line < end; {
		f := p.frame(line)
		next := min(p.first[f+1], end)
		if p.may(line, words) {
			for _, name := range p.names[line:next] {
				ids[idIn(name)] = true
			}
		}
		line = next
	}
}

// of adds the keys of lines of operations, and of those that began before another one.
func (p *packed) of(keys []Key, ids map[string]bool, first, end int, began string) []Key {
	for line := first; line < end; line++ {
		if id := idIn(p.names[line]); ids[id] || id < began {
			keys = p.parse(keys, line)
		}
	}
	return keys
}

// idIn is the id in a name, escaped.
func idIn(name string) string {
	for range 3 {
		_, name, _ = strings.Cut(name, "_")
	}
	id, _, _ := strings.Cut(name, "_")
	return id
}

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
	was := p.last
	p.last = [2]int{low, high}
	if !slices.ContainsFunc(frames, func(f int) bool { return !p.has(f) }) {
		return nil
	}
	down, up := high < was[0]+1 && high >= was[0]-1, low > was[1]-1 && low <= was[1]+1
	if !down && !up {
		p.ahead = 0
		return frames
	}
	p.ahead = min(max(2*p.ahead, 2), aheadMost)
	for i := range p.ahead {
		if f := low - 1 - i; down && f >= 0 {
			frames = append(frames, f)
		}
		if f := high + 1 + i; up && !down && f < len(p.frames) {
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

// get reads frames that lie side by side.
func (p *packed) get(ctx context.Context, from Getter, run []int, into [][][]byte) error {
	start, last := p.at[run[0]], run[len(run)-1]
	data, err := from.Range(ctx, p.key, start, p.at[last]+p.frames[last].Size-start)
	if err != nil && !errors.Is(err, ErrNotThere) {
		return err
	}
	for i, f := range run {
		frame := p.frames[f]
		at := p.at[f] - start
		if at+frame.Size > int64(len(data)) || audit.Sum(data[at:at+frame.Size]) != frame.Sum {
			continue
		}
		raw, err := unpacker().DecodeAll(data[at:at+frame.Size], nil)
		if err != nil {
			continue
		}
		if lines := bytes.Split(raw, []byte{'\n'}); len(lines) == frame.Lines+1 { // an empty one behind the last LF
			into[i] = lines[:frame.Lines]
		}
	}
	return nil
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
