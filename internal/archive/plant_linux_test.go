package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// A container that has the volume swaps a name for a link to a file of the host
// as soon as it is there. Whatever the moment, that file stays as it is.
func TestSwappedNames(t *testing.T) {
	need.Root(t)
	around := memoryDir(t)
	victim, outside, trap := filepath.Join(around, "victim"), filepath.Join(around, "outside"), filepath.Join(around, "trap")
	if err := os.WriteFile(victim, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(outside, 0o700); err != nil {
		t.Fatal(err)
	}
	was := [2]unix.Stat_t{stat(t, victim), stat(t, outside)}
	for _, kind := range []byte{tar.TypeFifo, tar.TypeChar, tar.TypeSymlink, tar.TypeDir, tar.TypeReg} {
		target := victim
		if kind == tar.TypeDir {
			target = outside
		}
		entries := []*tar.Header{dir("./")}
		for i := range 8 {
			h := &tar.Header{Typeflag: kind, Name: fmt.Sprintf("./x%d", i), Mode: 0o666, Uid: 7, Gid: 8, Format: tar.FormatPAX}
			switch kind {
			case tar.TypeChar:
				h.Devmajor, h.Devminor = 1, 3
			case tar.TypeSymlink:
				h.Linkname = "nowhere"
			case tar.TypeDir:
				h.Name += "/"
			default:
				h.PAXRecords = map[string]string{xattrPrefix + "trusted.x": "1"}
			}
			if entries = append(entries, h); kind == tar.TypeDir {
				entries = append(entries, file(h.Name+"within"))
			}
		}
		data, swapped := stream(t, entries...), 0
		for round := range 150 {
			volume := filepath.Join(around, fmt.Sprintf("%c%d", kind, round))
			if err := os.Mkdir(volume, 0o755); err != nil {
				t.Fatal(err)
			}
			os.RemoveAll(trap)
			if err := os.Symlink(target, trap); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			won := make(chan int)
			go func() { won <- swap(ctx, trap, filepath.Join(volume, fmt.Sprintf("x%d", round%8))) }()
			_, _ = plantTree(t.Context(), volume, bytes.NewReader(data)) // refused where the swap was seen
			cancel()
			swapped += <-won
			if is := [2]unix.Stat_t{stat(t, victim), stat(t, outside)}; is != was {
				t.Fatalf("a swapped %q, round %d: the host's file is changed:\n%+v\n%+v", kind, round, was, is)
			}
		}
		if swapped == 0 {
			t.Errorf("no %q was swapped: nothing was tested", kind)
		}
	}
}

func stat(t testing.TB, path string) (st unix.Stat_t) {
	t.Helper()
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st
}

// swap exchanges the two as soon as name is there, and tells how often.
func swap(ctx context.Context, trap, name string) int {
	for ctx.Err() == nil {
		if unix.Renameat2(unix.AT_FDCWD, trap, unix.AT_FDCWD, name, unix.RENAME_EXCHANGE) == nil {
			return 1
		}
	}
	return 0
}
