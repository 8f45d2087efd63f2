package archive

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// An export that holds other things than files is refused, and nothing is waited
// for.
func TestNothingButFilesInAnExport(t *testing.T) {
	outside := filepath.Join(memoryDir(t), "file")
	for name, change := range map[string]func(path string) error{
		"a link":      func(path string) error { return errors.Join(os.Rename(path, outside), os.Symlink(outside, path)) },
		"a directory": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"nothing":     os.Remove,
	} {
		for _, which := range []string{manifestName, "volumes/v.tar.zst"} {
			e := exported(t, fromTar(stream(t, dir("./"))))
			v := e.Manifest.Volumes[0]
			if err := change(filepath.Join(e.Dir, which)); err != nil {
				t.Fatal(err)
			}
			_, err := Open(e.Dir)
			if which == manifestName {
				if err == nil {
					t.Errorf("%s in the place of %s: %v", name, which, err)
				}
				continue
			}
			if err != nil || e.Look() == nil || e.Check(t.Context(), v) == nil {
				t.Errorf("%s in the place of %s: %v, %v, %v", name, which, err, e.Look(), e.Check(t.Context(), v))
			}
		}
	}
}

// A path from a log is looked at only below the directories of exports.
func TestOpenListed(t *testing.T) {
	at := func(e *Export) string { return filepath.Dir(e.Dir) }
	e, other := exported(t, fromTar(stream(t, dir("./")))), exported(t, fromTar(stream(t, dir("./"))))
	ours, name := at(e), filepath.Base(e.Dir)
	around := memoryDir(t)
	alias := filepath.Join(around, "alias")
	err := errors.Join(os.Symlink(ours, alias), os.Symlink(e.Dir, filepath.Join(ours, "link")), os.Symlink(name, filepath.Join(ours, "inner")),
		os.Symlink(at(other), filepath.Join(ours, "out")), os.WriteFile(filepath.Join(ours, "file"), nil, 0o600))
	if err != nil {
		t.Skip(err) // Windows, for an account that may make no links
	}
	dirs := []string{filepath.Join(around, "missing"), ours}
	for _, path := range []string{e.Dir, e.Dir + "/", filepath.Join(ours, "x") + "/../" + name} {
		l, err := OpenListed(path, dirs)
		if err != nil {
			t.Errorf("%q: %v", path, err)
			continue
		}
		if err := errors.Join(l.Look(), l.Check(t.Context(), l.Manifest.Volumes[0])); err != nil || l.Sum != e.Sum {
			t.Errorf("%q: %v", path, err)
		}
	}
	// Where the directory is named by a link, its exports can be named by what it is.
	if _, err := OpenListed(e.Dir, []string{alias}); err != nil {
		t.Error(err)
	}
	if _, err := OpenListed(filepath.Join(alias, name), []string{alias}); err != nil {
		t.Error(err)
	}
	for _, path := range []string{
		"", ".", name, "../" + name, other.Dir, ours, ours + "/.", filepath.Join(ours, name, "..", "..", filepath.Base(at(other)), filepath.Base(other.Dir)),
		"/" + e.Dir, `\\host\share\` + name, "//host/share/" + name, `\/host/share`, filepath.Join(alias, name), ours + "x/" + name,
	} {
		if _, err := OpenListed(path, dirs); !errors.Is(err, ErrElsewhere) {
			t.Errorf("%q: %v", path, err)
		}
	}
	for _, path := range []string{"link", "inner", "out", "out/" + filepath.Base(other.Dir), "file", "missing", name + "/volumes", "a\x00b"} {
		if _, err := OpenListed(filepath.Join(ours, path), dirs); err == nil {
			t.Errorf("%q was opened", path)
		}
	}
	if _, err := OpenListed(e.Dir, nil); !errors.Is(err, ErrElsewhere) {
		t.Error(err)
	}
	// What is exchanged afterwards is not followed either.
	l, err := OpenListed(e.Dir, dirs)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Rename(e.Dir, filepath.Join(around, "moved")), os.Symlink(filepath.Join(around, "moved"), e.Dir)); err != nil {
		t.Fatal(err)
	}
	if l.Look() == nil || l.Check(t.Context(), l.Manifest.Volumes[0]) == nil {
		t.Error("a link was followed")
	}
}
