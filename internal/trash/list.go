package trash

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// leftLife is how old an entry without data must be to be a leftover: no operation
// needs it any longer.
const leftLife = 30 * 24 * time.Hour

// left reports whether it is one. Without an entry its directory is from a write or
// a removal that was interrupted, and was last changed then.
func (f Found) left(dir fs.DirEntry) bool {
	if f.Error != "" || f.Where != InVolume && f.Where != Nowhere {
		return false
	}
	if f.Entry != nil {
		return time.Since(f.Entry.Kept) > leftLife
	}
	info, err := dir.Info()
	return err == nil && time.Since(info.ModTime()) > leftLife
}

// list finds what there is, oldest operation first. What is not an entry of ours, or
// has no data, is skipped; one that cannot be read is reported.
func (p Place) list() (all []Found, err error) {
	operations, err := os.ReadDir(filepath.Join(p.Root, trashDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, op := range operations {
		if !isOperation(op.Name()) {
			continue
		}
		volumes, err := os.ReadDir(filepath.Join(p.Root, trashDir, op.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // its last one was removed just now
		}
		if err != nil {
			return nil, err
		}
		for _, v := range volumes {
			if !inventory.IsVolumeName(v.Name()) {
				continue
			}
			item := Item{Operation: op.Name(), Volume: v.Name()}
			f := p.one(DoLocate, item)
			if f.left(v) {
				_ = p.drop(item) // the next listing finds it again
			}
			if f.Where == InTrash || f.Where == InBoth || f.Where == Ending || f.Error != "" {
				all = append(all, f)
			}
		}
	}
	return all, nil
}
