package trash

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// The actions of a request.
const (
	DoSurvey   = "survey"    // Items: find out whether each can be kept; and what there is
	DoSetAside = "set-aside" // Entries: all of them, or none
	DoPutBack  = "put-back"  // Items, each
	DoLocate   = "locate"    // Items, each
	DoList     = "list"      // what there is
	DoPurge    = "purge"     // Items, each
)

// Item is a volume that an operation set aside.
type Item struct {
	Operation string `json:"operation,omitempty"`
	Volume    string `json:"volume"`
	As        string `json:"as,omitempty"`   // its name now, if that differs
	Swap      bool   `json:"swap,omitempty"` // DoPutBack: an empty directory may be in the way
}

func (i Item) name() string { return cmp.Or(i.As, i.Volume) }

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
	Made  bool   `json:"made,omitempty"`  // the engine has a directory for the volume
	Empty bool   `json:"empty,omitempty"` // and there is nothing in its _data, which is there
	Same  bool   `json:"same,omitempty"`  // and its _data is certainly that of the entry
	Acted bool   `json:"acted,omitempty"` // this call put it back, or purged it
	Error string `json:"error,omitempty"` // why the action on it failed
}

// Response is the result of a request.
type Response struct {
	Found []Found `json:"found,omitempty"` // of the items, in their order
	Held  []Found `json:"held,omitempty"`  // DoSurvey and DoList: what there is, oldest first
	Space Space   `json:"space"`
	Error string  `json:"error,omitempty"` // of the whole
}

// Failed is the error of the whole, or nil.
func (r Response) Failed() error {
	if r.Error == "" {
		return nil
	}
	return errors.New(r.Error)
}

// Space is that of the file system of the engine's data directory, in bytes. A
// total of 0 is not known.
type Space struct {
	Total uint64 `json:"total"`
	Free  uint64 `json:"free"`
}

// Shelf performs requests, wherever the trash is.
type Shelf interface {
	// Do performs one. An error says that nothing of it was done, or, for SetAside,
	// that all of it was undone, unless it was interrupted: then it is unknown.
	Do(context.Context, Request) (Response, error)
}

// Do performs a request on the file system of this host.
func (p Place) Do(ctx context.Context, r Request) (out Response, err error) {
	switch r.Action {
	case DoSurvey:
		if err = p.probe(); err == nil {
			out.Held, err = p.list()
		}
		for _, item := range r.Items {
			out.Found = append(out.Found, failed(Found{Item: item}, p.keepable(item.Volume)))
		}
	case DoSetAside:
		err = p.setAllAside(ctx, r.Entries)
	case DoList:
		out.Held, err = p.list()
	case DoPutBack, DoLocate, DoPurge:
		for _, item := range r.Items {
			if ctx.Err() != nil {
				return out, ctx.Err()
			}
			out.Found = append(out.Found, p.one(r.Action, item))
		}
	default:
		err = fmt.Errorf("%q is no action of the trash", r.Action)
	}
	out.Space.Total, out.Space.Free, _ = durable.Space(p.Root) // unknown is 0
	return out, err
}

// probe makes sure that data can be renamed between the two directories.
func (p Place) probe() error {
	volumes, trash := filepath.Join(p.Root, volumesDir), filepath.Join(p.Root, trashDir)
	if here, err := exists(volumes); err != nil || !here {
		return errors.Join(err, fmt.Errorf("%q is not the data directory of an engine", p.Root))
	}
	if err := durable.MkdirAll(trash, 0o700); err != nil {
		return err
	}
	same, err := durable.SameFileSystem(volumes, trash)
	if err == nil && !same {
		err = fmt.Errorf("%q and %q are on two file systems", volumes, trash)
	}
	return errors.Join(err, durable.Writable(volumes))
}

func (p Place) one(action string, item Item) (f Found) {
	if err := errors.Join(valid(item.Operation, item.Volume), valid(item.Operation, item.name())); err != nil {
		return failed(Found{Item: item}, err)
	}
	before, err := p.look(item)
	if err != nil || action == DoLocate {
		return failed(before, err)
	}
	acted := false
	switch {
	case action == DoPutBack && (before.Where == InTrash || before.Where == InBoth):
		acted, err = p.putBack(item)
	case action == DoPutBack && before.Where == InVolume:
		err = p.settled(item)
	case action == DoPurge && before.Where != InVolume && before.Where != Nowhere:
		acted, err = p.purge(item)
	case action == DoPurge:
		err = p.drop(item) // an entry without data has no effect
	}
	after, looked := p.look(item)
	after.Acted = acted
	after.Entry = cmp.Or(after.Entry, before.Entry)
	return failed(after, cmp.Or(err, looked))
}

func failed(f Found, err error) Found {
	if err != nil {
		f.Error = err.Error()
	}
	return f
}
