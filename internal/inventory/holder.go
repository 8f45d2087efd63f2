package inventory

import "slices"

// Holder is a container that kept something from going.
type Holder struct {
	Container string
	Project   string   // of Compose that it belongs to, or ""
	Ours      bool     // that is the project of the teardown
	Asked     bool     // that it should have gone itself
	Profiles  []string // of its service, which are not active
	Holds     []string // what it keeps, by name
}

// hold notes who keeps a resource.
func (v *Verdict) hold(r Resource, by []Container, before Inventory) {
	for _, c := range by {
		i := slices.IndexFunc(v.Holders, func(h Holder) bool { return h.Container == c.Name })
		if i < 0 {
			h := Holder{Container: c.Name, Project: c.Labels[LabelProject]}
			h.Ours = h.Project != "" && h.Project == before.Project
			for _, known := range before.Resources {
				if known.Kind == KindContainer && known.ID == c.ID {
					h.Profiles, h.Asked = known.Profiles, known.Asked
				}
			}
			i = len(v.Holders)
			v.Holders = append(v.Holders, h)
		}
		v.Holders[i].Holds = append(v.Holders[i].Holds, r.Name)
	}
}

// Step is one command that helps to finish a teardown.
type Step struct {
	Argv    []string
	Comment string // what it is for
}

// Steps are what would let the rest go, in order, a line for each holder, ending
// with the command that was given where that is still needed: program is how this
// program was called, args with what; no program ends without it.
func (v Verdict) Steps(program, args []string) (steps []Step) {
	repeat, profiles := false, []string{}
	for _, h := range v.Holders {
		comment := "holds " + h.Holds[0]
		for _, name := range h.Holds[1:] {
			comment += ", " + name
		}
		switch {
		case h.Asked: // the next try takes it; not if Compose did nothing at all, whose error says why
			repeat = repeat || v.Went
			continue
		case h.Ours && len(h.Profiles) > 0:
			if !slices.Contains(profiles, h.Profiles[0]) {
				profiles = append(profiles, h.Profiles[0])
			}
			continue
		case h.Project != "" && !h.Ours:
			argv := []string{"docker", "compose", "-p", h.Project, "down"}
			if !slices.ContainsFunc(steps, func(s Step) bool { return slices.Equal(s.Argv, argv) }) {
				steps = append(steps, Step{argv, "its container " + h.Container + " " + comment})
			}
		default:
			steps = append(steps, Step{[]string{"docker", "rm", "-f", h.Container}, comment})
		}
		repeat = true
	}
	if len(program) > 0 && (repeat || len(profiles) > 0) {
		argv := slices.Clone(program)
		for _, p := range profiles {
			argv = append(argv, "--profile", p)
		}
		steps = append(steps, Step{append(argv, args...), ""})
	}
	for _, r := range v.Remaining {
		if r.Kind == KindVolume && len(r.HeldBy) == 0 && v.Went {
			steps = append(steps, Step{[]string{"docker", "volume", "rm", r.Name}, "Compose leaves it"})
		}
	}
	return steps
}
