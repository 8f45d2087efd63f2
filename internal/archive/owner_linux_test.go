package archive

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// An export that root makes in a user's directory is the user's.
func TestSudoExport(t *testing.T) {
	need.Root(t)
	const ana = 4711
	home := t.TempDir()
	if err := os.Chown(home, ana, ana); err != nil {
		t.Fatal(err)
	}
	d, err := Begin(filepath.Join(home, "backups"), "shop", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	v := Volume{Name: "data"}
	if err := d.Save(t.Context(), &v, 1, fromTar(stream(t, dir("./"), file("./a")))); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Finish(Manifest{Volumes: []Volume{v}}); err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = filepath.WalkDir(home, func(path string, _ fs.DirEntry, _ error) error {
		info, err := os.Lstat(path)
		if err == nil && info.Sys().(*syscall.Stat_t).Uid != ana {
			t.Errorf("%s is not the user's", path)
		}
		seen++
		return err
	})
	if err != nil || seen != 9 {
		t.Errorf("%d files and directories, %v", seen, err)
	}
}
