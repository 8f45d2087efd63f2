package e2e

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/contextcore/ccdestroy/internal/lab/trees"
)

// inodes are those of all entries of a directory, sockets too.
func inodes(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	if err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Statx_t
		if err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_ALL, &st); err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		out[name] = fmt.Sprintf("%d of %o born %d.%09d", st.Ino, st.Mode, st.Btime.Sec, st.Btime.Nsec)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// What comes back is the same, inode for inode: everything that an export keeps
// and all that it cannot, and files that are written while they are set aside.
func TestUndoFidelity(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, newStack func(map[string]string) *stack) {
		s := newStack(one(single))
		s.docker("compose", "create")
		dir := s.mountpoint("PROJ_data")
		if err := trees.Hard(dir, trees.Options{}); err != nil {
			t.Fatal(err)
		}
		// u::rw-,u:1000:r--,g::r--,m::r--,o::---, as setfacl writes it.
		acl := "\x02\x00\x00\x00\x01\x00\x06\x00\xff\xff\xff\xff\x02\x00\x04\x00\xe8\x03\x00\x00\x04\x00\x04\x00\xff\xff\xff\xff\x10\x00\x04\x00\xff\xff\xff\xff\x20\x00\x00\x00\xff\xff\xff\xff"
		if err := unix.Lsetxattr(filepath.Join(dir, "large"), "system.posix_acl_access", []byte(acl), 0); err != nil {
			t.Log("no ACLs on this file system:", err)
		}
		open, err := os.Create(filepath.Join(dir, "open"))
		if err != nil {
			t.Fatal(err)
		}
		defer open.Close()
		tree, ids := treeOf(t, dir, false), inodes(t, dir)
		if r := s.ccdestroy("--keep-for", "1h"); r.code != 0 || s.hasVolume("PROJ_data") {
			t.Fatal(r)
		}
		if _, err := open.WriteString("written meanwhile\n"); err != nil {
			t.Fatal(err)
		}
		s.undoes()
		if text, err := os.ReadFile(filepath.Join(dir, "open")); err != nil || string(text) != "written meanwhile\n" {
			t.Errorf("%v, %q", err, text)
		}
		now := treeOf(t, dir, false)
		delete(now, "open")
		delete(tree, "open")
		sameTree(t, "after undo", tree, now)
		if after := inodes(t, dir); !maps.Equal(ids, after) {
			t.Errorf("inodes are\n%v\nand were\n%v", after, ids)
		}
	})
}

// While a volume is set aside the engine refuses it to others, and what its own
// container writes is not lost.
func TestUndoMeanwhile(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, newStack func(map[string]string) *stack) {
		s := newStack(one(strings.Replace(slow, "QUICK", "", 1)))
		s.docker("compose", "up", "--detach")
		cmd := s.command("", binary, "--keep-for", "1h")
		var out buffer
		cmd.Stderr = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		s.stopping(out.String)
		r := run(t, s.command("", "docker", "run", "--rm", "--name", s.name+"-stranger", "--network", "none", "-v", s.name+"_data:/x", os.Getenv("CCDESTROY_IMAGE"), "true"))
		if r.code == 0 || !strings.Contains(r.stderr, "no such file") {
			t.Errorf("another container could start: %+v", r)
		}
		s.docker("exec", "PROJ-slow-1", "sh", "-c", "echo late > /data/f")
		s.docker("kill", "PROJ-slow-1")
		_ = cmd.Wait()
		_ = run(t, s.command("", "docker", "rm", "-f", s.name+"-stranger"))
		if last := s.last(); !s.hasVolume("PROJ_data") && last.Outcome != "success" {
			t.Errorf("%+v\n%s", last, out.String())
		}
		if s.hasVolume("PROJ_data") { // the stranger's container stood in the way, and is gone now
			if r := s.ccdestroy("--keep-for", "1h"); r.code != 0 {
				t.Fatal(r)
			}
		}
		s.undoes()
		if text, err := os.ReadFile(filepath.Join(s.mountpoint("PROJ_data"), "f")); err != nil || string(text) != "late\n" {
			t.Errorf("%v, %q", err, text)
		}
	})
}
