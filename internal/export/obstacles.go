package export

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// obstacle is why a volume cannot be restored as it was asked for.
type obstacle struct {
	volume string
	why    string
	// What would help: removing these containers; --overwrite.
	users     []inventory.Container
	overwrite bool
}

// volume is what is to be made for a volume of the export. Its driver and
// options come from the export: without WithOptions it is a plain local one.
// Under another name it is not Compose's, and the engine's own labels are not
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

// inTheWay decides what to do about an existing volume.
func (r *Restore) inTheWay(ctx context.Context, t *target, is inventory.Volume, snap inventory.Snapshot) (found []obstacle, err error) {
	t.there, t.volume, t.was = true, is, is
	users := snap.Users(is.Name)
	running := slices.ContainsFunc(users, inventory.Container.Runs)
	used := obstacle{volume: is.Name, why: "is in use by " + strings.Join(names(users), ", "), users: users}
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

// refusal names everything that is in the way at once, and the one way that works.
func (r *Restore) refusal(obstacles []obstacle) *fault.Fault {
	var text []string
	for _, o := range obstacles {
		text = append(text, fmt.Sprintf("volume %q %s", o.volume, o.why))
	}
	aside := "--as NAME, one volume at a time"
	if len(r.targets) == 1 {
		aside = r.Book.Again("--as", r.targets[0].volume.Name+"-restored")
	}
	try := aside
	if path := r.path(obstacles); path != "" {
		try = path + "; or " + aside
	}
	return fault.Refused(try, "nothing was restored:\n%s", strings.Join(text, "\n"))
}

// path is the commands that clear the way and restore, in one line; "" if
// only another name would help.
func (r *Restore) path(obstacles []obstacle) string {
	var steps []string
	add := func(step string) {
		if !slices.Contains(steps, step) {
			steps = append(steps, step)
		}
	}
	overwrite := false
	for _, o := range obstacles {
		if len(o.users) == 0 && !o.overwrite {
			return ""
		}
		for _, c := range o.users {
			if project := c.Labels[inventory.LabelProject]; project != "" {
				add(fault.Command("docker", "compose", "-p", project, "down")) // which keeps the volumes
			} else {
				add(fault.Command("docker", "rm", "-f", c.Name))
			}
		}
		overwrite = overwrite || o.overwrite
	}
	if overwrite {
		add(r.Book.Again("--overwrite"))
	} else {
		add(r.Book.Again())
	}
	return strings.Join(steps, " && ")
}
