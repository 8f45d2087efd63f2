package export

import (
	"context"
	"fmt"
	"strings"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// obstacle is why a volume cannot be restored as it was asked for.
type obstacle struct {
	volume string
	why    string
	// What would do: stopping and removing containers; --overwrite.
	free, overwrite bool
}

// volume is what is to be made for a volume of the export. Its driver and
// options are somebody's words: without WithOptions it is a plain local one.
// Under another name it is not Compose's; and labels of the engine's own are not
// taken from an export.
func (r *Restore) volume(v archive.Volume) inventory.Volume {
	out := inventory.Volume{Name: v.Name, Driver: "local", Labels: map[string]string{}}
	if r.Options.WithOptions {
		out.Driver, out.Options = v.Driver, v.Options
	}
	if r.Options.As != "" {
		out.Name = r.Options.As
	}
	for key, value := range v.Labels {
		if out.Name == v.Name || !strings.HasPrefix(key, "com.docker.") {
			out.Labels[key] = value
		}
	}
	return out
}

// inTheWay decides what is done about a volume that is there.
func (r *Restore) inTheWay(ctx context.Context, t *target, is inventory.Volume, snap inventory.Snapshot) (found []obstacle, err error) {
	t.there, t.volume, t.was = true, is, is
	var users []string
	running := false
	for _, c := range snap.Users(is.Name) {
		users = append(users, c.Name)
		running = running || c.Runs()
	}
	used := obstacle{volume: is.Name, why: "is in use by " + strings.Join(users, ", "), free: true}
	empty, err := r.access.empty(ctx, is)
	switch {
	case err != nil:
		return nil, fmt.Errorf("look into volume %q: %w", is.Name, err)
	case empty && running:
		return []obstacle{used}, nil
	case empty:
		return nil, nil
	}
	if res := r.Options.Protect.Resource(is); res.Protected {
		return []obstacle{{volume: is.Name, why: "is protected by " + res.Protection}}, nil
	}
	if len(users) > 0 {
		found = append(found, used)
	}
	if !r.Options.Overwrite {
		found = append(found, obstacle{volume: is.Name, why: "has content", overwrite: true})
	}
	t.replace, t.volume = true, r.volume(t.from)
	return found, nil
}

// refusal names all that is in the way at once, and the one path that works.
func refusal(obstacles []obstacle) *fault.Fault {
	var text []string
	free, overwrite, blocked := false, false, false
	for _, o := range obstacles {
		text = append(text, fmt.Sprintf("volume %q %s", o.volume, o.why))
		free, overwrite, blocked = free || o.free, overwrite || o.overwrite, blocked || !o.free && !o.overwrite
	}
	try := "--as NAME, one volume at a time"
	switch {
	case blocked:
	case free && overwrite:
		try = "docker compose down, which keeps the volumes, then this command with --overwrite; or --as NAME"
	case free:
		try = "docker compose down, which keeps the volumes, then this command; or --as NAME"
	case overwrite:
		try = "--overwrite, which removes what they hold now; or --as NAME"
	}
	return fault.Refused(try, "nothing was restored:\n%s", strings.Join(text, "\n"))
}
