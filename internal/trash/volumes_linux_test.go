package trash

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// volumes are some of an engine, and what was in them.
type volumes struct {
	t     *testing.T
	disk  *disk
	names []string
	trees map[string]map[string]string // by name: that of tree
	step  func(step, volume string) error
}

// makeVolumes makes volumes of so many files each, and makes them durable.
func makeVolumes(t *testing.T, d *disk, files int, names ...string) *volumes {
	t.Helper()
	v := &volumes{t: t, disk: d, names: names, trees: map[string]map[string]string{}}
	for _, name := range names {
		data := v.data(name)
		must(t, os.MkdirAll(filepath.Join(data, "sub"), 0o750))
		for i := range files {
			must(t, os.WriteFile(filepath.Join(data, "sub", fmt.Sprint(i)), fmt.Appendf(nil, "%s %d", name, i), 0o640))
		}
		must(t, os.Link(filepath.Join(data, "sub", "0"), filepath.Join(data, "link")))
		must(t, os.Symlink("sub/0", filepath.Join(data, "symlink")))
		v.trees[name] = v.tree(data)
	}
	d.sync()
	return v
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (v *volumes) data(name string) string {
	return filepath.Join(v.disk.place().volume(name), dataName)
}

func (v *volumes) kept(name, as string) string {
	return filepath.Join(v.disk.place().entry(op, name), as)
}

// tree is all of a directory, inode for inode; nil when it is not there.
func (v *volumes) tree(dir string) map[string]string {
	v.t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		var content []byte
		if e.Type().IsRegular() {
			content, err = os.ReadFile(path)
		}
		st := info.Sys().(*syscall.Stat_t)
		all[strings.TrimPrefix(path, dir)] = fmt.Sprintf("%d %s %d %d %q", st.Ino, info.Mode(), st.Nlink, info.ModTime().UnixNano(), content)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) && len(all) == 0 {
		return nil
	}
	must(v.t, err)
	return all
}

// at tells where the data of a volume is, by its inode. It is in one place at most,
// and complete unless it is being ended; in the trash it has an entry that can be
// read.
func (v *volumes) at(name string) Where {
	v.t.Helper()
	var places []Where
	for where, path := range map[Where]string{InVolume: v.data(name), InTrash: v.kept(name, dataName), Ending: v.kept(name, endName)} {
		tree := v.tree(path)
		if tree == nil || inode(tree) != inode(v.trees[name]) {
			continue
		}
		places = append(places, where)
		if where != Ending && !maps.Equal(tree, v.trees[name]) {
			v.t.Errorf("volume %s is not complete in the %s:\n%v\n%v", name, where, tree, v.trees[name])
		}
		if where == InTrash {
			is, err := identity(path)
			e, unread := v.disk.place().read(op, name)
			if err := errors.Join(err, unread); err != nil || e.Data != is {
				v.t.Errorf("volume %s is in the trash, with the entry %+v: %v", name, e, err)
			}
		}
	}
	slices.Sort(places)
	switch len(places) {
	case 0:
		return Nowhere
	case 1:
		return places[0]
	}
	v.t.Errorf("volume %s is in %v", name, places)
	return InBoth
}

// inode is the inode of the directory itself.
func inode(tree map[string]string) string { return strings.Fields(tree[""])[0] }

// places is where all of them are.
func (v *volumes) places() map[string]Where {
	v.t.Helper()
	all := map[string]Where{}
	for _, name := range v.names {
		all[name] = v.at(name)
	}
	return all
}

// all fails unless all of them are in one place.
func (v *volumes) all(want Where, when string) {
	v.t.Helper()
	for name, is := range v.places() {
		if is != want {
			v.t.Errorf("%s: the data of volume %s is in: %s, want: %s", when, name, is, want)
		}
	}
}

func (v *volumes) items(swap bool) (items []Item) {
	for _, name := range v.names {
		items = append(items, Item{Operation: op, Volume: name, Swap: swap})
	}
	return items
}

// leftovers are what is in the trash beside data.
func (v *volumes) leftovers() (all []string) {
	v.t.Helper()
	top := filepath.Join(v.disk.place().Root, trashDir)
	err := filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		if path != top && err == nil {
			all = append(all, path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	must(v.t, err)
	return all
}
