package export

import (
	"context"
	"io"
	"os"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/teardown"
)

// Engine is what is asked of the Docker Engine.
type Engine interface {
	Describe(context.Context) (teardown.Engine, error)
	Platform(context.Context) (teardown.Platform, error)
	Snapshot(ctx context.Context, images bool) (teardown.Snapshot, error)
	Start(ctx context.Context, ids []string) error
	Stop(ctx context.Context, ids []string) error
	// Helper makes a container that is never started and that has the volumes,
	// which must exist. run says in its labels whose it is.
	Helper(ctx context.Context, name, run string, volumes []string, readOnly bool) (Helper, error)
	// CreateVolume makes the volume, or finds one of that name, and returns it
	// as the engine has it.
	CreateVolume(context.Context, teardown.Volume) (teardown.Volume, error)
	RemoveVolume(ctx context.Context, name string) error
}

// Helper reads and writes volumes, by their number from 0.
type Helper interface {
	Dir(i int) string // ahead of every name in a tar of the volume
	// Read returns the volume as a tar. One that breaks off is all that tells
	// of a failure in the middle.
	Read(ctx context.Context, i int) (io.ReadCloser, error)
	Write(ctx context.Context, tar io.Reader) error
	// Remove makes the volumes removable again. What Read returned is closed
	// before.
	Remove(context.Context) error
}

// Progress shows how far it is.
type Progress interface {
	// Volume begins with one volume of so many bytes, 0 where that is not known.
	// read is told of each piece, end of the end.
	Volume(name string, bytes int64) (read func(int64), end func(error))
	// Wait returns when all is shown.
	Wait()
}

// Setting is where and how volumes are saved and brought back.
type Setting struct {
	Engine   Engine
	Run      string // whose the helpers are
	Tool     string // this program and its version
	Now      func() time.Time
	Note     func(string) // tells something beside the main matter
	Progress func() Progress
}

// direct reports whether the engine's files can be read and written as they are:
// by root, and not from behind a mapping of user ids, where owners differ.
func direct(p teardown.Platform) bool {
	for _, option := range p.Security {
		if strings.HasPrefix(option, "name=userns") || strings.HasPrefix(option, "name=rootless") {
			return false
		}
	}
	return os.Geteuid() == 0
}
