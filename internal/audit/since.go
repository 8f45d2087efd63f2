package audit

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Position is a place in the log, behind an event. The zero Position is the
// beginning of the newest segment.
type Position struct {
	file   os.FileInfo // the segment, whatever its name is by now
	offset int64       // bytes, behind a whole line
	sum    string      // of that line; "" at the beginning
}

// End is the position behind the last event. Without a log it is fs.ErrNotExist.
func (l *Log) End() (Position, error) {
	g, err := l.newest()
	if err != nil {
		return Position{}, err
	}
	defer g.Close()
	return g.position(g.size)
}

// position is the one behind the last whole line of the first size bytes: one that is
// being written is still to come.
func (g *segment) position(size int64) (p Position, err error) {
	if p.file, err = g.Stat(); err != nil {
		return p, fmt.Errorf("stat %q: %w", g.path, err)
	}
	for line, err := range lastLines(g, size) {
		if err != nil {
			return p, fmt.Errorf("%s: %w", g.path, err)
		}
		if !line.ended {
			continue
		}
		sum, err := line.sum(g)
		p.offset, p.sum = line.offset+line.size+1, hex.EncodeToString(sum[:])
		return p, err
	}
	return p, nil
}

// holds reports whether the position is one in the segment. A file that was
// restored from a copy is another file and the same segment, and one that was written
// over is the same file and another segment.
func (g *segment) holds(p Position) (bool, error) {
	if p.file == nil {
		return true, nil
	}
	if p.sum != "" {
		return g.ends(p.offset, p.sum)
	}
	info, err := g.Stat()
	if err != nil {
		return false, fmt.Errorf("stat %q: %w", g.path, err)
	}
	return os.SameFile(p.file, info), nil
}

// ends reports whether a line with that sum ends at an offset, with its LF.
func (g *segment) ends(offset int64, want string) (bool, error) {
	if offset < 1 || offset > g.size {
		return false, nil
	}
	for line, err := range lastLines(g, offset) {
		if err != nil {
			return false, fmt.Errorf("%s: %w", g.path, err)
		}
		sum, err := line.sum(g)
		return line.ended && hex.EncodeToString(sum[:]) == want, err
	}
	return false, nil
}

// Since calls visit with the events behind a position, oldest first, and returns
// where the next call goes on from: behind the last whole line. It continues over
// rotations. cut says that the position is no longer in the log, which was cut,
// replaced or removed, and is read from its beginning next time. Lines that are
// no events are passed over.
func (l *Log) Since(from Position, visit func(e Event, line []byte)) (next Position, cut bool, err error) {
	behind, err := l.behind(from)
	defer func() {
		for _, g := range behind {
			g.Close()
		}
	}()
	if err != nil {
		return from, false, err
	}
	if behind == nil {
		return Position{}, from.file != nil, nil
	}
	next = from
	for n := len(behind) - 1; n >= 0; n-- { // the oldest one first
		offset, err := behind[n].since(next.offset, visit)
		if err != nil {
			return next, false, fmt.Errorf("%s: %w", behind[n].path, err)
		}
		switch {
		case n > 0: // it is closed: the next one continues it
			next = Position{}
		case offset != next.offset || next.file == nil:
			if next, err = behind[n].position(offset); err != nil {
				return from, false, err
			}
		}
	}
	return next, false, nil
}

// behind opens the segments from the newest to the one that holds the position;
// none when no segment does.
func (l *Log) behind(p Position) (all []*segment, err error) {
	g, err := l.newest()
	for g != nil && err == nil {
		all = append(all, g)
		var holds bool
		if holds, err = g.holds(p); holds || err != nil {
			return all, err
		}
		g, err = l.older(g)
	}
	var missing *MissingError
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.As(err, &missing) {
		for _, g := range all {
			g.Close()
		}
		return nil, nil
	}
	return all, err
}

// since calls visit with the events from an offset on, and returns the offset
// behind the last whole line.
func (g *segment) since(from int64, visit func(e Event, line []byte)) (next int64, err error) {
	rd := &reader{r: g, size: g.size}
	for next = from; next < g.size; {
		b, err := rd.read(span{next, min(next+spanSize, g.size)})
		if err != nil {
			return next, err
		}
		next = min(next+spanSize, g.size)
		for line := range b.lines {
			if !line.ended {
				return line.offset, nil // still being written, perhaps
			}
			if e, raw, err := line.event(); err == nil {
				visit(e, raw)
			}
		}
	}
	return next, nil
}
