package inventory

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// Snapshot is what the engine has, of all projects.
type Snapshot struct {
	Containers []Container
	Volumes    []Volume
	Networks   []Network
	Images     []Image // only when asked for
}

// Container is one container in any state.
type Container struct {
	ID, Name string
	Image    string // the reference that it was made from
	ImageID  string
	State    string // created, running, removing, exited …
	Labels   map[string]string
	Created  time.Time
	Mounts   []Mount
	Networks []string // ids
}

// Runs reports whether the container runs, and so holds its networks and can
// write to its volumes.
func (c Container) Runs() bool {
	return c.State == "running" || c.State == "paused" || c.State == "restarting"
}

// Mount is a volume or host path in a container.
type Mount struct {
	Volume   string // name of the volume; "" for a host path
	Source   string // the host path; "" for a volume
	Writable bool
	// Named: the container refers to the volume by name, so that the engine
	// keeps it when the container goes. Known only for volumes that look
	// anonymous.
	Named bool
}

// Volume is one volume.
type Volume struct {
	Name, Driver, Mountpoint string
	Created                  time.Time // to the second
	Here                     bool      // its files are this host's and can be looked at where Mountpoint says
	Born                     time.Time // of its directory on this host; zero when that cannot be seen
	Labels, Options          map[string]string
}

// Platform is what kind of machine an engine is.
type Platform struct {
	ID       string
	OS       string
	Root     string // its data directory
	Storage  string // storage driver
	Security []string
}

// Network is one network.
type Network struct {
	ID, Name string
	Created  time.Time
	Labels   map[string]string
}

// Image is one image.
type Image struct {
	ID      string
	Tags    []string
	Labels  map[string]string
	Created time.Time
	Size    int64
}

// ErrGone says that the engine has no volume of a name.
var ErrGone = errors.New("there is no such volume")

// ErrUnanswered says that the engine was asked to do something and has not
// answered: it may do it yet.
var ErrUnanswered = errors.New("the engine has not answered yet")

// Scope says what a snapshot is wanted for.
type Scope struct {
	Images  bool   // list images as well
	Project string // fill Mount.Named for the containers of this project
}

// RunningOf are the ids of the containers that run and that are meant, oldest
// first.
func (s Snapshot) RunningOf(meant func(Container) bool) (ids []string) {
	list := slices.Clone(s.Containers)
	slices.SortStableFunc(list, func(a, b Container) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name)) })
	for _, c := range list {
		if c.Runs() && meant(c) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// Halted are the names of those of the containers that are there and do not run.
func (s Snapshot) Halted(ids []string) (names []string) {
	for _, c := range s.Containers {
		if slices.Contains(ids, c.ID) && !c.Runs() {
			names = append(names, c.Name)
		}
	}
	return names
}

// Refers reports whether the container refers to one of the volumes.
func (c Container) Refers(volumes ...string) bool {
	return slices.ContainsFunc(c.Mounts, func(m Mount) bool { return m.Volume != "" && slices.Contains(volumes, m.Volume) })
}

// Volume finds a volume by its name.
func (s Snapshot) Volume(name string) (v Volume, found bool) {
	i := slices.IndexFunc(s.Volumes, func(v Volume) bool { return v.Name == name })
	if i < 0 {
		return Volume{}, false
	}
	return s.Volumes[i], true
}

// concerns reports whether a volume is there that a project made or uses.
func (s Snapshot) concerns(volume, project string) bool {
	v, there := s.Volume(volume)
	uses := func(c Container) bool { return c.Labels[LabelProject] == project }
	return there && (v.Labels[LabelProject] == project || slices.ContainsFunc(s.Users(volume), uses))
}

// Users are the containers that refer to a volume.
func (s Snapshot) Users(volume string) (users []Container) {
	for _, c := range s.Containers {
		if c.Refers(volume) {
			users = append(users, c)
		}
	}
	return users
}

// Seen is what the engine's event stream reported over a period.
type Seen struct {
	Destroyed  []string    // volumes, by name, in the order of their end
	Passing    []string    // of these, those that were created in that period
	Volumes    []Volume    // that were created; of one that went at once, perhaps only the name
	Containers []Container // that were created, with what they mount
	Broken     bool        // the stream ended early: more may have happened
}

// Moved reports whether anything was created that a look would show.
func (s Seen) Moved() bool { return len(s.Volumes)+len(s.Containers) > 0 }

// Went notes that a volume was destroyed.
func (s *Seen) Went(name string) {
	s.Destroyed = append(s.Destroyed, name)
	if slices.ContainsFunc(s.Volumes, func(v Volume) bool { return v.Name == name }) {
		s.Passing = append(s.Passing, name)
	}
}

// Until leaves out what had not been reported yet at an earlier moment.
func (s Seen) Until(then Seen) Seen {
	s.Destroyed, s.Passing = s.Destroyed[:len(then.Destroyed)], s.Passing[:len(then.Passing)]
	s.Volumes, s.Containers = s.Volumes[:len(then.Volumes)], s.Containers[:len(then.Containers)]
	return s
}

// Clone copies it.
func (s Seen) Clone() Seen {
	s.Destroyed, s.Passing = slices.Clone(s.Destroyed), slices.Clone(s.Passing)
	s.Volumes, s.Containers = slices.Clone(s.Volumes), slices.Clone(s.Containers)
	return s
}
