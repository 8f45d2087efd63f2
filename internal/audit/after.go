package audit

import (
	"errors"
	"fmt"
	"slices"
)

// Mark is a place in a log that can be kept: behind the line that the head names.
// The zero Mark is the beginning of the oldest segment.
type Mark struct {
	Log    string `json:"log"` // the head, see there
	Seq    int64  `json:"seq"`
	SHA256 string `json:"sha256"`
	Offset int64  `json:"offset"` // bytes of the segment up to and including the line and its LF
}

// After calls visit with the chained events behind a mark, oldest first, each with
// its bytes, which the visitor may keep, and the mark behind it. It continues
// over rotations. Where no segment holds the mark any more, it begins with the
// oldest segment that is there. passed counts the lines that are not chained events.
// A line without an LF is still being written, and ends the reading.
func (l *Log) After(m Mark, visit func(e Event, line []byte, at Mark) error) (passed int, err error) {
	all, held, err := l.segmentsFrom(m)
	defer func() {
		for _, g := range all {
			g.Close()
		}
	}()
	if err != nil {
		return 0, err
	}
	for i, g := range slices.Backward(all) {
		from := int64(0)
		if held && i == len(all)-1 {
			from = m.Offset
		}
		n, err := g.after(from, visit)
		passed += n
		if err != nil {
			return passed, err
		}
	}
	return passed, nil
}

// segmentsFrom opens the segments from the newest to the one that holds the mark,
// else all that are there.
func (l *Log) segmentsFrom(m Mark) (all []*segment, held bool, err error) {
	g, err := l.newest()
	for g != nil && err == nil {
		all = append(all, g)
		if held, err = g.ends(m.Offset, m.SHA256); held || err != nil {
			return all, held, err
		}
		g, err = l.older(g)
	}
	var missing *MissingError
	if errors.As(err, &missing) {
		err = nil
	}
	return all, false, err
}

func (g *segment) after(from int64, visit func(e Event, line []byte, at Mark) error) (passed int, err error) {
	rd := &reader{r: g, size: g.size}
	for next := from; next < g.size; next = min(next+spanSize, g.size) {
		b, err := rd.read(span{next, min(next+spanSize, g.size)})
		if err != nil {
			return passed, fmt.Errorf("%s: %w", g.path, err)
		}
		for line := range b.lines {
			if !line.ended {
				return passed, nil
			}
			e, raw, err := line.event()
			switch {
			case errors.Is(err, ErrVersion):
				return passed, fmt.Errorf("%s: %w", g.path, err)
			case err != nil && line.size == 0:
			case err != nil || !e.Chained():
				passed++
			default:
				at := Mark{Log: e.Log, Seq: e.Seq, SHA256: Sum(raw), Offset: line.offset + line.size + 1}
				if err := visit(e, raw, at); err != nil {
					return passed, err
				}
			}
		}
	}
	return passed, nil
}
