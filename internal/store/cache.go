package store

import (
	"cmp"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
)

// Cache keeps what seals name on this machine, in files named after their sums. What
// has the sum is what was sealed, whoever wrote it, so that a file proves as much as
// the store. nil keeps nothing, and so does a cache whose directory cannot be written.
//
// A crash while a file is written leaves one whose name begins with "new-", which goes
// when room is made. Nothing is synced: what is not whole has another sum.
type Cache struct {
	Dir  string // made when there is something to keep
	Most int64  // bytes that are kept; those that were used last

	mu   sync.Mutex // guards size
	size int64      // of all files, as far as this process knows; 0 before it looked
}

// newName begins the names of files that are being written; a number follows.
const newName = "new-"

// get reads what has a sum, from its file or with read. whole is false where read gets
// something else.
func (c *Cache) get(sum string, read func() ([]byte, error)) (data []byte, whole bool, err error) {
	if data, kept := c.load(sum); kept {
		return data, true, nil
	}
	if data, err = read(); err != nil || audit.Sum(data) != sum {
		return data, false, err
	}
	c.keep(sum, data)
	return data, true, nil
}

// load reads a file, and notes that it was used.
func (c *Cache) load(sum string) (data []byte, kept bool) {
	if c == nil || !audit.IsSum(sum) { // it comes from a seal, which anybody may have made
		return nil, false
	}
	path := filepath.Join(c.Dir, sum)
	f, err := durable.OpenRead(path)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() > packLimit {
		return nil, false
	}
	data = make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil || audit.Sum(data) != sum {
		return nil, false
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // it then goes sooner than it should
	return data, true
}

// keep writes a file with the sum of its content. If it cannot, what would be in it is
// read from the store again.
func (c *Cache) keep(sum string, data []byte) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if durable.MkdirAll(c.Dir, 0o700) != nil {
		return
	}
	if c.size == 0 {
		for _, f := range c.files() {
			c.size += f.Size()
		}
	}
	size := int64(len(data))
	if c.size+size > c.Most {
		c.makeRoom()
	}
	f, err := os.CreateTemp(c.Dir, newName+"*") // mode 0600
	if err != nil {
		return
	}
	_, err = f.Write(data)
	if err = cmp.Or(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(c.Dir, sum))
	}
	if err != nil {
		os.Remove(f.Name())
		return
	}
	c.size += size
}

// makeRoom removes what was used longest ago, so that a quarter of the room is free.
func (c *Cache) makeRoom() {
	files := c.files()
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	c.size = 0
	for _, f := range slices.Backward(files) {
		if c.size += f.Size(); c.size > c.Most/4*3 {
			c.size -= f.Size()
			os.Remove(filepath.Join(c.Dir, f.Name()))
		}
	}
}

// files are those that are kept, and those that a crash left. Others are not ours to
// remove: somebody may have put a link to their directory in place of this one.
func (c *Cache) files() (files []fs.FileInfo) {
	entries, _ := os.ReadDir(c.Dir)
	for _, e := range entries {
		number, new := strings.CutPrefix(e.Name(), newName)
		if ours := audit.IsSum(e.Name()) || new && strings.Trim(number, "0123456789") == ""; !ours {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			files = append(files, info)
		}
	}
	return files
}
