package teardown

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Budgets for finding out sizes: a question can wait for them, a script cannot.
const (
	sizesForQuestion = 2 * time.Second
	sizesForScript   = 250 * time.Millisecond
)

// prepare looks, shows and asks. Nothing has been destroyed or recorded when
// it returns.
func (r *Run) prepare(ctx context.Context) error {
	model, err := r.look(ctx)
	if err != nil {
		return err
	}
	if err := r.log.Check(ctx); err != nil {
		return noRecord(err)
	}
	budget := sizesForScript
	if r.Confirm == Interactive {
		budget = sizesForQuestion
	}
	inv := r.plan(ctx, model, budget)
	r.details.Inventory = inv
	if refused := inv.Refusals(r.Unprotect); len(refused) > 0 {
		r.Screen.Inventory(inv, true)
		return &Fault{
			Err:  fmt.Errorf("protected by the label %s=true: volume %s", LabelProtect, strings.Join(refused, ", ")),
			Try:  "ccdestroy --unprotect " + strings.Join(refused, " --unprotect "),
			Code: ExitRefused,
		}
	}
	r.details.Unprotected = r.Unprotect
	if err := r.confirm(ctx, inv); err != nil {
		return err
	}
	if r.saving() {
		r.details.Stopped = RunningOf(r.before, r.ours)
	}
	return nil
}

// confirm asks where somebody is to be asked.
func (r *Run) confirm(ctx context.Context, inv Inventory) error {
	if r.Confirm == Interactive && !inv.Empty() {
		r.details.Confirmation = string(Interactive)
		return r.ask(ctx, inv)
	}
	r.details.Confirmation = string(r.Confirm)
	if r.Confirm == Interactive { // nothing to destroy, so nobody was asked
		r.details.Confirmation = string(Unattended)
	}
	r.Screen.Inventory(inv, false)
	return nil
}

func (r *Run) ask(ctx context.Context, inv Inventory) error {
	answer, err := r.Screen.Ask(ctx, inv, r.saving())
	switch {
	case err != nil:
		return err
	case answer == Typed:
		return nil
	case answer == SaveFirst:
		r.Save = true
		return nil
	case answer == TimedOut:
		return &Fault{Err: errors.New("no answer in time: nothing was destroyed"), Try: "ccdestroy --yes goes ahead without asking", Code: ExitDeclined}
	}
	return &Fault{Err: errors.New("cancelled: nothing was destroyed"), Code: ExitDeclined}
}

// look finds out everything at once: Compose's version, the project, and what
// the engine has, with the event stream open before the first list call.
func (r *Run) look(ctx context.Context) (Model, error) {
	var model Model
	var versionErr, modelErr, engineErr, snapErr error
	var wg sync.WaitGroup
	wg.Go(func() { r.details.Compose, versionErr = r.Compose.Version(ctx) })
	wg.Go(func() { model, modelErr = r.Compose.Model(ctx) })
	var engine Engine
	wg.Go(func() { engine, engineErr = r.Daemon.Describe(ctx) })
	wg.Go(func() {
		r.watch = r.Daemon.WatchVolumes(context.WithoutCancel(ctx))
		r.before, snapErr = r.Daemon.Snapshot(ctx, r.Options.Images != "")
	})
	wg.Wait()
	r.details.Inventory = Inventory{Project: model.Project, Mode: model.Mode, Dir: model.Dir, Files: model.Files, Fallback: model.Fallback, Services: model.Named, Engine: engine}
	r.details.Tool, r.details.Actor, r.details.Why = r.Tool, r.Actor, r.Reason
	r.details.Command, r.details.Via = r.Compose.Command(), model.Via
	if model.Dir != "" {
		r.log = r.Log(model.Dir)
	}
	for _, err := range []error{versionErr, modelErr, engineErr, snapErr} {
		if err != nil {
			return model, err
		}
	}
	return model, markNamed(ctx, r.Daemon, model, &r.before)
}

// markNamed asks the engine, for containers of this project that mount a volume
// that looks anonymous, whether they mount it by name.
func markNamed(ctx context.Context, d Daemon, m Model, s *Snapshot) error {
	anonymous := map[string]bool{}
	for _, v := range s.Volumes {
		if LooksAnonymous(v) {
			anonymous[v.Name] = true
		}
	}
	for i, c := range s.Containers {
		if c.Labels[LabelProject] != strings.ToLower(m.Project) {
			continue
		}
		var named map[string]bool
		for j, mount := range c.Mounts {
			if !anonymous[mount.Volume] {
				continue
			}
			if named == nil {
				names, err := d.NamedVolumes(ctx, c.ID)
				if err != nil {
					return err
				}
				named = set(names)
			}
			s.Containers[i].Mounts[j].Named = named[mount.Volume]
		}
	}
	return nil
}

// plan makes the inventory of what look saw, with sizes as far as the budget
// allows. What is not known in time stays unknown: a teardown does not wait.
func (r *Run) plan(ctx context.Context, m Model, budget time.Duration) Inventory {
	inv := Plan(m, r.before, r.Options)
	inv.Engine = r.details.Engine
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	fillSizes(ctx, r.Daemon, r.before, &inv)
	if r.LastExports != nil {
		inv.fillExports(r.LastExports)
	}
	return inv
}

// fillExports tells of each volume when it was exported last. An export that is
// older than the volume was of another one of its name.
func (inv *Inventory) fillExports(last func(dir string, volumes []string) map[string]LastExport) {
	var names []string
	for _, r := range inv.Resources {
		if r.Kind == KindVolume {
			names = append(names, r.Name)
		}
	}
	if len(names) == 0 {
		return
	}
	exports := last(inv.Dir, names)
	for i, r := range inv.Resources {
		found, known := exports[r.Name]
		if r.Kind != KindVolume || !known {
			continue
		}
		since := cmp.Or(r.Born, r.Created)
		born, err := time.Parse(time.RFC3339Nano, since)
		if at, atErr := time.Parse(time.RFC3339Nano, found.At); err == nil && atErr == nil && at.Before(born) {
			found = LastExport{}
		}
		inv.Resources[i].LastExport = &found
	}
}

func fillSizes(ctx context.Context, d Daemon, s Snapshot, inv *Inventory) {
	listed := map[string]bool{}
	for _, r := range inv.Resources {
		listed[r.Name] = listed[r.Name] || r.Kind == KindVolume && r.Host == ""
	}
	var volumes []Volume
	for _, v := range s.Volumes {
		if listed[v.Name] {
			volumes = append(volumes, v)
		}
	}
	if len(volumes) == 0 {
		return
	}
	sizes := d.Measure(ctx, volumes)
	for i, r := range inv.Resources {
		if size, ok := sizes[r.Name]; ok && r.Kind == KindVolume {
			inv.Resources[i].Size = &size
		}
	}
}

// Look makes the inventory alone, for a command that changes nothing. budget
// bounds the time that sizes may take. last is Run's LastExports.
func Look(ctx context.Context, c Composer, d Daemon, o Options, last func(string, []string) map[string]LastExport, budget time.Duration) (Inventory, error) {
	r := Run{Compose: c, Daemon: d, Options: o, LastExports: last, Log: func(string) Recorder { return nil }}
	model, err := r.look(ctx)
	if r.watch != nil {
		r.watch()
	}
	if err != nil {
		return Inventory{}, err
	}
	return r.plan(ctx, model, budget), nil
}
