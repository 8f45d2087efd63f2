package export

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// Restore brings volumes of an export back.
type Restore struct {
	Setting
	Entry     teardown.Entry
	Export    *archive.Export
	Volumes   []archive.Volume
	As        string // another name for the one volume, or ""
	Overwrite bool   // remove volumes that are in the way
	// Confirm asks whether these volumes may be removed; nil says yes.
	Confirm func(context.Context, teardown.Inventory) error
	Signals <-chan os.Signal

	platform teardown.Platform
	targets  []target
}

// target is a volume that is to be written.
type target struct {
	from    archive.Volume
	volume  teardown.Volume // as it is to be made
	there   bool            // one of this name is there
	replace bool            // and is removed first
	made    bool            // by us
}

// Done is what a restore has come to.
type Done struct {
	Volumes     []string // that hold again what the export holds
	Differences []string // what the engine or the file system did not take
}

// Do checks everything, asks, records, writes, compares and records. An error
// says what was not done.
func (r *Restore) Do(ctx context.Context) (Done, error) {
	var done Done
	sig, err := teardown.Guard(ctx, r.Signals, r.prepare)
	if sig != nil {
		return done, teardown.StoppedBy(sig, "nothing was restored")
	}
	if err != nil {
		return done, err
	}
	var replaced []string
	for _, t := range r.targets {
		if t.replace {
			replaced = append(replaced, t.volume.Name)
		}
		r.Entry.Details.Restored = append(r.Entry.Details.Restored, teardown.Restored{Name: t.volume.Name, From: t.from.Name, Replaced: t.replace})
	}
	r.Entry.ExportPath = r.Export.Dir
	if err := r.Entry.Pend(ctx, replaced); err != nil {
		return done, err
	}
	// A crash from here on leaves a volume half written, or none where one was
	// removed; reconcile compares.
	var lost []string
	progress := r.Progress()
	sig, err = teardown.Guard(ctx, r.Signals, func(ctx context.Context) error {
		for i := range r.targets {
			gone, err := r.one(ctx, &r.targets[i], progress, &done)
			if gone {
				lost = append(lost, r.targets[i].volume.Name)
			}
			if err != nil {
				return fmt.Errorf("restore %q: %w", r.targets[i].volume.Name, err)
			}
		}
		return nil
	})
	progress.Wait()
	return done, r.end(ctx, done, lost, sig, err)
}

func (r *Restore) end(ctx context.Context, done Done, lost []string, sig os.Signal, err error) error {
	outcome := audit.Success
	switch {
	case sig != nil:
		err = teardown.StoppedBy(sig, fmt.Sprintf("%d of %d volumes were restored", len(done.Volumes), len(r.targets)))
		r.Entry.Details.Signal = teardown.SignalName(sig)
		outcome = audit.Cancelled
	case err != nil:
		outcome = audit.Failed
	case len(done.Differences) > 0:
		outcome = audit.Partial
		r.Entry.Details.Remaining = done.Differences
	}
	if err != nil {
		r.Entry.Details.Error = err.Error()
		if len(done.Volumes)+len(lost) > 0 {
			outcome = audit.Partial
		}
	}
	if recorded := r.Entry.End(ctx, outcome, lost); recorded != nil {
		err = errors.Join(err, fmt.Errorf("the outcome could not be recorded: %w", recorded))
	}
	if err != nil && outcome == audit.Partial && sig == nil {
		return &teardown.Fault{Err: err, Code: teardown.ExitPartial}
	}
	return err
}

// prepare verifies the archives and finds out what is in the way. It changes
// nothing.
func (r *Restore) prepare(ctx context.Context) error {
	for _, v := range r.Volumes {
		if err := r.Export.Check(ctx, v); err != nil {
			return &teardown.Fault{Err: fmt.Errorf("nothing was restored: %w", err), Try: "ccdestroy exports check " + r.Export.Dir, Code: teardown.ExitRefused}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	engine, err := r.Engine.Describe(ctx)
	if err != nil {
		return err
	}
	if r.platform, err = r.Engine.Platform(ctx); err != nil {
		return err
	}
	snap, err := r.Engine.Snapshot(ctx, false)
	if err != nil {
		return err
	}
	inv := teardown.Inventory{Project: r.Export.Manifest.Project, Engine: engine, Dir: r.Entry.Details.Dir}
	asked := false
	for _, v := range r.Volumes {
		t := target{from: v, volume: r.volume(v)}
		if i := slices.IndexFunc(snap.Volumes, func(x teardown.Volume) bool { return x.Name == t.volume.Name }); i >= 0 {
			if err := r.inTheWay(ctx, &t, snap.Volumes[i], snap); err != nil {
				return err
			}
			res := snap.Volumes[i].Resource()
			res.Asked, res.Fate = t.replace, map[bool]teardown.Fate{true: teardown.Removed, false: teardown.Kept}[t.replace]
			inv.Resources = append(inv.Resources, res)
			asked = asked || t.replace
		}
		r.targets = append(r.targets, t)
	}
	r.Entry.Details.Inventory = inv
	if asked && r.Confirm != nil {
		return r.Confirm(ctx, inv)
	}
	return nil
}

// volume is what is to be made for a volume of the export. Under another name it
// is not Compose's.
func (r *Restore) volume(v archive.Volume) teardown.Volume {
	out := teardown.Volume{Name: v.Name, Driver: v.Driver, Options: v.Options, Labels: map[string]string{}}
	if r.As != "" {
		out.Name = r.As
	}
	for key, value := range v.Labels {
		if out.Name == v.Name || !strings.HasPrefix(key, "com.docker.") {
			out.Labels[key] = value
		}
	}
	return out
}

// inTheWay decides what is done about a volume that is there.
func (r *Restore) inTheWay(ctx context.Context, t *target, is teardown.Volume, snap teardown.Snapshot) error {
	refuse := func(try, format string, args ...any) error {
		return &teardown.Fault{Err: fmt.Errorf("nothing was restored: volume %q "+format, append([]any{is.Name}, args...)...), Try: try, Code: teardown.ExitRefused}
	}
	t.there, t.volume = true, is
	var users []string
	running := false
	for _, c := range snap.Containers {
		if mounts(c, []string{is.Name}) {
			users = append(users, c.Name)
			running = running || c.Runs()
		}
	}
	if running {
		return refuse("docker compose stop, or --as NAME", "is in use by %s", strings.Join(users, ", "))
	}
	empty, err := r.empty(ctx, is)
	switch {
	case err != nil:
		return fmt.Errorf("look into volume %q: %w", is.Name, err)
	case empty:
		return nil
	case !r.Overwrite:
		return refuse("--overwrite, or --as NAME", "has content")
	case is.Labels[teardown.LabelProtect] == "true":
		return refuse("--as NAME", "is protected by the label %s=true", teardown.LabelProtect)
	case len(users) > 0:
		return refuse("docker compose down, which keeps the volumes; or --as NAME", "cannot be replaced: the container %s refers to it", strings.Join(users, ", "))
	}
	t.replace, t.volume = true, r.volume(t.from)
	return nil
}
