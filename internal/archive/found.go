package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// State is what an export looks like before its archives are read.
type State string

// The states of an export.
const (
	StateComplete   State = "complete"
	StateIncomplete State = "incomplete" // it was never finished
	StateMissing    State = "missing"    // there is none
	StateDamaged    State = "damaged"    // it cannot be read, or an archive is gone or of another length
	StateChanged    State = "changed"    // its manifest is not the one that a log knows
	StateElsewhere  State = "elsewhere"  // the log names a place where exports are not looked for; see OpenListed
)

// Found is what lies at a path.
type Found struct {
	Path  string
	State State
	Why   string // of a damaged, changed or elsewhere one

	// Of one whose manifest can be read:
	ID      string // of the operation in the audit log
	Project string
	Volumes []string
	Bytes   int64  // that the volumes held
	Size    int64  // of the archives
	Sum     string // SHA-256 of the manifest

	// Started is when it began; of an incomplete one, when its directory last
	// changed, and zero for all others.
	Started time.Time
}

// At says what is at a path that the user names, or that List returned.
func At(path string) Found {
	if info, err := os.Lstat(path); Incomplete(path) && err == nil {
		return Found{Path: path, State: StateIncomplete, Started: info.ModTime().UTC()}
	} else if Incomplete(path) {
		return found(path, nil, err)
	}
	e, err := Open(path)
	return found(path, e, err)
}

// AtListed says what is at a path from a log, for an export whose manifest
// had that sum. For dirs see OpenListed.
func AtListed(path, sum string, dirs []string) Found {
	e, err := OpenListed(path, dirs)
	f := found(path, e, err)
	if f.State == StateComplete && f.Sum != sum {
		f.State, f.Why = StateChanged, "its manifest is not the one that the log knows"
	}
	return f
}

func found(path string, e *Export, err error) Found {
	f := Found{Path: path}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.State = StateMissing
	case errors.Is(err, ErrIncomplete):
		f.State = StateIncomplete
	case errors.Is(err, ErrElsewhere):
		f.State, f.Why = StateElsewhere, err.Error()
	case err != nil:
		f.State, f.Why = StateDamaged, err.Error()
	default:
		f.fill(e)
	}
	return f
}

// fill adds what the manifest says, and what a look at the archives shows.
func (f *Found) fill(e *Export) {
	f.State = StateComplete
	if err := e.Look(); err != nil {
		f.State, f.Why = StateDamaged, err.Error()
	}
	m := e.Manifest
	f.ID, f.Project, f.Started, f.Bytes, f.Sum = m.EventID, m.Project, m.Started, m.Bytes(), e.Sum
	for _, v := range m.Volumes {
		f.Volumes = append(f.Volumes, v.Name)
		f.Size += v.Archive.Size
	}
}

// Incomplete reports whether a directory is an incomplete export, by its name.
func Incomplete(dir string) bool { return strings.HasSuffix(filepath.Clean(dir), incomplete) }

// List returns the directories below dir that are exports, whole or incomplete, in
// the order of their names. A directory that is not there has none.
func List(dir string) ([]string, error) {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", dir, durable.Cause(err))
	}
	var out []string
	for _, entry := range list {
		path := filepath.Join(dir, entry.Name())
		if _, err := os.Lstat(filepath.Join(path, manifestName)); entry.IsDir() && (err == nil || Incomplete(path)) {
			out = append(out, path)
		}
	}
	return out, nil
}
