package inventory

// Mode is how Compose finds the resources of a project.
type Mode string

const (
	// Files: Compose loads the files, and removes what they declare, by name.
	Files Mode = "files"
	// Labels: Compose looks for the project label on what exists.
	Labels Mode = "labels"
)

// Model is the project as Compose will see it in this command.
type Model struct {
	Project  string
	Mode     Mode
	Dir      string   // project directory; in labels mode the working directory
	Files    []string // the files that were loaded
	Fallback string   // labels mode only because the files failed to load: why
	Via      string   // "compose config" when Compose itself resolved the files, else ""

	Services map[string]Service  // enabled and selected; empty in labels mode
	Disabled map[string]string   // declared services that Compose skips, and why
	Profiles map[string][]string // those of them that are of profiles, and which
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
