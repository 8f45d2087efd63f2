package audit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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

// Link names a line of another segment, or the last line before a closing event.
type Link struct {
	Log    string `json:"log"`    // id of the log that the line is of
	Seq    int64  `json:"seq"`    // of the line
	SHA256 string `json:"sha256"` // of the line
	Path   string `json:"path"`   // base name of the segment, beside the log
}

// Head is the line that the link names.
func (k Link) Head() Head { return Head{Log: k.Log, Seq: k.Seq, SHA256: k.SHA256} }

// segmentName matches the name of a segment without its extension. An id that is
// not of this kind is no part of a file name: such a log cannot be rotated.
var segmentName = regexp.MustCompile(`^(.*)-\d{4}-\d\d-\d\d-([A-Z0-9]{26})$`)

// splitSegment takes the name of a segment apart: the name of the log that it is
// of, and the segment's own id. Of another name the id is "".
func splitSegment(name string) (log, id string) {
	ext := filepath.Ext(name)
	if m := segmentName.FindStringSubmatch(strings.TrimSuffix(name, ext)); m != nil {
		return m[1] + ext, m[2]
	}
	return "", ""
}

// segmentPath is where the log at path goes when it is closed.
func segmentPath(path string, first time.Time, id string) (string, error) {
	ext := filepath.Ext(path)
	to := fmt.Sprintf("%s-%s-%s%s", strings.TrimSuffix(path, ext), first.UTC().Format(time.DateOnly), id, ext)
	if _, got := splitSegment(filepath.Base(to)); got != id {
		return "", fmt.Errorf("rotate %q: its id %q cannot be part of a file name", path, id)
	}
	return to, nil
}

// IsSegment reports whether a path is that of a segment of the log, there or
// not. The newest one, at Path, is none.
func (l *Log) IsSegment(path string) bool {
	name, id := splitSegment(filepath.Base(path))
	return id != "" && name == filepath.Base(l.Path) && filepath.Dir(path) == filepath.Dir(l.Path)
}

// beside is the path of the segment that a link names. What a link says is text
// from a file: a name that is none of a segment of this id leads nowhere.
func (l *Log) beside(k Link) (path string, ok bool) {
	if _, id := splitSegment(k.Path); id != k.Log || filepath.Base(k.Path) != k.Path || !filepath.IsLocal(k.Path) {
		return "", false
	}
	return filepath.Join(filepath.Dir(l.Path), k.Path), true
}

// MissingError says that a segment is not where the next one says.
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
	loose := l.looseEnd()
	if loose == nil {
		return nil, err
	}
	return openSegment(filepath.Join(filepath.Dir(l.Path), loose.Path), map[string]bool{})
}

// older opens the segment that g continues. Without one it returns nil; where it
// should be and is not, a MissingError.
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
		return nil, nil // a circle, which only a forger makes
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
	return l.looseEnd(), nil
}

// newestFirst calls read with the segments of the log, each opened when those
// before it did not suffice, until read returns false.
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
// the others. It is looked for only where the file at Path is missing or has no
// chained event. Files that cannot be read are passed over.
func (l *Log) looseEnd() (end *Link) {
	all := l.segments()
	continued := continuedBy(all)
	var closed time.Time
	for _, path := range all {
		t, err := tailOf(path)
		if err != nil || !t.closed() || continued[filepath.Base(path)] || end != nil && !t.when.After(closed) {
			continue
		}
		closed = t.when
		end = &Link{Log: t.head.Log, Seq: t.head.Seq, SHA256: t.head.SHA256, Path: filepath.Base(path)}
	}
	return end
}

// continuedBy are the names of the segments that the files at these paths
// continue.
func continuedBy(paths []string) map[string]bool {
	names := map[string]bool{}
	for _, path := range paths {
		if first, err := firstOf(path); err == nil {
			if k := linkIn(first.Details, "continues"); k != nil {
				names[k.Path] = true
			}
		}
	}
	return names
}

// segments are the paths of all files beside the log that are called like
// segments of it, sorted by name. A directory that cannot be read has none.
func (l *Log) segments() (paths []string) {
	entries, _ := os.ReadDir(filepath.Dir(l.Path))
	for _, entry := range entries {
		if path := filepath.Join(filepath.Dir(l.Path), entry.Name()); l.IsSegment(path) {
			paths = append(paths, path)
		}
	}
	return paths
}

func firstOf(path string) (Event, error) {
	f, size, err := openSized(path)
	if err != nil {
		return Event{}, err
	}
	defer f.Close()
	return firstChained(f, size)
}

func tailOf(path string) (tail, error) {
	f, _, err := openSized(path)
	if err != nil {
		return tail{}, err
	}
	defer f.Close()
	return readTail(f)
}

// firstSpan is how much of a file is read for the sake of its first event.
const firstSpan = 32 << 10

// firstChained is the first chained event of a file; one without a log when
// there is none.
func firstChained(r io.ReaderAt, size int64) (first Event, err error) {
	err = eachLine(r, size, func(l rawLine) (more bool) {
		e, _, err := l.event()
		if err == nil && e.Chained() {
			first = e
		}
		return first.Log == ""
	})
	return first, err
}

// firstDay is when the first event of a file was recorded, chained or not.
func firstDay(r io.ReaderAt, size int64) (day time.Time, err error) {
	err = eachLine(r, size, func(l rawLine) (more bool) {
		if e, _, err := l.event(); err == nil {
			day = e.Timestamp
		}
		return day.IsZero()
	})
	return day, err
}

// eachLine calls visit with the lines of a file, the first one first, until it
// returns false.
func eachLine(r io.ReaderAt, size int64, visit func(rawLine) (more bool)) error {
	rd := &reader{r: r, size: size}
	for from, n := int64(0), int64(firstSpan); from < size; from, n = from+n, spanSize {
		b, err := rd.read(span{from, min(from+n, size)})
		if err != nil {
			return err
		}
		for l := range b.lines {
			if !visit(l) {
				return nil
			}
		}
	}
	return nil
}

// linkIn reads a link in the details of an event. What is of another shape is
// none.
func linkIn(details []byte, name string) *Link {
	var found *Link
	_ = scanObject(details, func(key, value []byte) error { // it was scanned before
		if string(key) != name || value[0] != '{' {
			return nil
		}
		var k Link
		_ = scanObject(value, func(key, value []byte) error {
			switch key := string(key); {
			case key == "seq":
				k.Seq = number(value)
			case value[0] != '"':
			case key == "log":
				k.Log = text(value)
			case key == "sha256":
				k.SHA256 = text(value)
			case key == "path":
				k.Path = text(value)
			}
			return nil
		})
		found = &k
		return nil
	})
	return found
}
