package trash

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// The actions of a request.
const (
	Probe    = "probe"     // find out whether anything can be kept at all
	SetAside = "set-aside" // Entries; all of them, or none
	PutBack  = "put-back"  // Items, each
	Locate   = "locate"    // Items, each
	List     = "list"      // what there is
	Purge    = "purge"     // Items, each
)

// Item is a volume that an operation set aside.
type Item struct {
	Operation string `json:"operation"`
	Volume    string `json:"volume"`
	As        string `json:"as,omitempty"` // its name now, where that is another
}

// Request is one call of the trash.
type Request struct {
	Action  string  `json:"action"`
	Entries []Entry `json:"entries,omitempty"`
	Items   []Item  `json:"items,omitempty"`
}

// Found is an entry of the trash, or an item that was asked about.
type Found struct {
	Item
	Entry *Entry `json:"entry,omitempty"` // nil when there is none that can be read
	Where Where  `json:"where,omitempty"`
	Made  bool   `json:"made,omitempty"`  // the engine has a volume of this name
	Error string `json:"error,omitempty"` // why the action on it failed
}

// Response is what came of a request.
type Response struct {
	Found []Found `json:"found,omitempty"`
	Space Space   `json:"space"`
	Error string  `json:"error,omitempty"` // of the whole
}

// Space is that of the file system of the engine's data directory, in bytes.
type Space struct {
	Total uint64 `json:"total"`
	Free  uint64 `json:"free"`
}

// Shelf performs requests, wherever the trash is.
type Shelf interface {
	Do(context.Context, Request) (Response, error)
}

// Do performs a request on the file system of this host. An error says that
// nothing of it was done, or of SetAside that all of it was taken back.
func (p Place) Do(ctx context.Context, r Request) (out Response, err error) {
	switch r.Action {
	case Probe:
		err = p.probe()
	case SetAside:
		err = p.setAllAside(ctx, r.Entries)
	case List:
		out.Found, err = p.list()
	case PutBack, Locate, Purge:
		for _, item := range r.Items {
			if ctx.Err() != nil {
				return out, ctx.Err()
			}
			out.Found = append(out.Found, p.one(r.Action, item))
		}
	default:
		err = fmt.Errorf("%q is no action of the trash", r.Action)
	}
	out.Space.Total, out.Space.Free, _ = durable.Space(string(p)) // unknown is 0
	return out, err
}

// probe makes sure that data can be renamed between the two directories.
func (p Place) probe() error {
	volumes, trash := filepath.Join(string(p), "volumes"), filepath.Join(string(p), trashDir)
	if err := durable.MkdirAll(trash, 0o700); err != nil {
		return err
	}
	same, err := durable.SameFileSystem(volumes, trash)
	if err == nil && !same {
		err = fmt.Errorf("%q and %q are on two file systems", volumes, trash)
	}
	return errors.Join(err, durable.Writable(volumes))
}

func (p Place) setAllAside(ctx context.Context, entries []Entry) error {
	for i, e := range entries {
		err := ctx.Err()
		if err == nil {
			err = p.setAside(e)
		}
		if err == nil {
			continue
		}
		for _, done := range slices.Backward(entries[:i]) {
			err = errors.Join(err, p.putBack(done.Operation, done.Volume, done.Volume))
		}
		return errors.Join(err, p.dropEmpty(e))
	}
	return nil
}

// dropEmpty drops the entry of a volume that was not set aside after all.
func (p Place) dropEmpty(e Entry) error {
	if valid(e.Operation, e.Volume) != nil {
		return nil
	}
	if there, err := exists(filepath.Join(p.entry(e.Operation, e.Volume), dataName)); there || err != nil {
		return err
	}
	return p.drop(e.Operation, e.Volume)
}

func (p Place) one(action string, item Item) Found {
	f := Found{Item: item}
	err := valid(item.Operation, item.Volume)
	if err == nil {
		switch action {
		case PutBack:
			err = p.putBack(item.Operation, item.Volume, cmp.Or(item.As, item.Volume))
		case Purge:
			err = p.purge(item.Operation, item.Volume)
		}
	}
	if err == nil {
		f.Where, f.Made, err = p.where(item.Operation, item.Volume)
	}
	if err != nil {
		f.Error = err.Error()
	} else if e, err := p.read(item.Operation, item.Volume); err == nil {
		f.Entry = &e
	}
	return f
}

// list finds what there is, oldest operation first. What is no entry of ours is
// passed over; one that cannot be read is told.
func (p Place) list() (all []Found, err error) {
	operations, err := os.ReadDir(filepath.Join(string(p), trashDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, op := range operations {
		if !operationName.MatchString(op.Name()) {
			continue
		}
		volumes, err := os.ReadDir(filepath.Join(string(p), trashDir, op.Name()))
		if err != nil {
			return nil, err
		}
		for _, v := range volumes {
			if !volumeName.MatchString(v.Name()) {
				continue
			}
			if f := p.one(Locate, Item{Operation: op.Name(), Volume: v.Name()}); f.Where == InTrash || f.Where == InBoth || f.Error != "" {
				all = append(all, f)
			}
		}
	}
	return all, nil
}
