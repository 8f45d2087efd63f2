package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// Heads remembers, outside the project, how far each log had got whenever this
// account wrote to it. A file per path of a log lies in Dir, named after the
// path; each line of it is a note.
//
// Notes are not synced: a power cut can lose the latest ones, and an older head
// is as valid as a newer one. A line that is not a note is skipped.
type Heads struct{ Dir string }

// ErrHead says that the head could not be noted. The event itself is durable.
var ErrHead = errors.New("the head was not noted")

// note is a line of such a file: a head, or what the user was told of the log.
type note struct {
	Path   string `json:"path"` // of the log, absolute
	Log    string `json:"log,omitempty"`
	Seq    int64  `json:"seq,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
	Size   int64  `json:"size,omitempty"` // bytes of the log up to and including this line
	Told   string `json:"told,omitempty"` // what was wrong, in the words that the user was shown
	// Accepted is the id of the operation, of which this is the head, that
	// accepted the log as it is: no note before this one counts.
	Accepted string `json:"accepted,omitempty"`
}

func (n note) head() Head { return Head{Log: n.Log, Seq: n.Seq, SHA256: n.SHA256} }

// notesLimit is how long a file of notes may grow. Then the older half goes:
// a head of thousands of events ago proves less than the newest one.
const notesLimit = 1 << 20

func (h *Heads) file(path string) (file, abs string, err error) {
	abs, err = filepath.Abs(path)
	if err != nil {
		return "", "", fmt.Errorf("head of %q: %w", path, err)
	}
	sum := sha256.Sum256([]byte(abs))
	return filepath.Join(h.Dir, hex.EncodeToString(sum[:12])+".jsonl"), abs, nil
}

// note remembers what n says of the log at path.
func (h *Heads) note(path string, n note) error {
	if h == nil {
		return nil
	}
	file, abs, err := h.file(path)
	if err != nil {
		return err
	}
	n.Path = abs
	data, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if err := durable.MkdirAll(h.Dir, 0o700); err != nil {
		return fmt.Errorf("%w: %w", ErrHead, err)
	}
	if err := appendNote(file, append(data, '\n')); err != nil {
		return fmt.Errorf("%w: %w", ErrHead, err)
	}
	return nil
}

// appendNote adds a line in one write. Two processes that thin out the file at
// once can lose each other's newest note, which is as harmless as a power cut.
func appendNote(file string, line []byte) error {
	f, _, err := durable.OpenAppend(file, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("stat %q: %w", file, durable.Cause(err))
	}
	if info.Size() > notesLimit {
		old, err := io.ReadAll(io.NewSectionReader(f, info.Size()/2, info.Size()))
		if err != nil {
			return fmt.Errorf("read %q: %w", file, durable.Cause(err))
		}
		_, whole, _ := bytes.Cut(old, []byte("\n"))
		return durable.ReplaceFile(file, append(whole, line...), 0o600)
	}
	if _, err := f.Write(line); err != nil {
		return fmt.Errorf("append to %q: %w", file, durable.Cause(err))
	}
	return nil
}

// notes calls visit with the notes of a file that count, newest first, until it
// returns false. A file that is not there has none.
func notes(file string, visit func(note) (more bool)) error {
	f, size, err := openSized(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	for l, err := range lastLines(f, size) {
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		var n note
		if json.Unmarshal(l.data, &n) == nil && n.Path != "" && (!visit(n) || n.Accepted != "") {
			return nil
		}
	}
	return nil
}

// Noted returns the heads that were noted for the log at path, newest first.
func (h *Heads) Noted(path string) (heads []Head, err error) {
	if h == nil {
		return nil, nil
	}
	file, _, err := h.file(path)
	if err != nil {
		return nil, err
	}
	err = notes(file, func(n note) bool {
		if n.Told == "" {
			heads = append(heads, n.head())
		}
		return true
	})
	return heads, err
}

// newest returns the newest head in a file of notes, and whether anything was
// told since then, and what.
func newest(file string) (head note, told map[string]bool, err error) {
	told = map[string]bool{}
	err = notes(file, func(n note) bool {
		if n.Told != "" {
			told[n.Told] = true
			return true
		}
		head = n
		return false
	})
	return head, told, err
}

// others returns the newest head of the log with this id at any path but one.
func (h *Heads) others(log, butFile string) (best note, err error) {
	files, err := os.ReadDir(h.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return note{}, nil
	}
	if err != nil {
		return note{}, fmt.Errorf("read heads: %w", err)
	}
	for _, entry := range files {
		file := filepath.Join(h.Dir, entry.Name())
		if file == butFile || filepath.Ext(file) != ".jsonl" {
			continue
		}
		if n, _, err := newest(file); err == nil && n.Log == log && n.Seq > best.Seq {
			best = n
		}
	}
	return best, nil
}

// Logs are the paths of the logs that this account has written to or read.
func (h *Heads) Logs() (paths []string) {
	if h == nil {
		return nil
	}
	files, _ := filepath.Glob(filepath.Join(h.Dir, "*.jsonl")) // the pattern is valid
	for _, file := range files {
		if n, err := oldest(file); err == nil && n.Path != "" {
			paths = append(paths, n.Path)
		}
	}
	return paths
}

// oldest is the first note of a file.
func oldest(file string) (n note, err error) {
	f, err := durable.OpenOurs(file)
	if err != nil {
		return note{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 2*notesLimit))
	if err != nil {
		return note{}, fmt.Errorf("read %q: %w", file, durable.Cause(err))
	}
	first, _, _ := bytes.Cut(data, []byte("\n"))
	return n, json.Unmarshal(first, &n)
}
