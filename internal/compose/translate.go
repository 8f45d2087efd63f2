package compose

import (
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// translate says in the words of teardown what Compose will do with the
// project: full is what the files declare, effective what is left of it after
// selection.
func (c *Compose) translate(full, effective *types.Project) inventory.Model {
	m := inventory.Model{
		Project: effective.Name, Mode: inventory.Files, Dir: full.WorkingDir, Files: full.ComposeFiles,
		Named: c.Args.Services, Services: map[string]inventory.Service{}, Disabled: map[string]string{}, Profiles: map[string][]string{},
	}
	for name, s := range effective.Services {
		m.Services[name] = service(s)
	}
	closure(m.Services, m.Named)
	for name, s := range effective.DisabledServices {
		m.Disabled[name] = whyDisabled(full, name, s)
		if _, enabled := full.Services[name]; !enabled {
			m.Profiles[name] = s.Profiles
		}
	}
	for key, v := range full.Volumes {
		d := inventory.Declared{Key: key, Name: v.Name, External: bool(v.External)}
		if _, ok := effective.Volumes[key]; !ok {
			d.Skipped = whySkipped(m, full, func(s types.ServiceConfig) bool {
				return slices.ContainsFunc(s.Volumes, func(sv types.ServiceVolumeConfig) bool {
					return sv.Type == types.VolumeTypeVolume && sv.Source == key
				})
			})
		}
		m.Volumes = append(m.Volumes, d)
	}
	for key, n := range full.Networks {
		d := inventory.Declared{Key: key, Name: n.Name, External: bool(n.External)}
		if _, ok := effective.Networks[key]; !ok {
			d.Skipped = whySkipped(m, full, func(s types.ServiceConfig) bool { _, uses := s.Networks[key]; return uses })
		}
		m.Networks = append(m.Networks, d)
	}
	return m
}

func service(s types.ServiceConfig) inventory.Service {
	out := inventory.Service{Image: s.Image, DependsOn: s.GetDependencies()}
	for _, v := range s.Volumes {
		if v.Type == types.VolumeTypeBind {
			out.Binds = append(out.Binds, inventory.Bind{Source: v.Source, Writable: !v.ReadOnly})
		}
	}
	for _, hook := range s.PreStop {
		out.PreStop = append(out.PreStop, strings.Join(hook.Command, " "))
	}
	if s.Provider != nil {
		out.Provider = s.Provider.Type
	}
	return out
}

// closure marks the services whose containers Compose removes: all, or the
// named ones and those among the selected that depend on them. A mere
// dependency of a named service stays.
func closure(services map[string]inventory.Service, named []string) {
	going := map[string]bool{}
	for _, name := range named {
		going[name] = true
	}
	for grown := true; grown; {
		grown = false
		for name, s := range services {
			if !going[name] && slices.ContainsFunc(s.DependsOn, func(dep string) bool { return going[dep] }) {
				going[name], grown = true, true
			}
		}
	}
	for name, s := range services {
		s.Going = len(named) == 0 || going[name]
		services[name] = s
	}
}

func whyDisabled(full *types.Project, name string, s types.ServiceConfig) string {
	if _, enabled := full.Services[name]; enabled {
		return "its service was not named"
	}
	return "profile " + strings.Join(s.Profiles, ", ") + " is not active"
}

// whySkipped explains why a declared volume or network is not part of this
// command: by the services that use it.
func whySkipped(m inventory.Model, full *types.Project, uses func(types.ServiceConfig) bool) string {
	for name, s := range full.AllServices() {
		if why, disabled := m.Disabled[name]; disabled && uses(s) {
			return "only used by service " + name + ": " + why
		}
	}
	return "declared, but no service uses it; --all-resources takes it"
}
