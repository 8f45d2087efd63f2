package inventory

import (
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
)

// planNetworks lists the project's networks. Compose removes a declared one
// only when it carries the project's label and its key.
func (p *planner) planNetworks() {
	declared := map[string]Declared{} // by key
	for _, d := range p.model.Networks {
		declared[d.Key] = d
	}
	taken := map[string]bool{}
	for _, n := range p.snap.Networks {
		d, known := declared[n.Labels[labelNetwork]]
		_, relay := n.Labels[labelRelay]
		if !p.ours(n.Labels) {
			if d, ok := p.declaredExternal(n.Name); ok {
				p.addNetwork(n, d.Key, "external")
			}
			continue
		}
		key := n.Labels[labelNetwork]
		switch {
		case relay && !p.idle():
			p.addNetwork(n, key, "")
		case p.model.Mode == Labels && p.idle():
			p.addNetwork(n, key, "none of the named services is there")
		case p.model.Mode == Labels && taken[key]:
			p.addNetwork(n, key, onePerRun)
		case p.model.Mode == Labels:
			taken[key] = true
			p.addNetwork(n, key, "")
		case !known || d.Name != n.Name:
			p.addNetwork(n, key, "labelled for this project, but not declared in the files")
		case d.External:
			p.addNetwork(n, key, "external")
		default:
			p.addNetwork(n, key, d.Skipped)
		}
	}
}

func (p *planner) declaredExternal(name string) (Declared, bool) {
	for _, d := range p.model.Networks {
		if d.External && d.Name == name && d.Skipped == "" {
			return d, true
		}
	}
	return Declared{}, false
}

func (p *planner) addNetwork(n Network, key, why string) {
	r := Resource{
		Kind: KindNetwork, Name: n.Name, ID: n.ID, Created: stamp(n.Created, time.RFC3339),
		Key: key, Asked: why == onePerRun, Fate: Kept, Reason: why,
	}
	if why == "" {
		var holders []Container
		for _, c := range p.snap.Containers {
			if slices.Contains(c.Networks, n.ID) && c.Runs() {
				holders = append(holders, c)
			}
		}
		p.inUse(&r, holders)
	}
	p.out = append(p.out, r)
}

// planImages lists what --rmi takes: images that Compose built for the project,
// and with "all" the ones that its services name.
func (p *planner) planImages() {
	if p.opts.Images == "" || p.idle() {
		return
	}
	names := map[string]bool{}
	if p.opts.Images == "all" {
		for name := range p.serviceImages() {
			names[familiar(name)] = true
		}
	}
	for name, s := range p.model.Services {
		if s.Image == "" && s.Provider == "" {
			names[p.project+"-"+name+":latest"] = true
		}
	}
	for _, img := range p.snap.Images {
		built := p.ours(img.Labels) && (p.opts.RemoveOrphans || p.knows(img.Labels[labelService]))
		if built && len(img.Tags) > 0 {
			names[img.Tags[0]] = true
		}
		for _, tag := range img.Tags {
			if names[tag] {
				p.addImage(img, tag)
			}
		}
		if built && len(img.Tags) == 0 {
			p.addImage(img, img.ID)
		}
	}
}

func (p *planner) knows(service string) bool {
	if p.model.Mode == Labels {
		return p.derived[service]
	}
	_, ok := p.model.Services[service]
	return ok
}

func (p *planner) serviceImages() map[string]bool {
	images := map[string]bool{}
	for _, s := range p.model.Services {
		if s.Image != "" {
			images[s.Image] = true
		}
	}
	if p.model.Mode == Labels {
		for _, c := range p.snap.Containers {
			if p.ours(c.Labels) && p.derived[c.Labels[labelService]] && !oneOff(c) {
				images[c.Image] = true
			}
		}
	}
	return images
}

// addImage adds one reference. A reference beside others goes even while the
// image is in use; the last one does not.
func (p *planner) addImage(img Image, ref string) {
	r := Resource{
		Kind: KindImage, Name: ref, ID: img.ID, Created: stamp(img.Created, time.RFC3339),
		Size: &Size{Bytes: img.Size}, Asked: true, Fate: Removed,
	}
	if len(img.Tags) <= 1 {
		var holders []Container
		for _, c := range p.snap.Containers {
			if c.ImageID == img.ID {
				holders = append(holders, c)
			}
		}
		p.inUse(&r, holders)
	}
	p.out = append(p.out, r)
}

// familiar is an image reference as the engine lists it: short, with a tag.
func familiar(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref // an id
	}
	return reference.FamiliarString(reference.TagNameOnly(named))
}

// planBinds lists the host paths that the project's containers can write to.
// Users believe that -v takes them; it never does.
func (p *planner) planBinds() {
	users := map[string][]string{}
	for _, c := range p.snap.Containers {
		for _, m := range c.Mounts {
			if p.ours(c.Labels) && m.Source != "" && m.Writable && !strings.HasSuffix(m.Source, ".sock") {
				users[m.Source] = append(users[m.Source], c.Name)
			}
		}
	}
	for _, s := range p.model.Services {
		for _, b := range s.Binds {
			if b.Writable && users[b.Source] == nil && !strings.HasSuffix(b.Source, ".sock") {
				users[b.Source] = []string{}
			}
		}
	}
	for _, source := range sortedKeys(users) {
		p.out = append(p.out, Resource{
			Kind: KindBind, Name: source, Host: source, UsedBy: users[source],
			Fate: Kept, Reason: "bind mount: files of this host",
		})
	}
}
