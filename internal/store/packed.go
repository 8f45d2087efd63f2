package store

import (
	"slices"
	"sort"
	"strings"
	"time"
)

// packed is a pack that is read by its index, some frames at a time.
type packed struct {
	key    string
	frames []Frame
	first  []int    // the number of the first line of each frame, from 0, and that behind the last one
	at     []int64  // where each frame begins
	dir    string   // of the objects of its lines
	names  []string // of these objects, in their order
	cache  *Cache   // of its frames

	had   map[int][][]byte // lines of frames that were read; none of one that is not what was sealed
	order []int            // the frames of had, the last one read last
	kept  int              // bytes of had
	last  [2]int           // the first and the last frame that were asked for
	ahead int              // how many frames are read ahead
}

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

// parse adds the key of a line. A name that is not one of a key is passed over: the
// index is wrong about it.
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
