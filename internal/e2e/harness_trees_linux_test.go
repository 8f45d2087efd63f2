package e2e

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/lab/trees"
)

// treeOf describes every entry of a directory by the system's own calls. coarse
// leaves out what the engine's archive API loses.
func treeOf(t *testing.T, dir string, coarse bool) map[string]string {
	t.Helper()
	out, links := map[string]string{}, map[uint64]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		if st.Mode&unix.S_IFMT == unix.S_IFSOCK {
			return nil
		}
		name, _ := filepath.Rel(dir, path)
		text := fmt.Sprintf("mode %o owner %d:%d time %d", st.Mode, st.Uid, st.Gid, st.Mtim.Sec)
		if !coarse {
			text += fmt.Sprintf(".%09d %s", st.Mtim.Nsec, xattrsOf(t, path))
		} else if value := make([]byte, 64); true {
			n, _ := unix.Lgetxattr(path, "security.capability", value)
			text += fmt.Sprintf(" capability %x", value[:max(n, 0)])
		}
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFREG:
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += fmt.Sprintf(" content %x", sha256.Sum256(data))
			if st.Nlink > 1 {
				if links[st.Ino] == "" {
					links[st.Ino] = name
				}
				text += " the same as " + links[st.Ino]
			}
			if holes := st.Blocks*512 < st.Size-64<<10; holes && !coarse {
				text += " with holes"
			}
		case unix.S_IFLNK:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			text += " to " + target
		case unix.S_IFCHR, unix.S_IFBLK:
			text += fmt.Sprintf(" device %x", st.Rdev)
		}
		out[name] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func xattrsOf(t *testing.T, path string) string {
	t.Helper()
	buf := make([]byte, 4096)
	n, err := unix.Llistxattr(path, buf)
	if err != nil {
		return err.Error()
	}
	var out []string
	for name := range strings.SplitSeq(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00") {
		value := make([]byte, 4096)
		if n, err := unix.Lgetxattr(path, name, value); err == nil {
			out = append(out, fmt.Sprintf("%s=%x", name, value[:n]))
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// sameTree fails the test for each entry in which two trees differ.
func sameTree(t *testing.T, what string, want, got map[string]string) {
	t.Helper()
	if len(want) == 0 {
		t.Fatalf("%s: nothing to compare with", what)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s: %q is\n  %s\nand was\n  %s", what, name, got[name], want[name])
		}
	}
	for name := range got {
		if want[name] == "" {
			t.Errorf("%s: %q is too much", what, name)
		}
	}
}

// memoryVolume makes a volume whose files are in memory, though the engine knows
// nothing of that, for very many of them, and returns its name.
func (s *stack) memoryVolume(name string) string {
	s.t.Helper()
	s.docker("volume", "create", name)
	dir := s.mountpoint(name)
	need.Run(s.t, "mount", "-t", "tmpfs", "tmpfs", dir)
	s.t.Cleanup(func() { need.Run(s.t, "umount", dir) })
	return s.expand(name)
}

// hardVolume makes a volume with everything in it that is hard to copy.
func (s *stack) hardVolume(name string) string {
	s.t.Helper()
	need.Root(s.t)
	s.docker("volume", "create", "--label", "keep=me", name)
	dir := s.mountpoint(name)
	if err := trees.Hard(dir, trees.Options{}); err != nil {
		s.t.Fatal(err)
	}
	return dir
}

// halfRandom writes so many MiB, every other one random, the rest repetitive.
func halfRandom(path string, mib int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	buf, r := make([]byte, 1<<20), rand.New(rand.NewSource(1))
	for i := range mib {
		if r.Read(buf); i%2 == 1 {
			for j := range buf {
				buf[j] = byte(j / 64)
			}
		}
		if _, err := f.Write(buf); err != nil {
			return err
		}
	}
	return nil
}
