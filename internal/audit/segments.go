package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A log is a chain of files, its segments. The newest is the one at Log.Path;
// the others lie beside it and are called NAME-<first day>-<log>.EXT, where the
// first day is that of their first event, in UTC, and <log> is their own id.
//
//	old segment   …, the event that closes it (details.closes)
//	next one      the event that continues it (details.continues), …
//
// A rotation goes through these states, and whoever writes next finishes one
// that a crash cut short:
//
//	closed     the last event of the file at Path is a closing one
//	renamed    there is no file at Path, or it has no chained event yet; beside
//	           it lies a closed segment that nothing continues: the loose end
//	continued  the first chained event of the file at Path continues it

// MissingError says that a segment is not where the next one says it is.
type MissingError struct{ Name string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("the segment %s, which the log continues, is missing", e.Name)
}

// segment is a file of the log, open for reading.
type segment struct {
	*os.File
	size int64 // what is appended later is not looked at
	path string
	seen map[string]bool // the paths of the newer ones and its own
}

func (g *segment) name() string { return filepath.Base(g.path) }

func openSegment(path string, seen map[string]bool) (*segment, error) {
	f, size, err := openSized(path)
	if err != nil {
		return nil, err
	}
	seen[path] = true
	return &segment{File: f, size: size, path: path, seen: seen}, nil
}

// newest opens the newest segment: the file at Path or, where a rotation was cut
// short before that was made, the loose end. Without either it is
// fs.ErrNotExist.
func (l *Log) newest() (*segment, error) {
	g, err := openSegment(l.Path, map[string]bool{})
	if !errors.Is(err, fs.ErrNotExist) {
		return g, err
	}
	loose, looking := l.looseEnd()
	if looking != nil {
		return nil, looking
	}
	if loose == nil {
		return nil, err
	}
	return openSegment(filepath.Join(filepath.Dir(l.Path), loose.Path), map[string]bool{})
}

// older opens the segment that g continues. Without one it returns nil; where it
// should be one and is not, a MissingError.
func (l *Log) older(g *segment) (*segment, error) {
	k, err := l.continued(g)
	if k == nil || err != nil {
		return nil, err
	}
	path, ok := l.beside(*k)
	if !ok {
		return nil, &MissingError{k.Path}
	}
	if g.seen[path] {
		return nil, nil // a circle, which only a forged log has
	}
	next, err := openSegment(path, g.seen)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &MissingError{k.Path}
	}
	return next, err
}

// continued is the link to the segment that g continues, nil when there is none.
func (l *Log) continued(g *segment) (*Link, error) {
	first, err := firstChained(g, g.size)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", g.path, err)
	case first.Log != "":
		return linkIn(first.Details, "continues"), nil
	case g.path != l.Path:
		return nil, nil
	}
	return l.looseEnd()
}

// newestFirst calls read with the segments of the log, each opened when those
// before it were not enough, until read returns false.
func (l *Log) newestFirst(read func(*segment) (more bool, err error)) error {
	g, err := l.newest()
	for g != nil && err == nil {
		var next *segment
		var more bool
		if more, err = read(g); more && err == nil {
			next, err = l.older(g)
		}
		g.Close()
		g = next
	}
	return err
}

// looseEnd is the link to a closed segment that no other one continues, nil when
// there is none. Of several it is the one that was closed last; verify tells of
// the others. It is looked for only if the file at Path is missing or has no
// chained event. A segment that cannot be read is an error: skipping it could
// make the log continue from the one before it.
func (l *Log) looseEnd() (end *Link, err error) {
	all, err := l.segments()
	if err != nil {
		return nil, err
	}
	continued, err := continuedBy(all)
	if err != nil {
		return nil, err
	}
	var closed time.Time
	for _, path := range all {
		t, err := tailOf(path)
		if err != nil {
			return nil, err
		}
		if !t.closed() || continued[filepath.Base(path)] || end != nil && !t.when.After(closed) {
			continue
		}
		closed = t.when
		end = &Link{Log: t.head.Log, Seq: t.head.Seq, SHA256: t.head.SHA256, Path: filepath.Base(path)}
	}
	return end, nil
}

// continuedBy are the names of the segments that the files at these paths
// continue.
func continuedBy(paths []string) (map[string]bool, error) {
	names := map[string]bool{}
	for _, path := range paths {
		first, err := firstOf(path)
		if err != nil {
			return nil, err
		}
		if k := linkIn(first.Details, "continues"); k != nil {
			names[k.Path] = true
		}
	}
	return names, nil
}

// segments are the paths of all files beside the log that are called like
// segments of it, sorted by name.
func (l *Log) segments() (paths []string, err error) {
	entries, err := os.ReadDir(filepath.Dir(l.Path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for segments: %w", err)
	}
	for _, entry := range entries {
		if path := filepath.Join(filepath.Dir(l.Path), entry.Name()); l.IsSegment(path) {
			paths = append(paths, path)
		}
	}
	return paths, nil
}
