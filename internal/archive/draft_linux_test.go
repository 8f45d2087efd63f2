package archive

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// A full disk has its room back when Save returns, and all of it after Drop.
func TestFullDisk(t *testing.T) {
	need.Root(t)
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
		need.That(t, "permission to mount", false)
	}
	defer func() {
		if err := unix.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	}()
	free := func() uint64 {
		var st unix.Statfs_t
		if err := unix.Statfs(disk, &st); err != nil {
			t.Fatal(err)
		}
		return st.Bfree * uint64(st.Bsize)
	}
	before := free()
	d, err := Begin(filepath.Join(disk, "exports"), "shop", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	err = d.Save(t.Context(), &Volume{Name: "v"}, 1, func(_ context.Context, w io.Writer) (Content, error) {
		_, err := io.Copy(w, io.LimitReader(rand.Reader, 16<<20))
		return Content{}, err
	})
	if !errors.Is(err, unix.ENOSPC) {
		t.Error(err)
	}
	if is := free(); before-is > 64<<10 {
		t.Errorf("%d bytes are taken after a failure", before-is)
	}
	if err := d.Drop(); err != nil {
		t.Error(err)
	}
	if list, err := os.ReadDir(filepath.Join(disk, "exports")); err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
}
