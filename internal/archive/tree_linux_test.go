package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/lab/trees"
)

// tempDir is a directory that is removed even where a path in it is too long
// for the standard library.
func tempDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() { need.Run(t, "rm", "-rf", filepath.Join(dir, "t")) })
	sub := filepath.Join(dir, "t")
	if err := os.Mkdir(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	return sub
}

func hardTree(t testing.TB, o trees.Options) string {
	t.Helper()
	need.Root(t)
	dir := tempDir(t)
	if err := trees.Hard(dir, o); err != nil {
		t.Fatal(err)
	}
	return dir
}

// differences compares two directories, each read by writeTree.
func differences(t testing.TB, a, b string) []string {
	t.Helper()
	pipe := func(dir string) *entries {
		r, w := io.Pipe()
		go func() {
			_, err := writeTree(context.Background(), dir, w, Source{})
			w.CloseWithError(err)
		}()
		t.Cleanup(func() { r.Close() })
		return readEntries(r, "./")
	}
	out, err := compare(pipe(a), pipe(b), false)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What is read directly and written directly is the same, entry by entry, by
// our own reading and by the tools of the system.
func TestHardTree(t *testing.T) {
	dir := hardTree(t, trees.Options{Long: true})
	e := exported(t, FromDir(dir, Source{}))
	v := e.Manifest.Volumes[0]
	back := tempDir(t)
	if err := e.ToDir(context.Background(), v, back); err != nil {
		t.Fatal(err)
	}
	if diff := differences(t, dir, back); len(diff) > 0 {
		t.Errorf("after the restore: %s", strings.Join(diff, "\n"))
	}
	if diff, err := e.CompareDir(context.Background(), v, back); err != nil || len(diff) > 0 {
		t.Errorf("compared with the archive: %v, %q", err, diff)
	}
	want := map[string]int64{"file": 15, "directory": 30, "hardlink": 2, "symlink": 4, "fifo": 1, "device": 2}
	for kind, n := range want {
		if v.Entries[kind] != n {
			t.Errorf("%d of %s, want %d", v.Entries[kind], kind, n)
		}
	}
	if len(v.Skipped) != 1 || v.Skipped[0].What != "socket" || v.Skipped[0].Names[0] != "./socket" || v.Skipped[0].Count != 1 {
		t.Errorf("skipped: %+v", v.Skipped)
	}
	if v.Root != (Root{"2751", 999, 998}) {
		t.Errorf("root: %+v", v.Root)
	}
	attributesByTools(t, dir, back)
	linksAndHoles(t, back)
}

// attributesByTools compares what stat and getfattr-like calls of the system
// say of both trees, without any of our reading.
func attributesByTools(t *testing.T, a, b string) {
	t.Helper()
	list := func(dir string) string {
		cmd := exec.Command("find", ".", "!", "-type", "s", "-printf", `%P %y %m %U %G %T@ %l\n`)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		lines := slices.Sorted(strings.Lines(string(out)))
		return strings.Join(lines, "")
	}
	if x, y := list(a), list(b); x != y {
		t.Errorf("find says of the one:\n%s\nof the other:\n%s", x, y)
	}
	for name, key := range map[string]string{"plain": "user.note", "empty-dir": "user.dir", "large": "security.capability",
		"a-dir.between": "system.posix_acl_access", "other": "system.posix_acl_default"} {
		x, y := make([]byte, 100), make([]byte, 100)
		n, err := unix.Lgetxattr(filepath.Join(a, name), key, x)
		m, err2 := unix.Lgetxattr(filepath.Join(b, name), key, y)
		if err != nil || err2 != nil || !bytes.Equal(x[:n], y[:m]) {
			t.Errorf("%s of %s: %q, %q, %v, %v", key, name, x[:n], y[:m], err, err2)
		}
	}
}

func linksAndHoles(t *testing.T, dir string) {
	t.Helper()
	at := func(name string) unix.Stat_t { return stat(t, filepath.Join(dir, name)) }
	if a, b, c := at("a-dir/first"), at("a-dir/second"), at("other/third"); a.Ino != b.Ino || a.Ino != c.Ino || a.Nlink != 3 {
		t.Errorf("hard links: %d %d %d, %d names", a.Ino, b.Ino, c.Ino, a.Nlink)
	}
	if s := at("sparse"); s.Size != 5<<20+17 || s.Blocks*512 > 64<<10 {
		t.Errorf("the sparse file: %d bytes, %d on disk", s.Size, s.Blocks*512)
	}
	if s := at("all-hole"); s.Size != 1<<20 || s.Blocks != 0 {
		t.Errorf("the hole: %d bytes, %d blocks", s.Size, s.Blocks)
	}
}

// An archive can be unpacked without this program: docs/export.md says how.
func TestByHand(t *testing.T) {
	need.Command(t, "zstd", "tar")
	dir := hardTree(t, trees.Options{}) // GNU tar cannot make longer paths
	e := exported(t, FromDir(dir, Source{}))
	back := tempDir(t)
	need.Run(t, "sh", "-c", "zstd -d < "+filepath.Join(e.Dir, "volumes/v.tar.zst")+" | tar -x -p --numeric-owner --xattrs --xattrs-include='*' -C "+back)
	if diff, err := e.CompareDir(context.Background(), e.Manifest.Volumes[0], back); err != nil || len(diff) > 0 {
		t.Errorf("%v\n%s", err, strings.Join(diff, "\n"))
	}
	sums := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	sums.Dir = e.Dir
	if out, err := sums.CombinedOutput(); err != nil || strings.Count(string(out), ": OK") != 2 {
		t.Errorf("%v\n%s", err, out)
	}
	err := filepath.WalkDir(e.Dir, func(path string, d fs.DirEntry, err error) error {
		info, _ := d.Info()
		if want := map[bool]fs.FileMode{true: 0o700 | fs.ModeDir, false: 0o600}[d.IsDir()]; info.Mode() != want {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestManyFilesAndNone(t *testing.T) {
	dir, back := memoryDir(t), memoryDir(t)
	if err := trees.Many(dir, 3000); err != nil {
		t.Fatal(err)
	}
	need.Root(t)
	e := exported(t, FromDir(dir, Source{}))
	if err := e.ToDir(context.Background(), e.Manifest.Volumes[0], back); err != nil {
		t.Fatal(err)
	}
	if diff := differences(t, dir, back); len(diff) > 0 {
		t.Error(diff)
	}
	none := exported(t, FromDir(tempDir(t), Source{}))
	if v := none.Manifest.Volumes[0]; v.Entries["directory"] != 1 || len(v.Entries) != 1 || v.Content.Bytes != 0 {
		t.Errorf("an empty volume: %+v", v.Content)
	}
}

// Everything that is left out is counted, wherever it stands among the others;
// the first are named.
func TestSkippedAreCounted(t *testing.T) {
	dir := tempDir(t)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir) // an address is of 108 bytes at most
	const sockets = 150
	for i := range sockets {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Bind(fd, &unix.SockaddrUnix{Name: fmt.Sprintf("s%03d", i)}); err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
	}
	if err := os.WriteFile("large", make([]byte, 2*smallFile), 0o644); err != nil { // before the sockets of its batch
		t.Fatal(err)
	}
	t.Chdir(here)
	c, err := writeTree(context.Background(), dir, io.Discard, Source{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Skipped) != 1 || c.Skipped[0].Count != sockets || len(c.Skipped[0].Names) != namedSkips || c.Skipped[0].Names[0] != "./s000" {
		t.Errorf("%+v", c.Skipped)
	}
}

// A pipe in the place of a file of an export keeps nobody waiting.
func TestPipeInAnExport(t *testing.T) {
	for _, which := range []string{manifestName, "volumes/v.tar.zst"} {
		e := exported(t, fromTar(stream(t, dir("./"))))
		path := filepath.Join(e.Dir, which)
		if err := errors.Join(os.Remove(path), unix.Mkfifo(path, 0o600)); err != nil {
			t.Fatal(err)
		}
		_, err := Open(e.Dir)
		if which != manifestName {
			err = e.Check(t.Context(), e.Manifest.Volumes[0])
		}
		if !errors.Is(err, durable.ErrNotRegular) {
			t.Errorf("%s: %v", which, err)
		}
	}
}
