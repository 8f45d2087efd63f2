package command

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/teardown"
)

// Engine is what is asked of the Docker Engine. See teardown.Daemon.
type Engine interface {
	Snapshot(ctx context.Context, images bool) (teardown.Snapshot, error)
	Measure(context.Context, []teardown.Volume) map[string]teardown.Size
	StableCreated() bool
}

// Targets are what a command is said to destroy, where that can be looked at.
type Targets struct {
	Paths    []string // files and directories
	Volumes  []string
	Projects []string // Compose projects: their containers, volumes and networks, by label
}

func (t Targets) needEngine() bool { return len(t.Volumes)+len(t.Projects) > 0 }

// walkLimit is how long the sizes of paths and volumes may take to find out.
const walkLimit = 10 * time.Second

const labelProject = "com.docker.compose.project"

// seen is what was there at one moment.
type seen struct {
	resources []teardown.Resource
	paths     map[string]pathState
	volumes   map[string]teardown.Volume
	ids       map[string]bool // of containers and networks
}

// pathState is what a path was. The zero value is: not there.
type pathState struct {
	info    fs.FileInfo
	size    teardown.Size
	entries int64 // in and below a directory
}

// look finds out what of the targets is there.
func look(ctx context.Context, t Targets, e Engine) (seen, error) {
	ctx, cancel := context.WithTimeout(ctx, walkLimit)
	defer cancel()
	s := seen{paths: map[string]pathState{}, volumes: map[string]teardown.Volume{}, ids: map[string]bool{}}
	for _, path := range t.Paths {
		state, err := statPath(ctx, path)
		if err != nil {
			return s, err
		}
		s.paths[path] = state
		if state.info != nil {
			s.add(teardown.KindPath, path, teardown.Resource{Size: &state.size})
		}
	}
	if !t.needEngine() {
		return s, nil
	}
	snap, err := e.Snapshot(ctx, false)
	if err != nil {
		return s, err
	}
	s.engine(ctx, t, snap, e)
	return s, nil
}

func (s *seen) add(kind teardown.Kind, name string, r teardown.Resource) {
	r.Kind, r.Name, r.Asked, r.Fate = kind, name, true, teardown.Removed
	s.resources = append(s.resources, r)
}

func (s *seen) engine(ctx context.Context, t Targets, snap teardown.Snapshot, e Engine) {
	mine := func(labels map[string]string) bool {
		return slices.Contains(t.Projects, labels[labelProject]) && labels[labelProject] != ""
	}
	var volumes []teardown.Volume
	for _, v := range snap.Volumes {
		if slices.Contains(t.Volumes, v.Name) || mine(v.Labels) {
			volumes = append(volumes, v)
			s.volumes[v.Name] = v
		}
	}
	sizes := e.Measure(ctx, volumes)
	for _, v := range volumes {
		r := teardown.Resource{}
		if size, known := sizes[v.Name]; known {
			r.Size = &size
		}
		s.add(teardown.KindVolume, v.Name, r)
	}
	for _, c := range snap.Containers {
		if mine(c.Labels) {
			s.ids[c.ID] = true
			s.add(teardown.KindContainer, c.Name, teardown.Resource{ID: c.ID})
		}
	}
	for _, n := range snap.Networks {
		if mine(n.Labels) {
			s.ids[n.ID] = true
			s.add(teardown.KindNetwork, n.Name, teardown.Resource{ID: n.ID})
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
	return p, filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return filepath.SkipAll // the sum is then of what was seen in time
		}
		if err != nil || at == path {
			return nil // what cannot be read is not counted
		}
		p.entries++
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			p.size.Bytes += info.Size()
		}
		return nil
	})
}

// compare says of each thing that was there before what became of it. A path
// is gone when it is not there, when another file is in its place, or when it is
// a directory that was emptied.
func compare(before, after seen, stable bool) (results []teardown.Resource) {
	for _, r := range before.resources {
		r.Result = teardown.Remained
		switch r.Kind {
		case teardown.KindPath:
			was, is := before.paths[r.Name], after.paths[r.Name]
			switch {
			case is.info == nil:
				r.Result = teardown.Gone
			case !os.SameFile(was.info, is.info):
				r.Result = teardown.Remade
			case was.entries > 0 && is.entries == 0:
				r.Result, r.Reason = teardown.Gone, "emptied"
			}
		case teardown.KindVolume:
			was, is := before.volumes[r.Name], after.volumes[r.Name]
			switch {
			case is.Name == "":
				r.Result = teardown.Gone
			case !was.Born.Equal(is.Born), stable && !was.Created.Equal(is.Created):
				r.Result = teardown.Remade
			}
		default:
			if !after.ids[r.ID] {
				r.Result = teardown.Gone
			}
		}
		results = append(results, r)
	}
	return results
}
