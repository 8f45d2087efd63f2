package export

import (
	"context"
	"io"
	"os"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Looker is what is asked of the Docker Engine.
type Looker interface {
	Describe(context.Context) (inventory.Engine, error)
	Platform(context.Context) (inventory.Platform, error)
	Snapshot(context.Context, inventory.Scope) (inventory.Snapshot, error)
	// Measure returns the sizes that it can find out before ctx ends.
	Measure(context.Context, []inventory.Volume) map[string]inventory.Size
}

// Containers are started and stopped by id; see package teardown.
type Containers interface {
	Start(ctx context.Context, ids []string) error
	Stop(ctx context.Context, ids []string) error
	Sweep(ctx context.Context, lock string) error
}

// Volumes are made and removed, and read and written through a helper.
type Volumes interface {
	// Helper makes a container that is never started and that has the volumes,
	// which must exist. It is a leftover when the lock at this path is free.
	Helper(ctx context.Context, name, lock string, volumes []string, readOnly bool) (Helper, error)
	// CreateVolume makes the volume, or finds one of that name, and returns it
	// as the engine has it.
	CreateVolume(context.Context, inventory.Volume) (inventory.Volume, error)
	RemoveVolume(ctx context.Context, name string) error
}

// Engine is all of it.
type Engine interface {
	Looker
	Containers
	Volumes
}

// Helper reads and writes volumes, by their number from 0.
type Helper interface {
	Dir(i int) string // ahead of every name in a tar for Write
	// Read returns the volume as a tar, and what is ahead of every name in it. One
	// that breaks off is the only sign of a failure in the middle.
	Read(ctx context.Context, i int) (tar io.ReadCloser, dir string, err error)
	Write(ctx context.Context, tar io.Reader) error
	// Remove makes the volumes removable again. What Read returned is closed
	// before.
	Remove(context.Context) error
}

// Progress shows how far the work is.
type Progress interface {
	// Begin announces so many volumes, with so many bytes as far as is known.
	Begin(volumes int, bytes int64)
	// Volume begins with one volume of so many bytes, 0 where that is not known.
	Volume(name string, bytes int64) Bar
	// Wait returns when everything has been shown.
	Wait()
}

// Bar is the progress of one volume.
type Bar interface {
	Read(n int64) // reports that a piece was read
	Verify()      // everything was read, and is now compared
	End(error)
}

// Quiet is the progress that shows nothing.
type Quiet struct{}

// Begin does nothing.
func (Quiet) Begin(int, int64) {}

// Volume is a bar that shows nothing.
func (Quiet) Volume(string, int64) Bar { return Quiet{} }

// Read does nothing.
func (Quiet) Read(int64) {}

// Verify does nothing.
func (Quiet) Verify() {}

// End does nothing.
func (Quiet) End(error) {}

// Wait returns.
func (Quiet) Wait() {}

// Setting is where and how volumes are saved and brought back.
type Setting struct {
	Engine   Engine
	Tool     string // this program and its version
	Now      func() time.Time
	Note     func(string) // reports an incidental notice
	Progress func() Progress
}

// direct reports whether the engine's files can be read and written as they are:
// by root, and not from behind a mapping of user ids, where owners differ.
func direct(p inventory.Platform) bool {
	for _, option := range p.Security {
		if strings.HasPrefix(option, "name=userns") || strings.HasPrefix(option, "name=rootless") {
			return false
		}
	}
	return os.Geteuid() == 0
}
