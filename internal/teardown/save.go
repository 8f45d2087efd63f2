package teardown

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// saving reports whether volumes are to be exported, and there are any.
func (r *Run) saving() bool {
	return r.Save && len(r.details.AskedVolumes()) > 0
}

// export saves the volumes that the command means to remove, also those that are
// predicted to stay: what holds them may end meanwhile. The pending event is in the log
// already and names the containers that are stopped for it: a crash on the way
// leaves them stopped, and an unfinished operation, by which a later run starts
// them again.
func (r *Run) export(ctx context.Context) error {
	asked := set(r.details.AskedVolumes())
	var volumes []Volume
	for _, v := range r.before.Volumes {
		if asked[v.Name] {
			volumes = append(volumes, v)
		}
	}
	r.stopped = true
	saved, err := r.Saver.Save(ctx, r.id, r.details.Inventory, volumes, r.rest)
	if err != nil {
		return &Fault{
			Err:  fmt.Errorf("the export failed, so nothing was destroyed: %w", err),
			Try:  "ccdestroy export --stop, until it succeeds; or this command without the export",
			Code: ExitRefused,
		}
	}
	r.saved, r.details.Export = saved.Path, &saved
	return nil
}

// goes reports whether the teardown removes the container.
func (r *Run) goes(c Container) bool {
	return slices.ContainsFunc(r.details.Of(KindContainer, Removed), func(res Resource) bool { return res.ID == c.ID })
}

// ours reports whether Compose may stop the container when it stops the project.
func (r *Run) ours(c Container) bool { return c.Labels[LabelProject] == r.details.Project || r.goes(c) }

// RunningOf are the ids of the containers that run and that are meant, oldest
// first.
func RunningOf(s Snapshot, meant func(Container) bool) (ids []string) {
	list := slices.Clone(s.Containers)
	slices.SortStableFunc(list, func(a, b Container) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name)) })
	for _, c := range list {
		if c.Runs() && meant(c) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// rest stops what runs: as Compose does it, with hooks and in order, then what
// Compose leaves running and the teardown would remove.
func (r *Run) rest(ctx context.Context) error {
	if len(r.details.Stopped) == 0 {
		return nil
	}
	if err := r.Compose.Stop(ctx); err != nil {
		return fmt.Errorf("stop the services: %w", err)
	}
	return r.Daemon.Stop(ctx, RunningOf(r.before, r.goes))
}

// resume starts again what an export stopped, when nothing was destroyed after
// all.
func (r *Run) resume() {
	if !r.stopped {
		return
	}
	r.stopped = false
	if err := r.Daemon.Start(context.Background(), r.details.Stopped); err != nil {
		r.Screen.Note(fmt.Sprintf("not all containers that the export stopped run again: %v", err))
	}
}

// nothingWent reports whether all that was there still is.
func nothingWent(v Verdict) bool {
	return !slices.ContainsFunc(v.Resources, func(r Resource) bool { return r.Result == Gone || r.Result == Remade })
}
