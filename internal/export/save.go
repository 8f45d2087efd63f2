package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// Writer saves volumes below a directory. It is teardown's Saver.
type Writer struct {
	Setting
	// Dir is the directory that exports of a project lie in, by the project's own
	// directory.
	Dir func(project string) string
	// Live: anything may go on writing. A file that changes while it is read is
	// then noted in the manifest, as it is for a volume that a running container
	// has; else it is an error.
	Live bool
	// Complete: what may lack content is an error, since the volumes are to be
	// destroyed.
	Complete bool

	draft    *archive.Draft
	project  string
	started  time.Time
	platform inventory.Platform
	ran      []archive.Container // with the volumes of any Save, before it stopped them
	done     []archive.Volume
}

// Begin makes the directory of the export and says where it will lie.
func (w *Writer) Begin(inv inventory.Inventory) (path string, err error) {
	w.draft, err = archive.Begin(w.Dir(inv.Dir), inv.Project, w.Now())
	if err != nil {
		return "", err
	}
	w.project, w.started = inv.Project, w.Now()
	return w.draft.Final(), nil
}

// Save exports the volumes and verifies the archives; see teardown.Saver.
func (w *Writer) Save(ctx context.Context, lock string, inv inventory.Inventory, volumes []inventory.Volume, stop func(context.Context) error) error {
	if w.draft == nil {
		if _, err := w.Begin(inv); err != nil {
			return err
		}
	}
	s := saving{Writer: w, lock: lock, inv: inv, progress: w.Progress()}
	err := s.all(ctx, volumes, stop)
	s.progress.Wait()
	w.platform, w.done = s.platform, append(w.done, s.done...)
	for _, c := range s.ran {
		if !slices.Contains(w.ran, c) { // it may have volumes of two calls
			w.ran = append(w.ran, c)
		}
	}
	return err
}

// Drop removes what there is of an export that is not to be.
func (w *Writer) Drop() {
	if w.draft == nil {
		return
	}
	if err := w.draft.Drop(); err != nil {
		w.Note(fmt.Sprintf("what there is of the export stays in %s: %v", w.draft.Dir(), err))
	}
	w.draft, w.ran, w.done = nil, nil, nil
}

// saving is one call of Save.
type saving struct {
	*Writer
	lock     string // path of the operation's
	inv      inventory.Inventory
	progress Progress
	platform inventory.Platform
	ran      []archive.Container
	done     []archive.Volume // in the order of the inventory's volumes
}

func (s *saving) all(ctx context.Context, volumes []inventory.Volume, stop func(context.Context) error) error {
	before, err := s.Engine.Snapshot(ctx, inventory.Scope{})
	if err != nil {
		return err
	}
	if s.platform, err = s.Engine.Platform(ctx); err != nil {
		return err
	}
	s.room(volumes)
	var early, rest []string
	for _, v := range volumes {
		if v.Options["type"] == "tmpfs" {
			early = append(early, v.Name) // its content goes with the last container that mounts it
		} else {
			rest = append(rest, v.Name)
		}
	}
	for _, c := range before.Containers {
		if c.Runs() && c.Refers(slices.Concat(early, rest)...) {
			s.ran = append(s.ran, archive.Container{ID: c.ID, Name: c.Name})
		}
	}
	begin := sync.OnceFunc(func() { s.progress.Begin(len(volumes), s.sum(volumes)) })
	if len(early) > 0 {
		begin()
	}
	if err := s.some(ctx, before, early, true); err != nil {
		return err
	}
	if stop != nil {
		if err := stop(ctx); err != nil { // Compose shows this, on the lines of the bars
			return err
		}
	}
	begin()
	after, err := s.Engine.Snapshot(ctx, inventory.Scope{})
	if err != nil {
		return err
	}
	if err := s.some(ctx, after, rest, s.Live); err != nil {
		return err
	}
	if s.Live {
		return nil
	}
	if after, err = s.Engine.Snapshot(ctx, inventory.Scope{}); err != nil {
		return err
	}
	for _, v := range s.done {
		switch {
		case slices.Contains(early, v.Name):
		case v.Consistency == archive.Live:
			s.Note(fmt.Sprintf("volume %s was in use while it was exported", v.Name))
		case writers(after, v.Name) != "":
			return fmt.Errorf("volume %q: %w: container %s was started meanwhile", v.Name, archive.ErrChanged, writers(after, v.Name))
		}
	}
	return nil
}

