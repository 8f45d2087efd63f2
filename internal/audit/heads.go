package audit

import (
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

// Heads remembers, outside the project, how far each log had come when this
// account last wrote to it. A file per log lies in Dir, named after its path.
type Heads struct{ Dir string }

// ErrHead says that the head could not be noted. The event itself is durable.
var ErrHead = errors.New("the head was not noted")

// noted is the content of a head file.
type noted struct {
	Path   string `json:"path"`   // absolute
	Log    string `json:"log"`    // the log's id
	Seq    int64  `json:"seq"`    // of its last line then
	SHA256 string `json:"sha256"` // of that line
	Size   int64  `json:"size"`   // bytes of the file then
}

func (h *Heads) file(path string) (file, abs string, err error) {
	abs, err = filepath.Abs(path)
	if err != nil {
		return "", "", fmt.Errorf("head of %q: %w", path, err)
	}
	sum := sha256.Sum256([]byte(abs))
	return filepath.Join(h.Dir, hex.EncodeToString(sum[:12])+".json"), abs, nil
}

func (h *Heads) note(path string, head Head, size int64) error {
	if h == nil {
		return nil
	}
	file, abs, err := h.file(path)
	if err != nil {
		return err
	}
	data, err := json.Marshal(noted{Path: abs, Log: head.Log, Seq: head.Seq, SHA256: head.SHA256, Size: size})
	if err != nil {
		return err
	}
	if err := durable.MkdirAll(h.Dir, 0o700); err != nil {
		return fmt.Errorf("%w: %w", ErrHead, err)
	}
	if err := durable.ReplaceFile(file, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("%w: %w", ErrHead, err)
	}
	return nil
}

// Check compares the log with the noted head and returns what is wrong with it
// in words, or "". It reads one line, however long the log is.
func (h *Heads) Check(path string) (string, error) {
	if h == nil {
		return "", nil
	}
	file, _, err := h.file(path)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	var n noted
	if err == nil {
		err = json.Unmarshal(data, &n)
	}
	if err != nil {
		return "", fmt.Errorf("read the noted head %q: %w", file, err)
	}
	return n.compare(path)
}

func (n noted) compare(path string) (string, error) {
	f, err := durable.OpenRead(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Sprintf("the log is missing: it had %d events", n.Seq), nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("stat %q: %w", path, durable.Cause(err))
	}
	if info.Size() < n.Size {
		return fmt.Sprintf("the log is shorter than it was: %d bytes, it had %d", info.Size(), n.Size), nil
	}
	l, err := newBackward(f, n.Size).next()
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if hash(l.data) != n.SHA256 {
		return fmt.Sprintf("the log is not the one that it was: event %d has another content", n.Seq), nil
	}
	return "", nil
}
