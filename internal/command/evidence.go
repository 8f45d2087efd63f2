package command

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Engine is what is asked of the Docker Engine; see package teardown.
type Engine interface {
	Describe(context.Context) (inventory.Engine, error)
	Snapshot(context.Context, inventory.Scope) (inventory.Snapshot, error)
	Measure(context.Context, []inventory.Volume) map[string]inventory.Size
}

// Targets are what a command is said to destroy, where that can be looked at.
type Targets struct {
	Paths    []string // files and directories
	Volumes  []string
	Projects []string // Compose projects: their containers, volumes and networks, by label
}

func (t Targets) needEngine() bool { return len(t.Volumes)+len(t.Projects) > 0 }

// walkLimit is how long the sizes of paths and volumes may take to find out. Tests alone
// change it.
var walkLimit = 10 * time.Second

// askLimit is how long the engine may take to say what it has: with the command over,
// nobody else gives up waiting for it.
const askLimit = time.Minute

// seen is what was there at one moment.
type seen struct {
	resources []inventory.Resource // paths first
	paths     map[string]pathState
	snap      inventory.Snapshot // empty when no target needs the engine
}

// pathState is what a path was. The zero value is: not there.
type pathState struct {
	info fs.FileInfo
	size inventory.Size
	// Of a directory, where it is known: there is something in it, or nothing.
	full, empty bool
}

// look finds out which of the targets exist.
func look(ctx context.Context, t Targets, e Engine) (seen, error) {
	sizing, cancel := context.WithTimeout(ctx, walkLimit)
	defer cancel()
	s := seen{paths: map[string]pathState{}}
	var err error
	for _, path := range t.Paths {
		state, err := statPath(sizing, path)
		if err != nil {
			return s, err
		}
		s.paths[path] = state
		if state.info != nil {
			s.add(inventory.Resource{Kind: inventory.KindPath, Name: path, Size: &state.size})
		}
	}
	if !t.needEngine() {
		return s, nil
	}
	asking, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	if s.snap, err = e.Snapshot(asking, inventory.Scope{}); err != nil {
		return s, err
	}
	s.engine(sizing, t, e)
	return s, nil
}

// add adds something that the command means to remove.
func (s *seen) add(r inventory.Resource) {
	r.Asked, r.Fate = true, inventory.Removed
	s.resources = append(s.resources, r)
}

// engine adds those of the targets that the engine has.
func (s *seen) engine(ctx context.Context, t Targets, e Engine) {
	mine := func(labels map[string]string) bool {
		project := labels[inventory.LabelProject]
		return project != "" && slices.Contains(t.Projects, project)
	}
	var volumes []inventory.Volume
	for _, v := range s.snap.Volumes {
		if slices.Contains(t.Volumes, v.Name) || mine(v.Labels) {
			volumes = append(volumes, v)
		}
	}
	sizes := e.Measure(ctx, volumes)
	for _, v := range volumes {
		r := v.Resource()
		if size, known := sizes[v.Name]; known {
			r.Size = &size
		}
		s.add(r)
	}
	for _, c := range s.snap.Containers {
		if mine(c.Labels) {
			s.add(inventory.Resource{Kind: inventory.KindContainer, Name: c.Name, ID: c.ID})
		}
	}
	for _, n := range s.snap.Networks {
		if mine(n.Labels) {
			s.add(inventory.Resource{Kind: inventory.KindNetwork, Name: n.Name, ID: n.ID})
		}
	}
}

// statPath sums up a file, or a directory with all that is below it. A symbolic
// link is itself, not what it leads to.
func statPath(ctx context.Context, path string) (p pathState, err error) {
	p.info, err = os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return pathState{}, nil
	}
	if err != nil || !p.info.IsDir() {
		if err == nil {
			p.size.Bytes = p.info.Size()
		}
		return p, err
	}
	p.full, p.empty = content(path)
	return p, filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return filepath.SkipAll // the sum is then of what was seen in time
		}
		if err != nil || at == path {
			return nil // what cannot be read is not counted
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			p.size.Bytes += info.Size()
		}
		return nil
	})
}

// content looks whether there is anything in a directory. The walk cannot tell: it
// ends with its time, and passes over what it cannot read.
func content(dir string) (full, empty bool) {
	d, err := os.Open(dir)
	if err != nil {
		return false, false
	}
	defer d.Close()
	_, err = d.Readdirnames(1)
	return err == nil, errors.Is(err, io.EOF)
}

// compare says of each thing that was there before what happened to it; of what
// the engine has, as a teardown does.
func compare(before, after seen, engine inventory.Engine) (results []inventory.Resource) {
	on := inventory.Inventory{Engine: engine}
	for _, r := range before.resources {
		if r.Kind != inventory.KindPath {
			on.Resources = append(on.Resources, r)
			continue
		}
		before.paths[r.Name].became(after.paths[r.Name], &r)
		results = append(results, r)
	}
	verdict := inventory.Classify(on, before.snap, inventory.After{Snapshot: after.snap, Unseen: true}, nil)
	return append(results, verdict.Resources...)
}

// became says what a path is now. It is gone if it does not exist, if another
// file is in its place, or if it is a directory that was emptied.
func (was pathState) became(is pathState, r *inventory.Resource) {
	r.Result = inventory.Remained
	switch {
	case is.info == nil:
		r.Result = inventory.Gone
	case !os.SameFile(was.info, is.info):
		r.Result = inventory.Remade
	case was.full && is.empty:
		r.Result, r.Reason = inventory.Gone, "emptied"
	}
}