// writers names the running containers that can write to a volume.
func writers(s inventory.Snapshot, volume string) string {
	var names []string
	for _, c := range s.Containers {
		if c.Runs() && slices.ContainsFunc(c.Mounts, func(m inventory.Mount) bool { return m.Volume == volume && m.Writable }) {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, ", ")
}

// room warns if the export may not fit. How far it can be compressed is not
// known, so this is no reason to stop.
func (s *saving) room(volumes []inventory.Volume) {
	sum := s.sum(volumes)
	if _, free, known := durable.Space(s.draft.Dir()); known && uint64(sum) > free {
		s.Note(fmt.Sprintf("there are %d MB to export, and %d MB free in %s: it fits only if it compresses well", sum/1e6, free/1e6, s.draft.Dir()))
	}
}

func (s *saving) sum(volumes []inventory.Volume) (sum int64) {
	for _, v := range volumes {
		sum += s.size(v.Name)
	}
	return sum
}

func (s *saving) size(volume string) int64 {
	for _, r := range s.inv.Resources {
		if r.Kind == inventory.KindVolume && r.Name == volume && r.Size != nil {
			return r.Size.Bytes
		}
	}
	return 0
}

// some saves the named volumes of a snapshot.
func (s *saving) some(ctx context.Context, snap inventory.Snapshot, names []string, live bool) (err error) {
	var volumes []inventory.Volume
	var helped []string
	for _, name := range names {
		v, there := snap.Volume(name)
		if !there {
			return fmt.Errorf("volume %q does not exist", name)
		}
		for _, place := range []string{v.Mountpoint, v.Options["device"]} {
			if within(s.draft.Dir(), place) {
				return fmt.Errorf("the export would lie in volume %q itself, which it saves", name)
			}
		}
		if v.Here = v.Here && direct(s.platform); !v.Here {
			helped = append(helped, name)
		}
		volumes = append(volumes, v)
	}
	var helper Helper
	if len(helped) > 0 {
		if helper, err = s.Engine.Helper(ctx, helperName(s.lock), s.lock, helped, true); err != nil {
			return err
		}
		// The helper keeps the engine from removing the volumes: it must be gone.
		defer func() { err = errors.Join(err, helper.Remove(context.WithoutCancel(ctx))) }()
	}
	done := make([]archive.Volume, len(volumes))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	cores := max(1, runtime.GOMAXPROCS(0)/max(1, len(volumes)))
	for i, v := range volumes {
		group.Go(func() error {
			done[i] = s.describe(v, snap)
			source := archive.Source{Live: live || done[i].Consistency == archive.Live}
			bar := s.progress.Volume(v.Name, s.size(v.Name))
			source.Read = bar.Read
			var from archive.Tar
			if v.Here {
				from = archive.FromDir(v.Mountpoint, source)
			} else {
				from = through(helper, slices.Index(helped, v.Name), source)
			}
			err := s.draft.Save(ctx, &done[i], cores, func(ctx context.Context, w io.Writer) (archive.Content, error) {
				defer bar.Verify()
				return from(ctx, w)
			})
			if err == nil && !v.Here {
				err = s.lossy(&done[i])
			}
			bar.End(err)
			return err
		})
	}
	err = group.Wait()
	s.done = append(s.done, done...)
	return err
}

// Finish writes the manifest, and gives the export its name.
func (w *Writer) Finish(ctx context.Context, id string) (record.Export, error) {
	engine, err := w.Engine.Describe(ctx)
	if err != nil {
		return record.Export{}, err
	}
	m := archive.Manifest{
		Tool: w.Tool, EventID: id, Project: w.project, Started: w.started.UTC(), Finished: w.Now().UTC(), Ran: w.ran, Volumes: w.done,
		Engine: archive.Engine{
			ID: engine.ID, Name: engine.Name, Version: engine.Version,
			OS: w.platform.OS, Root: w.platform.Root, Storage: w.platform.Storage, Security: w.platform.Security,
		},
	}
	if m.Ran == nil {
		m.Ran = []archive.Container{}
	}
	out := record.Export{Path: w.draft.Final()}
	for _, v := range w.done {
		out.Volumes = append(out.Volumes, record.Exported{Name: v.Name, Bytes: v.Content.Bytes, SHA256: v.Archive.SHA256})
	}
	out.Manifest, err = w.draft.Finish(m)
	if err == nil {
		w.draft = nil // once it has its name it is not dropped
	}
	return out, err
}
