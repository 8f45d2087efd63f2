package durable

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Sharing says who, besides its owner, may write what is made. The zero value is
// nobody; the functions of this package are those of the zero value.
//
// Whatever it says: what root makes belongs to the owner of the directory above
// what is ours (the project's, the user's state directory, that of --log FILE),
// since people run sudo and then continue without it.
type Sharing struct {
	Group int // gid of the group that may write too; 0 is none
}

// file and directory widen the mode of what is made.
func (s Sharing) file(mode fs.FileMode) fs.FileMode {
	if s.Group != 0 {
		mode |= mode & 0o600 >> 3
	}
	return mode
}

func (s Sharing) directory(mode fs.FileMode) fs.FileMode {
	if s.Group != 0 {
		mode |= mode&0o700>>3 | fs.ModeSetgid
	}
	return mode
}

// OursToTrust reports whether nobody but this account could have written the
// file: it owns it; or, for root, whoever owns the directory does, since people
// run sudo; or it belongs to the group of s and not everybody may write it. Where
// files have no owners it is always so.
func (s Sharing) OursToTrust(f *os.File, path string) (owner int, ours bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, false, fmt.Errorf("stat %q: %w", path, Cause(err))
	}
	owner, known := Owner(info)
	if !known || owner == os.Geteuid() || s.grouped(info) {
		return owner, true, nil
	}
	if os.Geteuid() != 0 {
		return owner, false, nil
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return owner, false, fmt.Errorf("stat %q: %w", path, Cause(err))
	}
	dirOwner, _ := Owner(dir)
	return owner, dirOwner == owner, nil
}

// OursToTrust is that of a file which no group shares.
func OursToTrust(f *os.File, path string) (owner int, ours bool, err error) {
	return Sharing{}.OursToTrust(f, path)
}

func (s Sharing) grouped(info fs.FileInfo) bool {
	gid, known := group(info)
	return known && s.Group != 0 && gid == s.Group && info.Mode()&0o002 == 0
}
