package trash

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// Where the data of a volume is.
type Where string

// The places. Both says that the engine made new data under the old name, which
// is nobody's to throw away.
const (
	InVolume Where = "volume"
	InTrash  Where = "trash"
	InBoth   Where = "both"
	Nowhere  Where = "nowhere"
)

// where finds the data of a volume that an operation may have set aside. made
// reports whether the engine has the volume at all.
func (p Place) where(operation, volume string) (w Where, made bool, err error) {
	made, err = exists(p.volume(volume))
	if err != nil {
		return "", false, err
	}
	here, err := exists(filepath.Join(p.volume(volume), dataName))
	if err != nil {
		return "", made, err
	}
	there, err := exists(filepath.Join(p.entry(operation, volume), dataName))
	if err != nil {
		return "", made, err
	}
	switch {
	case here && there:
		return InBoth, made, nil
	case here:
		return InVolume, made, nil
	case there:
		return InTrash, made, nil
	}
	return Nowhere, made, nil
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
	from, dir := filepath.Join(p.volume(e.Volume), dataName), p.entry(e.Operation, e.Volume)
	if here, err := exists(from); err != nil || !here {
		return errors.Join(err, fmt.Errorf("volume %q has no data at %q", e.Volume, from))
	}
	if err := p.write(e); err != nil {
		return err
	}
	return move(from, filepath.Join(dir, dataName))
}

// putBack renames data out of the trash into a volume that has none, or whose
// data is empty, and drops the entry. as is the volume's name now.
//
//   - A crash after the empty directory was removed leaves a volume without data,
//     and the data in the trash: putting back again goes on from there.
//   - A crash after the rename leaves an entry without data, which counts for
//     nothing.
func (p Place) putBack(operation, volume, as string) error {
	if err := errors.Join(valid(operation, volume), valid(operation, as)); err != nil {
		return err
	}
	from, to := filepath.Join(p.entry(operation, volume), dataName), filepath.Join(p.volume(as), dataName)
	if there, err := exists(from); err != nil || !there {
		return errors.Join(err, fmt.Errorf("volume %q: its data is not in the trash", volume))
	}
	if made, err := exists(p.volume(as)); err != nil || !made {
		return errors.Join(err, fmt.Errorf("volume %q is not there", as))
	}
	// Removing fails on a directory that is not empty: nothing is overwritten.
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("volume %q has content: %w", as, durable.Cause(err))
	}
	if err := move(from, to); err != nil {
		return err
	}
	return p.drop(operation, volume)
}

// move renames a directory and makes both names durable.
func move(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("set %q aside: %w", from, err)
	}
	return errors.Join(durable.SyncDir(filepath.Dir(to)), durable.SyncDir(filepath.Dir(from)))
}

// drop removes an entry that has no data, and its operation's directory with the
// last one.
func (p Place) drop(operation, volume string) error {
	dir := p.entry(operation, volume)
	if err := os.Remove(filepath.Join(dir, entryName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_ = os.Remove(filepath.Dir(dir)) // others are in it
	return durable.SyncDir(filepath.Join(string(p), trashDir))
}

// purge ends an entry with its data. A crash in it leaves some of the data, and
// the entry: purging again goes on from there.
func (p Place) purge(operation, volume string) error {
	if err := valid(operation, volume); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(p.entry(operation, volume), dataName)); err != nil {
		return fmt.Errorf("purge volume %q: %w", volume, err)
	}
	return p.drop(operation, volume)
}
