package trash

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Version is that of entry.json. A higher one is refused.
const Version = 1

// Entry is what is kept of a volume beside its data: all that it takes to make
// the volume again, and to know what it was.
type Entry struct {
	Version   int               `json:"v"`
	Operation string            `json:"operation"` // id of the one that set it aside
	Volume    string            `json:"volume"`
	Driver    string            `json:"driver"`
	Labels    map[string]string `json:"labels,omitempty"`
	Created   string            `json:"created,omitempty"` // of the volume, RFC 3339
	Project   string            `json:"project,omitempty"`
	Log       string            `json:"log,omitempty"` // path of the log that has the operation
	User      string            `json:"user,omitempty"`
	Bytes     int64             `json:"bytes,omitempty"` // 0: unknown
	Data      string            `json:"data"`            // what _data is known by: inode and time of birth
	Kept      time.Time         `json:"kept"`
	Until     time.Time         `json:"until"`
}

const (
	volumesDir = "volumes"
	trashDir   = "ccdestroy-trash/v1"
	entryName  = "entry.json"
	dataName   = "_data"
	endName    = "_purge" // the data of an entry that is being ended
)

// The parts of a path come from records and from the engine; nothing but names of
// volumes and ids like these ever becomes one.
var operationForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9A-Z]{26}$`) })

func isOperation(id string) bool { return operationForm().MatchString(id) }

// Place is where the volumes and the trash of an engine lie.
type Place struct {
	Root string // the engine's data directory
	// TestOnlyAt, where it is set, is told of every step before it is taken. With
	// an error the step is not taken.
	TestOnlyAt func(step, volume string) error
}

func (p Place) step(name, volume string) error {
	if p.TestOnlyAt == nil {
		return nil
	}
	return p.TestOnlyAt(name, volume)
}

func (p Place) volume(name string) string { return filepath.Join(p.Root, volumesDir, name) }

func (p Place) entry(operation, volume string) string {
	return filepath.Join(p.Root, trashDir, operation, volume)
}

func valid(operation, volume string) error {
	if !isOperation(operation) {
		return fmt.Errorf("%q is not the id of an operation", operation)
	}
	if !inventory.IsVolumeName(volume) {
		return fmt.Errorf("%q is not a valid volume name", volume)
	}
	return nil
}

// entryLimit is how large entry.json may be: labels come from outside.
const entryLimit = 4 << 20

// read reads an entry. What it says of itself must match its place.
func (p Place) read(operation, volume string) (e Entry, err error) {
	path := filepath.Join(p.entry(operation, volume), entryName)
	f, err := durable.OpenRead(path)
	if err != nil {
		return e, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, entryLimit))
	if err == nil {
		err = json.Unmarshal(data, &e)
	}
	switch {
	case err != nil:
		return e, fmt.Errorf("%q: %w", path, err)
	case e.Version != Version:
		return e, fmt.Errorf("%q is of version %d, and this ccdestroy knows %d", path, e.Version, Version)
	case e.Operation != operation || e.Volume != volume:
		return e, fmt.Errorf("%q speaks of volume %q of %s", path, e.Volume, e.Operation)
	}
	return e, nil
}

// write makes an entry durable, without data.
func (p Place) write(e Entry) error {
	e.Version = Version
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	dir := p.entry(e.Operation, e.Volume)
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return durable.ReplaceFile(filepath.Join(dir, entryName), append(data, '\n'), 0o600)
}

// exists reports whether there is a directory at a path. Anything else in its
// place is an error.
func exists(path string) (bool, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !info.IsDir():
		return false, fmt.Errorf("%q: not a directory", path)
	}
	return true, nil
}

// empty reports whether there is nothing in a directory.
func empty(path string) (bool, error) {
	d, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer d.Close()
	_, err = d.Readdirnames(1)
	if errors.Is(err, io.EOF) {
		return true, nil
	}
	return false, err
}
