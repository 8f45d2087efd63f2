package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Options are the flags of the command that decide what goes.
type Options struct {
	Volumes       bool   // -v, which is on unless --no-volumes is given
	RemoveOrphans bool   // --remove-orphans, or COMPOSE_REMOVE_ORPHANS
	Images        string // --rmi: "", "local" or "all"
	Protect       Patterns
}

// Plan predicts, without touching anything, what Compose will remove and what
// will stay, and why.
func Plan(m Model, s Snapshot, o Options) Inventory {
	p := planner{model: m, snap: s, opts: o, project: strings.ToLower(m.Project)}
	p.planContainers()
	p.planVolumes()
	p.planNetworks()
	p.planImages()
	p.planBinds()
	slices.SortFunc(p.out, order)
	return Inventory{
		Project: p.project, Mode: m.Mode, Fallback: m.Fallback, Dir: m.Dir, Files: m.Files,
		Services: m.Named, Resources: p.out, Runs: p.runs(), Providers: p.providers(),
	}
}

// kinds is the order in which screens list them.
var kinds = []Kind{KindVolume, KindContainer, KindNetwork, KindImage, KindBind}

// order sorts by kind and name; anonymous volumes come last.
func order(a, b Resource) int {
	unnamed := map[bool]int{true: 1}
	return cmp.Or(
		cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)),
		cmp.Compare(unnamed[a.Anonymous], unnamed[b.Anonymous]),
		strings.Compare(a.Name, b.Name),
	)
}

type planner struct {
	model   Model
	snap    Snapshot
	opts    Options
	project string
	out     []Resource

	going   map[string]bool // ids of containers that are removed
	rmv     map[string]bool // of these, the ones whose anonymous volumes go too
	derived map[string]bool // labels mode: services that Compose finds on the containers
	want    map[string]bool // labels mode with named services: those it removes
}

func (p *planner) ours(labels map[string]string) bool { return labels[LabelProject] == p.project }

func oneOff(c Container) bool { return c.Labels[labelOneOff] == "True" }

func (p *planner) planContainers() {
	p.going, p.rmv = map[string]bool{}, map[string]bool{}
	if p.model.Mode == Labels {
		p.deriveServices()
	}
	for _, c := range p.snap.Containers {
		if !p.ours(c.Labels) {
			continue
		}
		goes, withVolumes, why := p.containerFate(c)
		r := Resource{
			Kind: KindContainer, Name: c.Name, ID: c.ID, Created: stamp(c.Created, time.RFC3339),
			Key: c.Labels[labelService], Asked: goes, Fate: Kept, Reason: why, Profiles: p.model.Profiles[c.Labels[labelService]],
		}
		if goes {
			r.Fate = Removed
			p.going[c.ID], p.rmv[c.ID] = true, withVolumes && p.opts.Volumes
		}
		p.out = append(p.out, r)
	}
}

// containerFate follows Compose's own selection: containers with a config hash,
// one-off ones only with --remove-orphans, then by service.
func (p *planner) containerFate(c Container) (goes, withVolumes bool, why string) {
	service := c.Labels[labelService]
	if _, hash := c.Labels[labelConfigHash]; !hash {
		if c.Labels[labelHook] == "pre_start" && (len(p.model.Named) == 0 || slices.Contains(p.model.Named, service)) {
			return true, true, ""
		}
		return false, false, "not made by docker compose up or run"
	}
	if oneOff(c) && !p.opts.RemoveOrphans {
		return false, false, "one-off container of docker compose run; --remove-orphans takes it"
	}
	known, goes, why := p.service(service)
	switch {
	case goes:
		return true, true, ""
	case oneOff(c) && (c.State == "exited" || c.State == "dead"):
		return true, false, ""
	case known || oneOff(c):
		return false, false, why
	case p.opts.RemoveOrphans:
		return true, false, ""
	}
	return false, false, "orphan: its service is not declared; --remove-orphans takes it"
}

// service says whether Compose knows the service in this command, whether it
// removes its containers, and if not, why.
func (p *planner) service(name string) (known, goes bool, why string) {
	if p.model.Mode == Labels {
		switch {
		case !p.derived[name]:
			return false, false, "no regular container of its service is there"
		case p.want != nil && !p.want[name]:
			return true, false, "its service was not named"
		}
		return true, true, ""
	}
	if s, ok := p.model.Services[name]; ok {
		if s.Going {
			return true, true, ""
		}
		return true, false, "a dependency only: its service was not named"
	}
	if why, ok := p.model.Disabled[name]; ok {
		return true, false, why
	}
	return false, false, "its service is not declared"
}

// deriveServices does what Compose does without files: the regular containers
// tell which services there are, and their labels what they depend on. A named
// service takes with it everything that depends on it.
func (p *planner) deriveServices() {
	p.derived = map[string]bool{}
	dependents := map[string][]string{}
	for _, c := range p.snap.Containers {
		if _, hash := c.Labels[labelConfigHash]; !p.ours(c.Labels) || !hash || oneOff(c) {
			continue
		}
		service := c.Labels[labelService]
		p.derived[service] = true
		for dep := range strings.SplitSeq(c.Labels[labelDependsOn], ",") {
			if name, _, _ := strings.Cut(dep, ":"); name != "" {
				dependents[name] = append(dependents[name], service)
			}
		}
	}
	if len(p.model.Named) == 0 {
		return
	}
	p.want = map[string]bool{}
	for todo := slices.Clone(p.model.Named); len(todo) > 0; {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if p.derived[name] && !p.want[name] {
			p.want[name] = true
			todo = append(todo, dependents[name]...)
		}
	}
}

// idle reports the one case in which Compose does nothing at all: labels mode,
// services named, none of them there.
func (p *planner) idle() bool { return p.want != nil && len(p.want) == 0 }

// stays returns the names of the containers among ids that this command leaves.
// strangers says that at least one of them is not of this project.
func (p *planner) stays(users []Container) (names []string, strangers bool) {
	for _, c := range users {
		if p.going[c.ID] {
			continue
		}
		names = append(names, c.Name)
		strangers = strangers || !p.ours(c.Labels)
	}
	slices.Sort(names)
	return names, strangers
}

// inUse fills the fate of a resource that Compose tries to remove while the
// named containers hold it. It stays then, and Compose exits 0. When services
// were named and only other services of the project hold it, the user did not
// mean to remove it.
func (p *planner) inUse(r *Resource, holders []Container) {
	names, strangers := p.stays(holders)
	r.Asked, r.Fate = true, Removed
	if len(names) == 0 {
		return
	}
	r.Fate, r.Reason = Kept, "in use by "+strings.Join(names, ", ")
	switch {
	case strangers:
		r.Reason += " (not of this project)"
	case len(p.model.Named) > 0:
		r.Asked = false
	}
}

func (p *planner) runs() []string {
	var out []string
	for _, name := range sortedKeys(p.model.Services) {
		s := p.model.Services[name]
		if !s.Going {
			continue
		}
		for _, hook := range s.PreStop {
			out = append(out, fmt.Sprintf("pre_stop hook in %s: %s", name, hook))
		}
		if s.Provider != "" {
			out = append(out, fmt.Sprintf("provider %s of service %s", s.Provider, name))
		}
	}
	return out
}

// ourProvider is ccdestroy itself as a provider: it holds nothing.
const ourProvider = "ccdestroy"

// providers are the services whose provider Compose calls in this command.
func (p *planner) providers() (names []string) {
	for _, name := range sortedKeys(p.model.Services) {
		if s := p.model.Services[name]; s.Going && s.Provider != "" && s.Provider != ourProvider {
			names = append(names, name)
		}
	}
	return names
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
