package archive

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// all lists what is below a directory, sorted.
func all(t testing.TB, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if rel, _ := filepath.Rel(dir, path); rel != "." {
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// half is a draft with two archives, one of which was given up.
func half(t testing.TB) *Draft {
	t.Helper()
	d := begun(t)
	if err := d.Save(t.Context(), &Volume{Name: "v"}, 1, fromTar(stream(t, dir("./")))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Save(ctx, &Volume{Name: "w"}, 1, fromTar(stream(t, dir("./")))); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return d
}

// A draft goes with all that was written to it.
func TestDrop(t *testing.T) {
	d := half(t)
	if got := all(t, d.Dir()); !slices.Equal(got, []string{"volumes", "volumes/v.tar.zst", "volumes/w.tar.zst"}) {
		t.Errorf("%q", got)
	}
	for range 2 {
		if err := d.Drop(); err != nil {
			t.Error(err)
		}
	}
	if got := all(t, filepath.Dir(d.Dir())); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
}

// So does one that could not be finished, with its manifest. A finished export
// stays.
func TestDropAroundFinish(t *testing.T) {
	d := half(t)
	if err := os.MkdirAll(filepath.Join(d.Final(), "something"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Finish(Manifest{}); err == nil {
		t.Fatal("it took the place of something else")
	}
	if err := d.Drop(); err != nil {
		t.Error(err)
	}
	if got := all(t, filepath.Dir(d.Dir())); len(got) != 2 {
		t.Errorf("left: %q", got)
	}
	e := exported(t, fromTar(stream(t, dir("./"))))
	whole := &Draft{dir: e.Dir, final: e.Dir, whole: true}
	if err := whole.Drop(); err == nil || e.Look() != nil {
		t.Error("a finished export was dropped")
	}
}

// What the draft did not make stays, whatever was put where.
func TestDropNothingElse(t *testing.T) {
	for name, change := range map[string]func(d *Draft, outside string) error{
		"another file": func(d *Draft, outside string) error {
			return os.WriteFile(filepath.Join(d.Dir(), "volumes", "mine"), nil, 0o600)
		},
		"another file in a place of ours": func(d *Draft, outside string) error {
			return os.Rename(filepath.Join(outside, "victim"), filepath.Join(d.Dir(), "volumes", "v.tar.zst"))
		},
		"another file made in a place of ours": func(d *Draft, outside string) error {
			path := filepath.Join(d.Dir(), "volumes", "v.tar.zst")
			return errors.Join(os.Remove(path), os.WriteFile(path, []byte("mine"), 0o600))
		},
		"a link in a place of ours": func(d *Draft, outside string) error {
			path := filepath.Join(d.Dir(), "volumes", "v.tar.zst")
			return errors.Join(os.Remove(path), os.Symlink(filepath.Join(outside, "victim"), path))
		},
		"a directory moved out, and a link to it": func(d *Draft, outside string) error {
			from, to := filepath.Join(d.Dir(), "volumes"), filepath.Join(outside, "volumes")
			return errors.Join(os.Rename(from, to), os.Symlink(to, from))
		},
		"the draft moved out, and a link to it": func(d *Draft, outside string) error {
			to := filepath.Join(outside, "draft")
			return errors.Join(os.Rename(d.Dir(), to), os.Symlink(outside, d.Dir()))
		},
	} {
		d, outside := half(t), memoryDir(t)
		if err := errors.Join(os.WriteFile(filepath.Join(outside, "victim"), []byte("mine"), 0o600), change(d, outside)); err != nil {
			t.Fatal(err)
		}
		was := slices.Concat(all(t, outside), all(t, filepath.Dir(d.Dir())))
		if err := d.Drop(); err == nil {
			t.Errorf("%s: it went without a word", name)
		}
		is := slices.Concat(all(t, outside), all(t, filepath.Dir(d.Dir())))
		for _, path := range was {
			ours := strings.HasSuffix(path, "w.tar.zst") || strings.HasSuffix(path, "v.tar.zst") && name == "another file"
			if !ours && !slices.Contains(is, path) {
				t.Errorf("%s: %q is gone", name, path)
			}
		}
	}
}

// A directory that is made for exports keeps them out of Git, and one that was
// there does so when it is said; nothing that is in it changes for that.
func TestIgnore(t *testing.T) {
	project := memoryDir(t)
	parent := filepath.Join(project, ".contextcore", "exports")
	d, err := Begin(parent, "shop", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".gitignore", ".dockerignore"} {
		if data, err := os.ReadFile(filepath.Join(parent, name)); err != nil || string(data) != "*\n" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	if list, err := List(parent); err != nil || !slices.Equal(list, []string{d.Dir()}) {
		t.Errorf("%q, %v", list, err)
	}

	there, outside := memoryDir(t), filepath.Join(memoryDir(t), "file")
	if _, err := Begin(there, "shop", time.Now()); err != nil || len(all(t, there)) != 2 {
		t.Errorf("%q, %v", all(t, there), err)
	}
	err = errors.Join(os.WriteFile(filepath.Join(there, ".gitignore"), []byte("!shop*\n"), 0o600), os.Symlink(outside, filepath.Join(there, ".dockerignore")))
	if err := errors.Join(err, Ignore(there)); err != nil {
		t.Error(err)
	}
	if data, err := os.ReadFile(filepath.Join(there, ".gitignore")); err != nil || string(data) != "!shop*\n" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := os.Lstat(outside); err == nil {
		t.Error("a link was followed")
	}

	need.Command(t, "git")
	if err := os.WriteFile(filepath.Join(project, "compose.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	need.Run(t, "sh", "-c", `cd "$0" && git init -q && echo > .contextcore/exports/shop.sql && git add -A && test "$(git ls-files)" = compose.yaml`, project)
}
