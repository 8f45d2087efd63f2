package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// within reports whether a directory lies in another one, whatever links lead
// there.
func within(dir, place string) bool {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil || place == "" {
		return false
	}
	if place, err = filepath.EvalSymlinks(place); err != nil {
		return false // not on this host
	}
	rel, err := filepath.Rel(place, real)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// describe is what the manifest says of a volume before it is read.
func (s *saving) describe(v inventory.Volume, snap inventory.Snapshot) archive.Volume {
	out := archive.Volume{
		Name: v.Name, Key: v.Labels[inventory.LabelVolume], Driver: v.Driver, Options: v.Options, Labels: v.Labels,
		Method: archive.ByArchive, Consistency: archive.Stopped,
	}
	if !v.Created.IsZero() {
		out.Created = v.Created.UTC().Format(time.RFC3339)
	}
	if v.Here {
		out.Method = archive.Direct
	}
	if writers(snap, v.Name) != "" {
		out.Consistency = archive.Live
	}
	return out
}

// through reads a volume through a helper.
func through(h Helper, i int, s archive.Source) archive.Tar {
	return func(ctx context.Context, w io.Writer) (archive.Content, error) {
		r, dir, err := h.Read(ctx, i)
		if err != nil {
			return archive.Content{}, err
		}
		defer r.Close()
		return archive.FromStream(tell{r, s.Read}, dir)(ctx, w)
	}
}

// tell reports what is read.
type tell struct {
	io.ReadCloser
	read func(int64)
}

// Read reads.
func (t tell) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.read(int64(n))
	return n, err
}

// lostByAPI is what the engine's archive API leaves out, whatever the volume. It
// does not say where.
var lostByAPI = []archive.Skipped{
	{What: "extended attributes other than capabilities, ACLs among them", Why: "the engine's archive API leaves them out"},
	{What: "fractions of a second in times", Why: "the engine's archive API cuts them off"},
	{What: "holes in sparse files", Why: "the engine's archive API gives them as zeros"},
	{What: "sockets", Why: "the engine's archive API leaves them out"},
}

// nearLimit is how long the path of a directory is, in a volume, when something
// in it may have one of more than 4,096 bytes on the engine.
const nearLimit = 4096 - 256 - 300

// lossy notes what the engine's archive API may have left out of a volume. What
// lies too deep it skips silently; but the directories around that
// are there, so it is known whether there may be any.
func (s *saving) lossy(v *archive.Volume) error {
	v.Skipped = append(v.Skipped, lostByAPI...)
	if v.Deepest() <= nearLimit {
		return nil
	}
	v.Skipped = append(v.Skipped, archive.Skipped{What: "paths of more than 4,096 bytes, if there are any", Why: "the engine's archive API leaves them out"})
	told := fmt.Sprintf("volume %s has very long paths: what lies deeper than 4,096 bytes is NOT in the export", v.Name)
	if s.Complete {
		return errors.New(told)
	}
	s.Note(told)
	return nil
}

// helperName names a helper after its operation, by the path of its lock.
func helperName(lock string) string {
	return "ccdestroy-helper-" + strings.ToLower(filepath.Base(lock))
}
