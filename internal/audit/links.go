package audit

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

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
var segmentName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(.*)-\d{4}-\d\d-\d\d-([A-Z0-9]{26})$`)
})

// splitSegment takes the name of a segment apart: the name of the log that it is
// of, and the segment's own id. Of another name the id is "".
func splitSegment(name string) (log, id string) {
	ext := filepath.Ext(name)
	if m := segmentName().FindStringSubmatch(strings.TrimSuffix(name, ext)); m != nil {
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
// from a file: a name that is not that of a segment with this id leads nowhere.
func (l *Log) beside(k Link) (path string, ok bool) {
	if _, id := splitSegment(k.Path); id != k.Log || filepath.Base(k.Path) != k.Path || !filepath.IsLocal(k.Path) {
		return "", false
	}
	return filepath.Join(filepath.Dir(l.Path), k.Path), true
}

// linkIn reads a link in the details of an event. Anything of another shape is
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
