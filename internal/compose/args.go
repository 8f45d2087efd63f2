package compose

import (
	"strconv"
	"strings"
)

// Args are Compose's own flags, as the user gave them. A nil or empty field was
// not given and is not passed on.
type Args struct {
	// Of the docker command.
	Host    string // -H
	Context string // --context

	// Of docker compose.
	Files            []string // -f
	ProjectName      string   // -p
	Profiles         []string
	EnvFiles         []string
	ProjectDirectory string
	AllResources     bool
	Parallel         *int
	Progress         string
	Ansi             string
	Compatibility    bool

	// Of down.
	Timeout       *int // seconds
	Images        string
	RemoveOrphans *bool
	Volumes       bool
	Services      []string
}

// docker returns the arguments up to and including the compose flags.
func (a Args) docker() []string {
	var out []string
	add := func(flag, value string) {
		if value != "" {
			out = append(out, flag, value)
		}
	}
	add("--host", a.Host)
	add("--context", a.Context)
	out = append(out, "compose")
	for _, f := range a.Files {
		add("--file", f)
	}
	add("--project-name", a.ProjectName)
	for _, p := range a.Profiles {
		out = append(out, "--profile", p)
	}
	for _, f := range a.EnvFiles {
		add("--env-file", f)
	}
	add("--project-directory", a.ProjectDirectory)
	if a.AllResources {
		out = append(out, "--all-resources")
	}
	if a.Parallel != nil {
		out = append(out, "--parallel", strconv.Itoa(*a.Parallel))
	}
	add("--progress", a.Progress)
	add("--ansi", a.Ansi)
	if a.Compatibility {
		out = append(out, "--compatibility")
	}
	return out
}

// down returns the arguments of the whole child, without "docker".
func (a Args) down() []string {
	out := append(a.docker(), "down")
	if a.Volumes {
		out = append(out, "--volumes")
	}
	if a.Timeout != nil {
		out = append(out, "--timeout", strconv.Itoa(*a.Timeout))
	}
	if a.Images != "" {
		out = append(out, "--rmi", a.Images)
	}
	if a.RemoveOrphans != nil {
		out = append(out, "--remove-orphans="+strconv.FormatBool(*a.RemoveOrphans))
	}
	if len(a.Services) > 0 {
		// A name that begins with a dash is a service all the same.
		out = append(append(out, "--"), a.Services...)
	}
	return out
}

// stop returns the arguments for stopping what down would remove.
func (a Args) stop() []string {
	out := append(a.docker(), "stop")
	if a.Timeout != nil {
		out = append(out, "--timeout", strconv.Itoa(*a.Timeout))
	}
	if len(a.Services) > 0 {
		out = append(append(out, "--"), a.Services...)
	}
	return out
}

// Bool reads a variable as Compose does: y, or what Go takes for true.
func Bool(value string) bool {
	value = strings.ToLower(strings.TrimSpace(value))
	b, _ := strconv.ParseBool(value) // anything else is false
	return b || value == "y"
}
