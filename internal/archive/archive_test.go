package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

func isError(err, want error) bool {
	if want == nil {
		return err == nil
	}
	return errors.Is(err, want)
}

// stream is a tar of these headers; each file has its name as content.
func stream(t testing.TB, headers ...*tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(h.Name))
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(w, h.Name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func dir(name string) *tar.Header { return &tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755} }

func file(name string) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}
}

func link(kind byte, name, target string) *tar.Header {
	return &tar.Header{Typeflag: kind, Name: name, Linkname: target}
}

// fromTar takes a finished tar as the content of a volume, however bad it is.
func fromTar(data []byte) Tar {
	return func(_ context.Context, w io.Writer) (Content, error) {
		_, err := w.Write(data)
		return Content{}, err
	}
}

// memoryDir is a directory in memory where there is one: what is synced in it, or
// is much, takes no time.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "archive-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { need.Run(t, "rm", "-rf", dir) })
	return dir
}

// exported is an export of one directory as the volume "v".
func exported(t testing.TB, from Tar) *Export {
	t.Helper()
	return exportedAs(t, "v", from)
}

func exportedAs(t testing.TB, name string, from Tar) *Export {
	t.Helper()
	d, err := Begin(memoryDir(t), "shop", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	v := Volume{Name: name, Method: Direct}
	if err := d.Save(t.Context(), &v, 2, from); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Finish(Manifest{Project: "shop", Volumes: []Volume{v}}); err != nil {
		t.Fatal(err)
	}
	e, err := Open(d.Final())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Check(t.Context(), e.Manifest.Volumes[0]); err != nil {
		t.Fatal(err)
	}
	return e
}

// An archive that would write outside of its volume, or through a link, is
// refused, by every way of writing, and nothing is there afterwards.
func TestUnsafe(t *testing.T) {
	for _, c := range []struct {
		name string
		tar  []*tar.Header
	}{
		{"climbs out", []*tar.Header{dir("./"), file("./../out")}},
		{"climbs out by the prefix", []*tar.Header{dir("./"), file("../out")}},
		{"climbs in the middle", []*tar.Header{dir("./"), dir("./a/"), file("./a/../../out")}},
		{"is absolute", []*tar.Header{dir("./"), file("/tmp/out")}},
		{"has two slashes", []*tar.Header{dir("./"), file(".//tmp/out")}},
		{"has no root", []*tar.Header{file("./out")}},
		{"has two roots", []*tar.Header{dir("./"), link(tar.TypeSymlink, "./", "/tmp")}},
		{"goes through a link", []*tar.Header{dir("./"), link(tar.TypeSymlink, "./a", "/tmp"), file("./a/out")}},
		{"goes through a link of an earlier directory's name", []*tar.Header{dir("./"), dir("./a/"), link(tar.TypeSymlink, "./b", ".."), file("./b/out")}},
		{"has no directory for it", []*tar.Header{dir("./"), file("./a/out")}},
		{"goes back to a directory", []*tar.Header{dir("./"), dir("./a/"), dir("./b/"), file("./a/out")}},
		{"links out", []*tar.Header{dir("./"), link(tar.TypeLink, "./a", "../../etc/passwd")}},
		{"links to an absolute path", []*tar.Header{dir("./"), link(tar.TypeLink, "./a", "/etc/passwd")}},
		{"is of an unknown type", []*tar.Header{dir("./"), link('V', "./a", "")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := exported(t, fromTar(stream(t, c.tar...)))
			v := e.Manifest.Volumes[0]
			if err := e.ToStream(t.Context(), v, io.Discard, "vol0001/"); !errors.Is(err, ErrUnsafe) {
				t.Errorf("as a stream: %v", err)
			}
			around := memoryDir(t)
			into := filepath.Join(around, "volume")
			if err := os.Mkdir(into, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := e.ToDir(t.Context(), v, into); !errors.Is(err, ErrUnsafe) && !errors.Is(err, ErrNoDirect) {
				t.Errorf("into a directory: %v", err)
			}
			if list, _ := os.ReadDir(around); len(list) != 1 {
				t.Errorf("something was written outside: %v", list)
			}
			if _, err := os.Stat("/tmp/out"); err == nil {
				t.Error("something was written to /tmp")
			}
		})
	}
}

// A hard link whose target lies behind a symbolic one is refused as well.
func TestLinkThroughLink(t *testing.T) {
	e := exported(t, fromTar(stream(t, dir("./"), link(tar.TypeSymlink, "./etc", "/etc"), link(tar.TypeLink, "./passwd", "./etc/passwd"))))
	into := memoryDir(t)
	if err := e.ToDir(t.Context(), e.Manifest.Volumes[0], into); !errors.Is(err, ErrUnsafe) && !errors.Is(err, ErrNoDirect) {
		t.Error(err)
	}
	if _, err := os.Lstat(filepath.Join(into, "passwd")); err == nil {
		t.Error("the link was made")
	}
}

// A stream that ends anywhere but at its end is a failure.
func TestCutShort(t *testing.T) {
	zeros := file("./zeros") // its content looks like a trailer
	all := stream(t, dir("./"), dir("./a/"), file("./a/b"), zeros)
	at := bytes.LastIndex(all, []byte("./zeros"))
	copy(all[at:], make([]byte, len("./zeros")))
	end := len(bytes.TrimRight(all, "\x00"))
	last := (end+511)&^511 + 512 + 1024 // the header, one block of content, the trailer
	for n := range len(all) {
		_, err := retar(bytes.NewReader(all[:n]), "./", io.Discard, "./")
		if whole := n >= last; whole != (err == nil) || !whole && !errors.Is(err, ErrCutShort) {
			t.Fatalf("%d of %d bytes: %v", n, len(all), err)
		}
	}
}

// A stream keeps what it has when it is put below another directory and back.
func TestRetar(t *testing.T) {
	h := file("./b")
	h.Uid, h.Mode, h.ModTime, h.Format = 4_000_000_000, 0o4755, time.Unix(7, 5), tar.FormatPAX
	h.PAXRecords = map[string]string{"SCHILY.xattr.user.x": "a\x00b"}
	all := stream(t, dir("./"), h, link(tar.TypeLink, "./c", "./b"), link(tar.TypeSymlink, "./d", "../out"))
	var there, back bytes.Buffer
	c, err := retar(bytes.NewReader(all), "./", &there, "vol0001/")
	if err != nil || c.Entries["file"] != 1 || c.Entries["hardlink"] != 1 || c.Bytes != 3 {
		t.Fatalf("%+v, %v", c, err)
	}
	r := tar.NewReader(bytes.NewReader(there.Bytes()))
	var names []string
	for h, err := r.Next(); err == nil; h, err = r.Next() {
		names = append(names, h.Name+">"+h.Linkname)
	}
	if want := []string{"vol0001/>", "vol0001/b>", "vol0001/c>vol0001/b", "vol0001/d>../out"}; !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
	if _, err := retar(&there, "vol0001/", &back, "./"); err != nil {
		t.Fatal(err)
	}
	diff, err := compare(readEntries(bytes.NewReader(all), "./"), readEntries(&back, "./"), false)
	if err != nil || len(diff) > 0 {
		t.Errorf("%q, %v", diff, err)
	}
}

// Comparing finds every kind of difference.
func TestCompare(t *testing.T) {
	base := func() []*tar.Header {
		f := file("./f")
		f.ModTime, f.Format = time.Unix(5, 100), tar.FormatPAX
		f.PAXRecords = map[string]string{"SCHILY.xattr.user.x": "1", "SCHILY.xattr.security.capability": "2"}
		return []*tar.Header{dir("./"), f, link(tar.TypeSymlink, "./l", "t")}
	}
	for _, c := range []struct {
		want   string
		change func(h []*tar.Header) []*tar.Header
		lossy  bool // still found where the API loses things
	}{
		{"mode", func(h []*tar.Header) []*tar.Header { h[1].Mode = 0o600; return h }, true},
		{"owner", func(h []*tar.Header) []*tar.Header { h[1].Gid = 7; return h }, true},
		{"time", func(h []*tar.Header) []*tar.Header { h[1].ModTime = time.Unix(6, 100); return h }, true},
		{"time", func(h []*tar.Header) []*tar.Header { h[1].ModTime = time.Unix(5, 101); return h }, false},
		{"link", func(h []*tar.Header) []*tar.Header { h[2].Linkname = "u"; return h }, true},
		{"extended attributes", func(h []*tar.Header) []*tar.Header { h[1].PAXRecords["SCHILY.xattr.user.x"] = "3"; return h }, false},
		{"extended attributes", func(h []*tar.Header) []*tar.Header {
			delete(h[1].PAXRecords, "SCHILY.xattr.security.capability")
			return h
		}, true},
		{"missing", func(h []*tar.Header) []*tar.Header { return h[:2] }, true},
		{"too much", func(h []*tar.Header) []*tar.Header { return append(h, file("./z")) }, true},
		{"type", func(h []*tar.Header) []*tar.Header { h[2] = file("./l"); return h }, true},
	} {
		for _, lossy := range []bool{false, true} {
			want := stream(t, base()...)
			got := stream(t, c.change(base())...)
			diff, err := compare(readEntries(bytes.NewReader(want), "./"), readEntries(bytes.NewReader(got), "./"), lossy)
			found := len(diff) > 0 && strings.Contains(diff[0], c.want)
			if err != nil || found != (!lossy || c.lossy) {
				t.Errorf("%s, lossy %v: %q, %v", c.want, lossy, diff, err)
			}
		}
	}
	a := stream(t, base()...)
	b := bytes.Replace(a, []byte("./f\x00\x00"), []byte("./f\x00\x00"), 1)
	copy(b[bytes.LastIndex(b, []byte("./f\x00")):], "./g")
	if diff, err := compare(readEntries(bytes.NewReader(a), "./"), readEntries(bytes.NewReader(b), "./"), true); err != nil || len(diff) != 1 || !strings.Contains(diff[0], "content") {
		t.Errorf("content: %q, %v", diff, err)
	}
}

// One flipped bit anywhere in an archive is found.
func TestDamaged(t *testing.T) {
	e := exported(t, fromTar(stream(t, dir("./"), file("./a"), file("./b"))))
	v := e.Manifest.Volumes[0]
	path := filepath.Join(e.Dir, v.Archive.Path)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := e.Check(t.Context(), v); !errors.Is(err, ErrDamaged) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	for _, bad := range [][]byte{good[:len(good)-1], append(bytes.Clone(good), 0), append(bytes.Clone(good), good...), {}} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := e.Check(t.Context(), v); !errors.Is(err, ErrDamaged) {
			t.Errorf("%d bytes for %d: %v", len(bad), len(good), err)
		}
		if err := e.Look(); !errors.Is(err, ErrDamaged) {
			t.Errorf("%d bytes for %d, by a look: %v", len(bad), len(good), err)
		}
	}
	if err := os.Remove(path); err != nil || e.Look() == nil || e.Check(t.Context(), v) == nil {
		t.Error("a missing archive is not noticed")
	}
}

// Exports of one second do not get into each other's way, and lists have both
// whole and half ones.
func TestBeginAndList(t *testing.T) {
	parent, now := filepath.Join(t.TempDir(), "new", "dir"), time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)
	var dirs []string
	for range 3 {
		d, err := Begin(parent, "shop", now)
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, filepath.Base(d.Dir()))
		if len(dirs) == 1 {
			if _, err := d.Finish(Manifest{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if want := []string{"shop-20261123T101500Z.incomplete", "shop-20261123T101500Z-2.incomplete", "shop-20261123T101500Z-3.incomplete"}; !slices.Equal(dirs, want) {
		t.Errorf("%q", dirs)
	}
	list, err := List(parent)
	if err != nil || len(list) != 3 || Incomplete(list[0]) == Incomplete(list[2]) {
		t.Errorf("%q, %v", list, err)
	}
	if list, err := List(filepath.Join(parent, "nowhere")); list != nil || err != nil {
		t.Errorf("%q, %v", list, err)
	}
}

// File names are safe and distinct on every system, also where case does not
// count.
func TestFileName(t *testing.T) {
	names := []string{
		"shop_pgdata", "a.b-c", ".hidden", "..", "a/b", "a%2Fb", "ü", "x y", "", "con\x00", "data", "Data", "DATA", "dATA", "dot", "dot.",
		"con", "CON", "nul", "aux.x", "prn", "com1", "com0.data", "lpt9", "com", "com10", "lptx", "console", "%63on", "a~1", "e\u0301", "\u00e9",
		strings.Repeat("l", 250), strings.Repeat("l", 251), strings.Repeat("L", 250), strings.Repeat("L", 249) + "l",
	}
	devices := []string{"con", "prn", "aux", "nul", "com0", "com1", "lpt9"}
	seen := map[string]string{}
	for _, name := range names {
		out := fileName(name)
		if strings.Trim(out, "abcdefghijklmnopqrstuvwxyzABCDEF0123456789_-.%~") != "" || strings.HasPrefix(out, ".") || strings.HasSuffix(out, ".") || len(out) > maxName {
			t.Errorf("%q became %q", name, out)
		}
		if stem, _, _ := strings.Cut(out, "."); slices.Contains(devices, strings.ToLower(stem)) {
			t.Errorf("%q became a device of Windows", name)
		}
		folded := strings.ToLower(out)
		if other, taken := seen[folded]; taken {
			t.Errorf("%q and %q both became %q", name, other, folded)
		}
		seen[folded] = name
	}
	for name, want := range map[string]string{"shop_pg.data-1": "shop_pg.data-1", "Data": "%44ata", "nul.x": "%6Eul.x", "a.": "a%2E"} {
		if got := fileName(name); got != want {
			t.Errorf("%q became %q, want %q", name, got, want)
		}
	}
}

// What was written before upper case was spelled out is read.
func TestFormerNames(t *testing.T) {
	e := exportedAs(t, "Data", fromTar(stream(t, dir("./"))))
	path := filepath.Join(e.Dir, manifestName)
	manifest, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	manifest = bytes.ReplaceAll(manifest, []byte("%44ata"), []byte("Data"))
	err = errors.Join(os.Rename(filepath.Join(e.Dir, "volumes/%44ata.tar.zst"), filepath.Join(e.Dir, "volumes/Data.tar.zst")), os.WriteFile(path, manifest, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	former, err := Open(e.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(former.Look(), former.Check(t.Context(), former.Manifest.Volumes[0])); err != nil {
		t.Error(err)
	}
}
