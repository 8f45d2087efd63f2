package teardown

import (
	"context"
	"fmt"
	"slices"

	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// secured is the state of the export before a teardown.
type secured struct {
	volumes  map[string]inventory.Resource // that were saved, as they were then
	stopping bool                          // the services may have been stopped
	stopped  bool                          // and all of them were
	finished bool                          // there is an export
}

// saving reports whether volumes are to be exported, and there are any.
func (r *Run) saving(inv inventory.Inventory) bool {
	return r.Save && len(inv.AskedVolumes()) > 0
}

// secure exports the volumes that the command means to remove, also those that
// are predicted to stay, since what holds them may end in the meantime. Before it stops
// anything there is a durable pending event that names what runs: a crash on the
// way leaves those stopped, and an unfinished operation, from which a later run
// starts them again. Called again, it exports what was created since.
func (r *Run) secure(ctx context.Context, o *record.Operation, changes []inventory.Change) (saved bool, err error) {
	if !r.saving(o.Details.Inventory) && r.secured.volumes == nil {
		return false, nil
	}
	if err := r.stillSame(changes); err != nil {
		return false, err
	}
	if r.secured.volumes == nil {
		if err := r.announce(ctx, o); err != nil {
			return false, err
		}
	}
	todo := r.unsaved(o.Details.Inventory)
	switch {
	case len(todo) > 0:
		return true, r.save(ctx, o, todo)
	case r.secured.finished:
		return false, nil
	}
	// More may have been created while volumes were read: only when a look shows nothing
	// new is the export finished.
	return true, r.finish(ctx, o)
}

// announce makes it durable that services are about to be stopped.
func (r *Run) announce(ctx context.Context, o *record.Operation) error {
	r.secured.volumes = map[string]inventory.Resource{}
	o.Details.Stopped = r.before.RunningOf(r.ours(o.Details.Inventory))
	o.Abandoned = func() {
		r.Saver.Drop() // what it takes is given back before the services start again
		r.resume(o)
	}
	return o.Pend(ctx)
}

// unsaved are the volumes of the last look that are still to be saved.
func (r *Run) unsaved(inv inventory.Inventory) (todo []inventory.Volume) {
	asked := inv.AskedVolumes()
	for _, v := range r.before.Volumes {
		if _, saved := r.secured.volumes[v.Name]; !saved && slices.Contains(asked, v.Name) {
			todo = append(todo, v)
		}
	}
	return todo
}

// stillSame refuses to go on when a volume that was saved is no longer the same,
// or when the export is finished and lacks one.
func (r *Run) stillSame(changes []inventory.Change) error {
	for _, c := range changes {
		_, saved := r.secured.volumes[c.Resource.Name]
		if c.Resource.Kind == inventory.KindVolume && (saved || r.secured.finished) {
			return record.Changed(changes)
		}
	}
	return nil
}

func (r *Run) save(ctx context.Context, o *record.Operation, volumes []inventory.Volume) error {
	stop := func(ctx context.Context) error { return r.stopServices(ctx, o) }
	if r.secured.stopping {
		stop = nil
	}
	inv := o.Details.Inventory
	if err := r.Saver.Save(ctx, o.LockPath(), inv, volumes, stop); err != nil {
		return exportFailed(err)
	}
	for _, res := range inv.Resources {
		if slices.ContainsFunc(volumes, func(v inventory.Volume) bool { return res.Kind == inventory.KindVolume && v.Name == res.Name }) {
			r.secured.volumes[res.Name] = res
		}
	}
	return nil
}

func (r *Run) finish(ctx context.Context, o *record.Operation) error {
	saved, err := r.Saver.Finish(ctx, o.ID)
	if err != nil {
		return exportFailed(err)
	}
	r.secured.finished = true
	o.ExportPath, o.Details.Export = saved.Path, &saved
	return nil
}

func exportFailed(err error) *fault.Fault {
	return &fault.Fault{
		Err:  fmt.Errorf("the export failed, so nothing was destroyed: %w", err),
		Try:  "ccdestroy export --stop; or this command without the export",
		Code: fault.ExitRefused,
	}
}

// goes reports whether the teardown removes a container.
func goes(inv inventory.Inventory) func(inventory.Container) bool {
	return func(c inventory.Container) bool {
		return slices.ContainsFunc(inv.Of(inventory.KindContainer, inventory.Removed), func(res inventory.Resource) bool { return res.ID == c.ID })
	}
}

// ours reports whether Compose may stop a container when it stops the project.
func (r *Run) ours(inv inventory.Inventory) func(inventory.Container) bool {
	going := goes(inv)
	return func(c inventory.Container) bool { return c.Labels[inventory.LabelProject] == inv.Project || going(c) }
}

// stopServices stops what runs: as Compose does it, with hooks and in order, then
// what Compose leaves running and the teardown would remove.
func (r *Run) stopServices(ctx context.Context, o *record.Operation) error {
	r.secured.stopping = true
	if len(o.Details.Stopped) == 0 {
		return nil
	}
	if err := r.Child.Stop(ctx, o.Held()); err != nil {
		return fmt.Errorf("stop the services: %w", err)
	}
	err := r.Containers.Stop(ctx, r.before.RunningOf(goes(o.Details.Inventory)))
	r.secured.stopped = err == nil
	return err
}

// resume starts again what an export stopped, when nothing was destroyed after
// all.
func (r *Run) resume(o *record.Operation) {
	if !r.secured.stopping {
		return
	}
	r.secured.stopping = false
	o.StartAgain(context.Background(), starter{r.Containers, r.Engine}, !r.secured.stopped)
}
