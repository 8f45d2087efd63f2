package trash

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// drop removes an entry that has no data, and its operation's directory with the
// last one. Whatever an interrupted write of entry.json left behind is removed too.
func (p Place) drop(item Item) error {
	dir := p.entry(item.Operation, item.Volume)
	in, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var paths []string
	for _, e := range in {
		if strings.HasPrefix(e.Name(), entryName) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	for _, path := range append(paths, dir) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	above := filepath.Dir(dir)
	if err := os.Remove(above); err == nil || errors.Is(err, fs.ErrNotExist) {
		above = filepath.Dir(above) // it was the last one
	}
	if err := durable.SyncDir(above); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil // something else dropped the last one, or there never was a trash
}

// purge deletes an entry with its data.
//
//   - A crash before the rename leaves all as it was.
//   - After it some of the data is left, under another name, so that nobody takes
//     it for the whole; purging again continues from there.
func (p Place) purge(item Item) (ended bool, err error) {
	dir := p.entry(item.Operation, item.Volume)
	if err := p.step("end", item.Volume); err != nil {
		return false, err
	}
	err = p.move(item.Volume, filepath.Join(dir, dataName), filepath.Join(dir, endName), renameNew)
	if there, look := exists(filepath.Join(dir, endName)); !there || look != nil { // something else was faster
		return false, errors.Join(err, look)
	}
	// The process that renamed it may have been killed. Half-deleted data must not get
	// its old name back.
	if err := durable.SyncDir(dir); err != nil {
		return false, err
	}
	if err := p.step("purge", item.Volume); err != nil {
		return false, err
	}
	if err := os.RemoveAll(filepath.Join(dir, endName)); err != nil {
		return false, err
	}
	if err := p.step("drop", item.Volume); err != nil {
		return true, err
	}
	return true, p.drop(item)
}
