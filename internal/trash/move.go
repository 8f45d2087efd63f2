package trash

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Where the data of a volume is.
type Where string

// The places.
const (
	InVolume Where = "volume"
	InTrash  Where = "trash"
	// InBoth: the data is in the trash, and under the volume's name there is
	// another _data, which must not be deleted either.
	InBoth Where = "both"
	// Ending: it is being purged, or that was interrupted. It cannot be brought back.
	Ending  Where = "ending"
	Nowhere Where = "nowhere"
)

// look finds the data of a volume that an operation may have set aside.
func (p Place) look(item Item) (f Found, err error) {
	f.Item = item
	dir, entry := p.volume(item.name()), p.entry(item.Operation, item.Volume)
	if f.Made, err = exists(dir); err != nil {
		return f, err
	}
	here, err := exists(filepath.Join(dir, dataName))
	if err != nil {
		return f, err
	}
	if here {
		if f.Empty, err = empty(filepath.Join(dir, dataName)); err != nil {
			return f, err
		}
	}
	e, unread := p.read(item.Operation, item.Volume)
	if unread == nil {
		f.Entry = &e
		is, err := identity(filepath.Join(dir, dataName))
		f.Same = err == nil && is == e.Data
	}
	there, err := exists(filepath.Join(entry, dataName))
	if err != nil {
		return f, err
	}
	ending, err := exists(filepath.Join(entry, endName))
	switch {
	case err != nil:
		return f, err
	case here && there:
		f.Where = InBoth
	case there:
		f.Where = InTrash
	case ending:
		f.Where = Ending
	case here:
		f.Where = InVolume
	default:
		f.Where = Nowhere
	}
	if there && unread != nil { // what is kept cannot be brought back, and that is to be told
		f.Error = unread.Error()
	}
	return f, nil
}

// keepable says why a volume cannot be set aside, or nil: its data must be a
// directory, of the file system that the trash is on, and nothing mounted there.
func (p Place) keepable(volume string) error {
	if !inventory.IsVolumeName(volume) {
		return fmt.Errorf("%q is not a valid volume name", volume)
	}
	data := filepath.Join(p.volume(volume), dataName)
	here, err := exists(data)
	switch {
	case err != nil:
		return err
	case !here:
		return fmt.Errorf("%q: it is not there", data)
	}
	for _, dir := range []string{p.volume(volume), data} {
		same, err := durable.SameFileSystem(dir, filepath.Join(p.Root, trashDir))
		if err != nil {
			return err
		}
		if !same {
			return errors.New("it is on a file system of its own")
		}
	}
	return nil
}

// setAside renames the data of a volume into the trash.
//
//   - A crash before the rename leaves an entry without data, which counts for
//     nothing.
//   - After it the data is in the trash, and the engine has a volume without any,
//     until whoever settles the operation puts it back or finds the volume gone.
func (p Place) setAside(e Entry) error {
	if err := valid(e.Operation, e.Volume); err != nil {
		return err
	}
	data := filepath.Join(p.volume(e.Volume), dataName)
	var err error
	if e.Data, err = identity(data); err != nil {
		return err
	}
	if err := p.step("entry", e.Volume); err != nil {
		return err
	}
	if err := p.write(e); err != nil {
		return err
	}
	if err := p.step("set aside", e.Volume); err != nil {
		return err
	}
	return p.move(e.Volume, data, filepath.Join(p.entry(e.Operation, e.Volume), dataName), renameNew)
}

// putBack renames data out of the trash into a volume that has none. With Swap
// the volume may have an empty directory, which goes, and the entry is dropped.
// Neither overwrites anything: the system itself refuses in the same call.
//
// Without Swap it is a survivor of a teardown. Its entry stays, without data: it
// shows whoever looks again that this is the same volume, whatever the times say.
//
//   - A crash before the rename leaves all as it was.
//   - After it there is an entry without data, which counts for nothing.
func (p Place) putBack(item Item) (moved bool, err error) {
	if made, err := exists(p.volume(item.name())); err != nil || !made {
		return false, errors.Join(err, fmt.Errorf("volume %q does not exist", item.name()))
	}
	// The engine does not make its own directory durable, but the place that the data leaves is.
	if err := durable.SyncDir(filepath.Dir(p.volume(item.name()))); err != nil {
		return false, err
	}
	if err := p.step("put back", item.Volume); err != nil {
		return false, err
	}
	rename := renameNew
	if item.Swap {
		rename = renameEmpty
	}
	from, to := filepath.Join(p.entry(item.Operation, item.Volume), dataName), filepath.Join(p.volume(item.name()), dataName)
	if err := p.move(item.Volume, from, to, rename); err != nil || !item.Swap {
		return err == nil, err
	}
	if err := p.step("drop", item.Volume); err != nil {
		return true, err
	}
	return true, p.drop(item)
}

// move renames a directory and makes both names durable: the new one first. Where
// the directory that it leaves is gone by now, so is the old name.
func (p Place) move(volume, from, to string, rename func(from, to string) error) error {
	if err := rename(from, to); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	if err := p.step("sync", volume); err != nil {
		return err
	}
	made, left := durable.SyncDir(filepath.Dir(to)), durable.SyncDir(filepath.Dir(from))
	if errors.Is(left, fs.ErrNotExist) {
		left = nil
	}
	return errors.Join(made, left)
}

// settled makes it durable that the data is where it was found: the process that moved
// it may have been killed before doing so.
func (p Place) settled(item Item) error {
	err := durable.SyncDir(p.entry(item.Operation, item.Volume))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // it was dropped, after both names were durable
	}
	return errors.Join(durable.SyncDir(p.volume(item.name())), err)
}
