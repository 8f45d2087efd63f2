package archive

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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

// exported is an export of one directory as the volume "v".
func exported(t testing.TB, from Tar) *Export {
	t.Helper()
	d, err := Begin(t.TempDir(), "shop", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	v := Volume{Name: "v", Method: Direct}
	if err := d.Save(&v, 2, from); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Finish(Manifest{Project: "shop", Volumes: []Volume{v}}); err != nil {
		t.Fatal(err)
	}
	e, err := Open(d.Final())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Check(e.Manifest.Volumes[0]); err != nil {
		t.Fatal(err)
	}
	return e
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
	e := exported(t, FromDir(context.Background(), dir, Source{}))
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
	stat := func(name string) (st unix.Stat_t) {
		if err := unix.Lstat(filepath.Join(dir, name), &st); err != nil {
			t.Fatal(err)
		}
		return st
	}
	if a, b, c := stat("a-dir/first"), stat("a-dir/second"), stat("other/third"); a.Ino != b.Ino || a.Ino != c.Ino || a.Nlink != 3 {
		t.Errorf("hard links: %d %d %d, %d names", a.Ino, b.Ino, c.Ino, a.Nlink)
	}
	if s := stat("sparse"); s.Size != 5<<20+17 || s.Blocks*512 > 64<<10 {
		t.Errorf("the sparse file: %d bytes, %d on disk", s.Size, s.Blocks*512)
	}
	if s := stat("all-hole"); s.Size != 1<<20 || s.Blocks != 0 {
		t.Errorf("the hole: %d bytes, %d blocks", s.Size, s.Blocks)
	}
}

// An archive can be unpacked without this program: docs/export.md says how.
func TestByHand(t *testing.T) {
	need.Command(t, "zstd", "tar")
	dir := hardTree(t, trees.Options{}) // GNU tar cannot make longer paths
	e := exported(t, FromDir(context.Background(), dir, Source{}))
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

// fewer is a number of files for go test, or for go test -short.
func fewer(all, short int) int {
	if testing.Short() {
		return short
	}
	return all
}

func TestManyFilesAndNone(t *testing.T) {
	dir, back := tempDir(t), tempDir(t)
	if err := trees.Many(dir, fewer(3000, 1000)); err != nil {
		t.Fatal(err)
	}
	need.Root(t)
	e := exported(t, FromDir(context.Background(), dir, Source{}))
	if err := e.ToDir(context.Background(), e.Manifest.Volumes[0], back); err != nil {
		t.Fatal(err)
	}
	if diff := differences(t, dir, back); len(diff) > 0 {
		t.Error(diff)
	}
	none := exported(t, FromDir(context.Background(), tempDir(t), Source{}))
	if v := none.Manifest.Volumes[0]; v.Entries["directory"] != 1 || len(v.Entries) != 1 || v.Content.Bytes != 0 {
		t.Errorf("an empty volume: %+v", v.Content)
	}
}

// Files that are written to, cut or removed while they are read are noticed.
func TestMoving(t *testing.T) {
	dir := tempDir(t)
	path := filepath.Join(dir, "file")
	for _, c := range []struct {
		name string
		do   func() error
		live bool
		want error
	}{
		{"grows", func() error { return os.WriteFile(path, make([]byte, 900<<10), 0o644) }, false, ErrChanged},
		{"grows, live", func() error { return os.WriteFile(path, make([]byte, 900<<10), 0o644) }, true, nil},
		{"shrinks", func() error { return os.Truncate(path, 300<<10) }, true, ErrChanged},
		{"is touched", func() error { return os.Chtimes(path, time.Now(), time.Unix(1, 0)) }, false, ErrChanged},
		{"rests", func() error { return nil }, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(path, make([]byte, 800<<10), 0o644); err != nil {
				t.Fatal(err)
			}
			done := false
			s := Source{Live: c.live, Read: func(int64) {
				if !done { // after the first piece
					done = true
					if err := c.do(); err != nil {
						t.Error(err)
					}
				}
			}}
			content, err := writeTree(context.Background(), dir, io.Discard, s)
			if !isError(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if noted := len(content.Skipped) == 1; c.want == nil && noted != (c.name == "grows, live") {
				t.Errorf("noted: %+v", content.Skipped)
			}
		})
	}
}

// A directory that goes while the tree is read is noticed.
func TestVanishing(t *testing.T) {
	count := fewer(8_000, 4_000) // more than are read ahead
	last := count/1000 - 1
	for _, live := range []bool{false, true} {
		dir := tempDir(t)
		if err := trees.Many(dir, count); err != nil {
			t.Fatal(err)
		}
		done := false
		content, err := writeTree(context.Background(), dir, io.Discard, Source{Live: live, Read: func(int64) {
			if !done {
				done = true
				need.Run(t, "rm", "-r", filepath.Join(dir, fmt.Sprintf("d%03d", last-1)), filepath.Join(dir, fmt.Sprintf("d%03d", last)))
			}
		}})
		if live && (err != nil || content.Entries["file"] >= int64(count) || len(content.Skipped) == 0) || !live && !isError(err, ErrChanged) {
			t.Errorf("live %v: %v, %+v", live, err, content.Skipped)
		}
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
