package inventory

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

var hexName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{64}$`) })

var volumeName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`) })

// maxName is how long the name of a volume may be: that of a directory.
const maxName = 255

// IsVolumeName reports whether a volume can have the name. As a part of a path it
// leads nowhere else.
func IsVolumeName(name string) bool { return len(name) <= maxName && volumeName().MatchString(name) }

// LooksAnonymous reports whether the engine, not a person, named the volume.
// Engines before 23 give such volumes no label, only a name of 64 hex digits.
func LooksAnonymous(v Volume) bool {
	_, label := v.Labels[LabelAnonymous]
	return label || hexName().MatchString(v.Name) && v.Labels[LabelProject] == ""
}

// planVolumes lists the volumes that the project declares, labels or mounts.
func (p *planner) planVolumes() {
	users := p.volumeUsers()
	intents := p.intendedVolumes()
	for _, v := range p.snap.Volumes {
		meant, spoken := intents[v.Name]
		anonymous, rides := p.rides(v, users[v.Name])
		if !spoken && !rides && !p.ours(v.Labels) && !p.mountedByUs(users[v.Name]) {
			continue
		}
		r := p.opts.Protect.Resource(v)
		r.Anonymous = anonymous
		if other := v.Labels[LabelProject]; other != "" && other != p.project {
			r.Claimed = other
		}
		for _, c := range users[v.Name] {
			r.UsedBy = append(r.UsedBy, c.Name)
		}
		slices.Sort(r.UsedBy)
		switch {
		case spoken && meant.leave == "" || rides:
			p.inUse(&r, users[v.Name])
			p.inherited(&r, v, users[v.Name])
			if r.Host != "" && r.Fate == Removed {
				r.Reason = "only its entry goes; the data in " + r.Host + " stays"
			}
		case spoken:
			r.Asked, r.Fate, r.Reason = meant.asked, Kept, meant.leave
		default:
			r.Fate, r.Reason = Kept, p.unasked(v, anonymous)
		}
		p.out = append(p.out, r)
	}
}

// Resource is the volume as an inventory has it, without a fate.
func (v Volume) Resource() Resource {
	r := Resource{
		Kind: KindVolume, Name: v.Name, Created: stamp(v.Created, time.RFC3339),
		Born: stamp(v.Born, time.RFC3339Nano), Key: v.Labels[LabelVolume],
	}
	if v.Labels[LabelProtect] == "true" {
		r.Protected, r.Protection = true, "the label "+LabelProtect+"=true"
	}
	if v.Driver != "local" {
		r.Driver = v.Driver
	}
	if strings.Contains(","+v.Options["o"]+",", ",bind,") || strings.Contains(","+v.Options["o"]+",", ",rbind,") {
		r.Host = v.Options["device"]
	}
	return r
}

// intent is what Compose will try with a volume that the files or labels name.
type intent struct {
	asked bool   // the command means to remove it
	leave string // why Compose leaves it, or ""
}

// intendedVolumes maps names of volumes to intents. In labels mode Compose keeps
// one volume per key and drops the others; which one cannot be foreseen, so
// all are asked and the evidence decides.
func (p *planner) intendedVolumes() map[string]intent {
	intents := map[string]intent{}
	if p.model.Mode == Files {
		for _, d := range p.model.Volumes {
			switch {
			case d.External:
				intents[d.Name] = intent{leave: "external"}
			case d.Skipped != "":
				intents[d.Name] = intent{leave: d.Skipped}
			case !p.opts.Volumes:
				intents[d.Name] = intent{leave: "--no-volumes"}
			default:
				intents[d.Name] = intent{asked: true}
			}
		}
		return intents
	}
	taken := map[string]bool{}
	for _, v := range p.snap.Volumes {
		if !p.ours(v.Labels) {
			continue
		}
		key := v.Labels[LabelVolume]
		switch {
		case p.idle():
			intents[v.Name] = intent{leave: "none of the named services is there"}
		case !p.opts.Volumes:
			intents[v.Name] = intent{leave: "--no-volumes"}
		case taken[key]:
			intents[v.Name] = intent{asked: true, leave: onePerRun}
		default:
			taken[key] = true
			intents[v.Name] = intent{asked: true}
		}
	}
	return intents
}

const onePerRun = "another has the same Compose key: one goes per run"

// rides reports whether the volume is anonymous, and whether it goes with a
// container of ours.
func (p *planner) rides(v Volume, users []Container) (anonymous, rides bool) {
	if !LooksAnonymous(v) {
		return false, false
	}
	for _, c := range users {
		rides = rides || p.rmv[c.ID]
	}
	return true, rides
}

// inherited finds the anonymous volume that Compose carried over when it
// recreated the container: the new container mounts it by name, so that the
// engine treats it as a named one and keeps it. `docker compose down -v` leaves
// it behind and exits 0.
func (p *planner) inherited(r *Resource, v Volume, users []Container) {
	if !r.Anonymous || r.Fate != Removed || p.ours(v.Labels) {
		return
	}
	for _, c := range users {
		for _, m := range c.Mounts {
			if m.Volume == v.Name && p.rmv[c.ID] && !m.Named {
				return
			}
		}
	}
	r.Fate, r.Reason = Kept, "anonymous, carried over when its container was recreated: Compose leaves it"
}

// unasked is the reason for a volume that the project is concerned with and
// that the command does not mean to remove.
func (p *planner) unasked(v Volume, anonymous bool) string {
	switch {
	case anonymous && !p.opts.Volumes:
		return "--no-volumes"
	case anonymous:
		return "anonymous, of a container that stays or is an orphan"
	case p.model.Mode == Files && p.ours(v.Labels):
		return "labelled for this project, but not declared in the files"
	case p.model.Mode == Labels:
		return "not labelled for this project"
	}
	return "mounted, but not declared in the files"
}

func (p *planner) volumeUsers() map[string][]Container {
	users := map[string][]Container{}
	for _, c := range p.snap.Containers {
		once := map[string]bool{"": true}
		for _, m := range c.Mounts {
			if !once[m.Volume] {
				users[m.Volume] = append(users[m.Volume], c)
				once[m.Volume] = true
			}
		}
	}
	return users
}

func (p *planner) mountedByUs(users []Container) bool {
	for _, c := range users {
		if p.ours(c.Labels) {
			return true
		}
	}
	return false
}
