package trash

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/lab/power"
)

// blockSize is that of the disks, in bytes.
const blockSize = 1024

// disk is an ext4 file system in a file. Neither its device nor its mount outlives
// the process, however that ends: the device goes with the last descriptor of it,
// and the mount is in no namespace, reached only through a descriptor.
type disk struct {
	t      *testing.T
	device string
	root   int // of the mount; -1 when there is none
}

// newDisk makes and mounts one of so many bytes. options are those of mkfs.ext4.
func newDisk(t *testing.T, size string, options ...string) *disk {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED: make test runs this")
	}
	need.Root(t)
	need.Command(t, "mkfs.ext4", "losetup", "truncate")
	image := filepath.Join(t.TempDir(), "image")
	need.Run(t, "truncate", "-s", size, image)
	need.Run(t, "mkfs.ext4", append(append([]string{"-q", "-b", fmt.Sprint(blockSize)}, options...), image)...)
	out, err := exec.Command("losetup", "--show", "--find", image).CombinedOutput()
	need.That(t, fmt.Sprintf("a loop device (%s)", out), err == nil)
	d := &disk{t: t, device: string(bytes.TrimSpace(out)), root: -1}
	held, err := os.Open(d.device)
	need.Run(t, "losetup", "--detach", d.device) // it takes effect when nothing has the device open
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.unmount()
		held.Close()
	})
	d.mount()
	return d
}

func (d *disk) mount() {
	d.t.Helper()
	fs, err := unix.Fsopen("ext4", unix.FSOPEN_CLOEXEC)
	need.That(d.t, fmt.Sprintf("permission to mount (%v)", err), err == nil)
	defer unix.Close(fs)
	err = errors.Join(unix.FsconfigSetString(fs, "source", d.device), unix.FsconfigCreate(fs))
	if err == nil {
		d.root, err = unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	}
	if err != nil {
		d.t.Fatalf("mount %s: %v", d.device, err)
	}
}

func (d *disk) unmount() {
	if d.root >= 0 {
		unix.Close(d.root)
	}
	d.root = -1
}

// place is the disk as an engine's data directory.
func (d *disk) place() Place { return Place{Root: fmt.Sprintf("/proc/self/fd/%d", d.root)} }

// open opens the top of the file system.
func (d *disk) open() *os.File {
	d.t.Helper()
	top, err := os.Open(d.place().Root + "/.")
	if err != nil {
		d.t.Fatal(err)
	}
	return top
}

// sync makes all of it durable.
func (d *disk) sync() {
	d.t.Helper()
	top := d.open()
	defer top.Close()
	if err := unix.Syncfs(int(top.Fd())); err != nil {
		d.t.Fatal(err)
	}
}

// cut cuts the power: what is not durable is lost, and all calls fail until the
// disk is mounted again.
func (d *disk) cut() {
	top := d.open()
	defer top.Close()
	if err := power.Cut(top); err != nil {
		d.t.Error(err)
	}
}

func (d *disk) again() {
	d.t.Helper()
	d.unmount()
	d.mount()
}

// fillBlocks takes all of the room but so many blocks. Called again it takes what
// has become free meanwhile.
func (d *disk) fillBlocks(free int) {
	d.t.Helper()
	f, err := os.OpenFile(filepath.Join(d.place().Root, "filler"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, blockSize)
	for err == nil {
		_, err = f.Write(block)
	}
	info, looked := f.Stat()
	if !errors.Is(err, unix.ENOSPC) || looked != nil {
		d.t.Fatal(err, looked)
	}
	whole := info.Size() / blockSize
	if err := errors.Join(f.Sync(), f.Truncate(max(0, whole-int64(free))*blockSize), f.Sync()); err != nil {
		d.t.Fatal(err)
	}
}

// fillInodes takes all of the inodes but so many, as fillBlocks does.
func (d *disk) fillInodes(free int) {
	d.t.Helper()
	pattern := filepath.Join(d.place().Root, "inode-*")
	for {
		f, err := os.CreateTemp(filepath.Split(pattern))
		if errors.Is(err, unix.ENOSPC) {
			break
		}
		if err != nil {
			d.t.Fatal(err)
		}
		f.Close()
	}
	made, err := filepath.Glob(pattern)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, path := range made[:min(free, len(made))] {
		if err := os.Remove(path); err != nil {
			d.t.Fatal(err)
		}
	}
}

// fill takes all that there is.
func (d *disk) fill() {
	d.t.Helper()
	d.fillBlocks(8) // so that the directory has room for the names of the next
	d.fillInodes(0)
	d.fillBlocks(0)
}

// relieve gives back what these took.
func (d *disk) relieve() error {
	d.t.Helper()
	made, err := filepath.Glob(filepath.Join(d.place().Root, "inode-*"))
	for _, path := range append(made, filepath.Join(d.place().Root, "filler")) {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}
