package teardown

import "time"

// Mode is how Compose finds the resources of a project.
type Mode string

const (
	// Files: Compose loads the files, and removes what they declare, by name.
	Files Mode = "files"
	// Labels: Compose looks for the project label on what exists.
	Labels Mode = "labels"
)

// Model is the project as Compose will see it in this very command.
type Model struct {
	Project  string
	Mode     Mode
	Dir      string   // project directory; in labels mode the working directory
	Files    []string // the files that were loaded
	Fallback string   // labels mode only because the files failed to load: why
	Via      string   // "compose config" when Compose itself resolved the files, else ""

	Services map[string]Service // enabled and selected; empty in labels mode
	Disabled map[string]string  // declared services that Compose passes over, and why
	Volumes  []Declared
	Networks []Declared
	Named    []string // services that the user named
}

// Service is one service that the command concerns.
type Service struct {
	Going     bool     // its containers are removed; false for a mere dependency of a named one
	Image     string   // as the file has it; "" when it is only built
	DependsOn []string // services that it depends on
	Binds     []Bind
	PreStop   []string // commands that run in it before it stops
	Provider  string   // type of the provider, where the service is one
}

// Bind is a host directory or file that a service mounts.
type Bind struct {
	Source   string
	Writable bool
}

// Declared is a volume or network of the files.
type Declared struct {
	Key      string // its name within the files
	Name     string // its name on the engine
	External bool
	Skipped  string // why Compose leaves it alone, or ""
}

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

// Labels that Compose and the engine set.
const (
	labelService    = "com.docker.compose.service"
	labelNetwork    = "com.docker.compose.network"
	labelOneOff     = "com.docker.compose.oneoff"
	labelConfigHash = "com.docker.compose.config-hash"
	labelDependsOn  = "com.docker.compose.depends_on"
	labelHook       = "com.docker.compose.hook"
	labelRelay      = "com.docker.compose.relay-network"

	// LabelProject on a container, volume or network is the name of its project.
	LabelProject = "com.docker.compose.project"
	// LabelVolume on a volume is its key in the Compose files.
	LabelVolume = "com.docker.compose.volume"
	// LabelAnonymous on a volume says that the engine named it (Engine 23 on).
	LabelAnonymous = "com.docker.volume.anonymous"
	// LabelProtect on a volume, with the value true, makes a teardown refuse.
	LabelProtect = "ccdestroy.protect"
	// LabelHelper marks a container that reads or writes volumes for an export
	// or a restore, LabelHelperRun says which process made it.
	LabelHelper    = "io.ccdestroy.helper"
	LabelHelperRun = "io.ccdestroy.run"
)
